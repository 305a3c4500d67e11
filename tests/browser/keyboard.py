"""A form filled in by keyboard alone: the skip link, Tab, arrows, Space, typing, and Enter on the button."""

from collections.abc import Mapping

import walking
from playwright.sync_api import Page

FORM_TABS = 150
LONG_TEXT = 40
"""A longer text is put in as a keyboard's paste does, in one piece."""
_PARTS = ("year", "month", "day")
_FOCUSED = """() => {
  const { tagName, type, name, value, checked, textContent } = document.activeElement;
  return { tag: tagName, type, name, value, checked, text: textContent.trim() };
}"""


def fill_in(page: Page, facts: Mapping[str, str], button: str) -> None:
    """Answer the questions in the order of the page, by their names, and press the button.

    Fails where a question cannot be reached with Tab before the button, or the button not at all.
    """
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content", "the skip link does not skip"
    wanted = dict(_controls(page, facts))
    for _ in range(FORM_TABS):
        page.keyboard.press("Tab")
        control = page.evaluate(_FOCUSED)
        if control["tag"] == "BUTTON" and control["text"] == button:
            assert not wanted, f"Tab did not reach {sorted(wanted)} before the button"
            walking.leave(page)
            with page.expect_navigation():
                page.keyboard.press("Enter")
            return
        if control["name"] in wanted and _answer(page, control, wanted[control["name"]]):
            del wanted[control["name"]]
    raise AssertionError(f"Tab did not reach the button {button!r}")


def _controls(page: Page, facts: Mapping[str, str]) -> list[tuple[str, str]]:
    """What goes into which control: a date has three, an empty answer none."""
    controls: list[tuple[str, str]] = []
    for name, value in facts.items():
        if value and page.locator(f'[name="{name}"]').count() == 0:
            controls += [(f"{name}_{part}", text) for part, text in zip(_PARTS, value.split("-"), strict=True)]
        elif value:
            controls.append((name, value))
    return controls


def _answer(page: Page, control: Mapping[str, str], value: str) -> bool:
    """Answer with the control that has the focus; False where it is another box of the same question."""
    if control["type"] == "checkbox":
        if control["value"] != value:
            return False
        page.keyboard.press("Space")
    elif control["type"] in ("radio", "select-one"):
        _choose(page, value)
    elif len(value) > LONG_TEXT:
        page.keyboard.insert_text(value)
    else:
        page.keyboard.type(value)
    answered = page.evaluate(_FOCUSED)
    assert answered["value"] == value, answered
    assert answered["type"] not in ("checkbox", "radio") or answered["checked"], answered
    return True


def _choose(page: Page, value: str) -> None:
    """Move with the arrows until the choice is reached; Space where none had to be passed."""
    start = page.evaluate(_FOCUSED)["value"]
    while (here := page.evaluate(_FOCUSED))["value"] != value:
        page.keyboard.press("ArrowDown")
        there = page.evaluate(_FOCUSED)["value"]
        assert there not in (start, here["value"]), f"{here['name']} offers no {value!r}"
    if here["type"] == "radio" and not here["checked"]:
        page.keyboard.press("Space")
