"""Every condition by code."""

from functools import cache

from palermo.law.conditions import character, criminality, interests, person, property
from palermo.law.conditions.shape import Condition
from palermo.law.terms import term


@cache
def conditions() -> dict[str, Condition]:
    """Every condition by code; ``KeyError`` where one asks for a term that the vocabulary lacks."""
    rooms = (criminality, character, person, property, interests)
    rows = [row for room in rooms for row in room.CONDITIONS]
    for row in rows:
        for name in row.terms:
            term(name)
    return {row.code: row for row in rows}
