"""The vocabulary of a request, from facts in TOML: what can be said in it, of what kind, and how one asks for it."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from palermo.law import strict


class Kind(StrEnum):
    """What a term's value is. ``YES_NO``: true, false, or not known; ``PERSONS``: identity, location, nationality."""

    TEXT = "text"
    YES_NO = "yes_no"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    TEXTS = "texts"
    PERSONS = "persons"


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that a request can say. ``asks``: the question to a person; ``section``: where a form shows it."""

    name: str
    kind: Kind
    asks: str
    section: str
    choices: tuple[str, ...] = ()


@cache
def terms() -> dict[str, Term]:
    """Every term by name, in the order in which a form asks; ``ValueError`` for a name that stands twice."""
    facts = strict.load(strict.shipped("terms.toml"))
    found: dict[str, Term] = {}
    for section, rows in facts.items():
        for name, row in rows.items():
            if name in found:
                raise ValueError(f"facts/terms.toml: '{name}' stands twice")
            found[name] = Term(name, Kind(row["kind"]), row["asks"], section, tuple(row.get("choices", ())))
    return found


def term(name: str) -> Term:
    """One term; ``KeyError`` where the vocabulary has no such name: a rule that asks for it is wrong."""
    return terms()[name]
