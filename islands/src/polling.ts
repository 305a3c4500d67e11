import htmx from "htmx.org";
import { startComponents } from "./components";

/**
 * Keep htmx within the page policy (no inline style, no evaluation), and let a swapped part come alive.
 *
 * A part of a page that changes by itself carries `hx-get` and `hx-trigger="every 2s"`; the server leaves
 * the trigger out once nothing more will change, and polling ends.
 */
export function startPolling(): void {
  htmx.config.includeIndicatorStyles = false;
  htmx.config.allowEval = false;
  htmx.config.allowScriptTags = false;
  htmx.config.selfRequestsOnly = true;
  htmx.config.historyCacheSize = 0; // what an officer may see on this page stays out of the browser's storage

  document.body.addEventListener("htmx:afterSwap", (event) => {
    const part = (event as CustomEvent<{ elt: HTMLElement }>).detail.elt;
    startComponents(part);
    mirrorState(part);
  });
}

/** The part names the state of the page's main object; `<main>` follows it. */
function mirrorState(part: HTMLElement): void {
  const state = part.dataset["liveState"];
  const main = document.querySelector<HTMLElement>("main");
  if (state && main) main.dataset["state"] = state;
}
