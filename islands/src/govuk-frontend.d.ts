/** The part of GOV.UK Frontend that Palermo starts; the package ships no types. */
declare module "govuk-frontend" {
  type Component = abstract new (...arguments_: never[]) => unknown;
  export function createAll(component: Component, config?: object, scope?: ParentNode): unknown[];
  export const Button: Component;
  export const Checkboxes: Component;
  export const ErrorSummary: Component;
  export const NotificationBanner: Component;
  export const PasswordInput: Component;
  export const Radios: Component;
  export const ServiceNavigation: Component;
  export const SkipLink: Component;
}
