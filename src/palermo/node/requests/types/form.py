"""How a request type says what its form asks, so that one page renders them all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Widget(StrEnum):
    """The control that a field is shown as. ``HITS``: checkboxes of the case's confirmed hits, values are hit ids."""

    TEXT = "text"
    TEXTAREA = "textarea"
    RADIO = "radio"
    DATE = "date"
    HITS = "hits"


@dataclass(frozen=True, slots=True)
class FormField:
    """One question of a request's form.

    ``name`` is the key in the request's facts (every value is text; several hits are joined with commas);
    ``article`` the provision that asks for it ("" for none); ``choices`` are (value, label) for radio buttons.
    ``required`` marks what :func:`completeness` will demand: a draft may still be saved without it.
    ``section``: the heading that it stands under, "" for none (:func:`section`).
    """

    name: str
    label: str
    help: str
    article: str
    widget: Widget = Widget.TEXTAREA
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int = 4000
    section: str = ""


def section(heading: str, *fields: FormField) -> tuple[FormField, ...]:
    """Questions that stand together under a heading of a long form."""
    return tuple(replace(field, section=heading) for field in fields)


YES_NO_UNKNOWN = (("yes", "Yes"), ("no", "No"), ("unknown", "Not known"))


def yes_no(value: str) -> bool | None:
    """Yes, no, or not known: anything else, empty too, is not known."""
    return {"yes": True, "no": False}.get(value)


def lines(text: str) -> list[str]:
    """The lines of a text area that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def hit_ids(text: str) -> list[str]:
    """The hits chosen: ids joined with commas, in order, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def form_problems(fields: tuple[FormField, ...], facts: Mapping[str, str]) -> list[str]:
    """What cannot even be kept in a draft: unknown fields, texts that are too long, choices that were not offered."""
    by_name = {field.name: field for field in fields}
    problems = [f"This form has no field '{name}'." for name in sorted(set(facts) - set(by_name))]
    for name in sorted(set(facts) & set(by_name)):
        field, value = by_name[name], facts[name]
        if not isinstance(value, str) or len(value) > field.max_length:
            problems.append(f"{field.label}: text of at most {field.max_length} characters.")
        elif value and field.choices and value not in dict(field.choices):
            problems.append(f"{field.label}: choose one of {', '.join(label for _, label in field.choices)}.")
        elif value and field.widget is Widget.DATE and not is_date(value):
            problems.append(f"{field.label}: give the date as year-month-day, such as 2026-03-31.")
    return problems


def is_date(text: str) -> bool:
    """Whether this is a calendar date, written year-month-day."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
