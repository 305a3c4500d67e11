"""What a request says, in the vocabulary of :mod:`palermo.law.terms`: typed, and with "not known" as a third value."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from palermo.law.terms import Kind, Term, term, terms

LONGEST_TEXT = 20_000
MOST_PERSONS = 2_000


class StatementError(ValueError):
    """What was given is no statement. ``problems``: each a sentence that says where and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Person:
    """A person concerned, as far as known ("" where not)."""

    identity: str
    location: str = ""
    nationality: str = ""

    @property
    def complete(self) -> bool:
        """Whether all that a treaty asks about a person, where possible, is said."""
        return all(part.strip() for part in (self.identity, self.location, self.nationality))


class Statement:
    """What a request says. A term that is not said is "", None, or empty: never an answer.

    ``values`` by name of term; ``StatementError`` lists everything that is no term, or of the wrong kind.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        given = {name: value for name, value in (values or {}).items() if value is not None}
        problems = [problem for name, value in given.items() for problem in _problems(name, value)]
        if problems:
            raise StatementError(problems)
        self._values: dict[str, Any] = {name: _plain(term(name), value) for name, value in given.items()}

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Statement":
        """What of these values is one of its term; the rest, such as a choice that is not offered, is not said."""
        return cls({name: value for name, value in values.items() if value is None or not _problems(name, value)})

    def text(self, name: str) -> str:
        """The words of a text, choice or date; "" where nothing is said."""
        value = self._value(name, Kind.TEXT, Kind.CHOICE, Kind.DATE)
        return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)

    def answer(self, name: str) -> bool | None:
        """Yes, no, or not known."""
        found: bool | None = self._value(name, Kind.YES_NO)
        return found

    def number(self, name: str) -> float | None:
        """A number; None where not known."""
        found: float | None = self._value(name, Kind.NUMBER)
        return found

    def persons(self, name: str = "persons") -> tuple[Person, ...]:
        """The persons named."""
        return self._value(name, Kind.PERSONS) or ()

    def says(self, name: str) -> bool | None:
        """Whether this is there, whatever its kind: for yes or no, the answer itself."""
        kind = term(name).kind
        if kind is Kind.YES_NO:
            return self.answer(name)
        value = self._values.get(name)
        return value is not None and value not in ("", ())

    def with_(self, **values: object) -> "Statement":
        """The same with other values; None takes one away."""
        return Statement({**self._values, **values})

    def items(self) -> dict[str, Any]:
        """Everything said, by term."""
        return dict(self._values)

    def _value(self, name: str, *kinds: Kind) -> Any:
        if term(name).kind not in kinds:
            raise TypeError(f"'{name}' is {term(name).kind.value}, not {' or '.join(kind.value for kind in kinds)}")
        return self._values.get(name)


def _plain(known: Term, value: object) -> object:
    if known.kind is Kind.DATE and isinstance(value, str):
        return date.fromisoformat(value)
    if known.kind is Kind.PERSONS and isinstance(value, list | tuple):
        return tuple(row if isinstance(row, Person) else Person(**row) for row in value)
    if known.kind is Kind.TEXTS and isinstance(value, list | tuple):
        return tuple(text.strip() for text in value)
    return value.strip() if isinstance(value, str) else value


def _problems(name: str, value: object) -> list[str]:
    known = terms().get(name)
    if known is None:
        near = difflib.get_close_matches(name, terms(), n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "The schema lists the terms."
        return [f"facts.{name}: there is no such term. {hint}"]
    if not _fits(known, value):
        return [f"facts.{name}: {_expected(known)}"]
    return []


def _fits(known: Term, value: object) -> bool:
    match known.kind:
        case Kind.TEXT:
            return isinstance(value, str) and len(value) <= LONGEST_TEXT
        case Kind.YES_NO:
            return isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10_000
        case Kind.DATE:
            return isinstance(value, date) or (isinstance(value, str) and _is_date(value))
        case Kind.CHOICE:
            return value in known.choices
        case Kind.TEXTS:
            return isinstance(value, list | tuple) and all(isinstance(row, str) for row in value)
        case Kind.PERSONS:
            return isinstance(value, list | tuple) and len(value) <= MOST_PERSONS and all(map(_is_person, value))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_person(row: object) -> bool:
    if isinstance(row, Person):
        return True
    names = ("identity", "location", "nationality")
    return (
        isinstance(row, dict)
        and "identity" in row
        and set(row) <= set(names)
        and all(isinstance(text, str) for text in row.values())
    )


def _expected(known: Term) -> str:
    return {
        Kind.TEXT: f"give text of at most {LONGEST_TEXT} characters.",
        Kind.YES_NO: "give true or false; leave it out, or write null, where it is not known.",
        Kind.NUMBER: "give a number from 0 to 9999.",
        Kind.DATE: "give a date as year-month-day, such as 2026-03-31.",
        Kind.CHOICE: f"choose one of: {', '.join(known.choices)}.",
        Kind.TEXTS: "give a list of texts.",
        Kind.PERSONS: "give a list of persons, each with identity, location, nationality.",
    }[known.kind]
