"""What a kind of selector is: a rule by which two authorities write the same value alike."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from palermo.subjects.entities import Entity

MAX_TEXT = 512
"""Longest text, in characters, that any kind looks at."""


class Parse(Protocol):
    """Reads one spelling of a value."""

    def __call__(self, text: str, *, country: str | None = None) -> str | None:
        """Canonical form, or None where the text is no such value; never an exception.

        `country` (ISO 3166-1 alpha-2) says where the text comes from, for kinds whose numbers are national.
        """


@dataclass(frozen=True, slots=True)
class Example:
    """A canonical value and other spellings that must meet it. Invented, or published by the standard itself."""

    canonical: str
    spellings: tuple[str, ...]
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of selector, as its file in this folder registers it."""

    code: str
    title: str
    source: str
    """The standard or registry that sets the rule."""
    parse: Parse
    of_entity: Callable[[Entity], Iterator[str]]
    """The canonical values an entity carries; repetitions and order are for the caller to settle."""
    examples: tuple[Example, ...]
    garbage: tuple[str, ...]
    """Texts that look like a value and are none."""
