import {
  Button,
  Checkboxes,
  createAll,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
} from "govuk-frontend";

/** The components that Palermo's templates use, and nothing else. */
const COMPONENTS = [
  Button,
  Checkboxes,
  ErrorSummary,
  NotificationBanner,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
];

/**
 * Say that this browser can run the components.
 *
 * GOV.UK's own template does so with an inline script, which the page policy refuses.
 */
export function markAsSupported(body: HTMLElement): void {
  body.classList.add("js-enabled", "govuk-frontend-supported");
}

/** Start every component below `scope`; called again for what htmx swaps in. */
export function startComponents(scope: ParentNode): void {
  for (const component of COMPONENTS) createAll(component, undefined, scope);
}
