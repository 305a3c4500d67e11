"""What is held against every page that is shown: axe-core's rules, the width of the screen, the page policy."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_BUILD = """() => [...new Set(Array.from(document.querySelectorAll("main, main *"), (element) =>
  ["class", "role", "type"].map((name) => element.getAttribute(name)).concat(element.tagName).join()
))].concat(document.querySelector("h1").textContent).join("\\n")"""


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, one line each. Injected by evaluation: the page policy refuses a script tag."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe)
    found = page.evaluate("tags => axe.run({runOnly: {type: 'tag', values: tags}})", list(WCAG))
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """How many pixels the page is wider than the screen."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


@dataclass
class Watch:
    """Looks at the pages of many people, takes pictures of them, and keeps what is wrong with any.

    A page with the heading of one that was looked at, and with no kind of element that was not on that one, is counted
    but not looked at again. ``axe``: source of axe-core; ``screenshots``: the folder for pictures, or None.
    """

    axe: str
    screenshots: Path | None
    faults: list[str] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)

    def listen(self, page: Page) -> None:
        """Keep what the page's console complains of: a page policy that refuses something of ours says so there."""

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.faults.append(f"{page.url}: {message.text}")

        page.on("console", console)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))

    def look(self, page: Page) -> None:
        """Hold the page, as it stands, against the rules."""
        address = urlsplit(page.url)
        if not address.scheme.startswith("http"):
            return
        self.visited.append(address.path)
        build: str = page.evaluate(_BUILD)
        if build in self._known:
            return
        self._known.add(build)
        if self.screenshots:
            name = re.sub(r"[^A-Za-z0-9]+", "-", address.path).strip("-")[:60] or "work"
            page.screenshot(path=self.screenshots / f"road-{len(self.visited):03}-{name}.png", full_page=True)
        found = violations(page, self.axe)
        if pixels := overflow(page):
            found.append(f"{pixels} pixels wider than the screen")
        self.faults += [f"{address.path}: {fault}" for fault in found]
