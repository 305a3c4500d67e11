"""Sharing marks of an item of evidence: five separate fields, none of which stands for another.

Sources: FIRST TLP 2.0; Europol handling codes H0 to H3; the 4x4 evaluation of source and information that Europol and
many police forces use. The legal use limit is free text, written by who provides the evidence.
"""

from enum import StrEnum
from typing import TypeVar

Mark = TypeVar("Mark", "Tlp", "HandlingCode")


class Origin(StrEnum):
    """How an item came here. What came by police or FIU channels is intelligence and is never sealed as evidence."""

    OWN = "own"
    RECEIVED = "received"
    INTELLIGENCE = "intelligence"


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0: how far a recipient may pass it on, from freest to strictest."""

    CLEAR = "clear"
    GREEN = "green"
    AMBER = "amber"
    AMBER_STRICT = "amber+strict"
    RED = "red"


class HandlingCode(StrEnum):
    """Europol handling codes, from freest to strictest."""

    H0 = "H0"
    H1 = "H1"
    H2 = "H2"
    H3 = "H3"


class SourceGrade(StrEnum):
    """How reliable the source is: A no doubt, B mostly reliable, C mostly unreliable, X cannot be judged."""

    A = "A"
    B = "B"
    C = "C"
    X = "X"


class InformationGrade(StrEnum):
    """How accurate it is: 1 certain, 2 known to the source, 3 hearsay but corroborated, 4 cannot be judged."""

    CERTAIN = "1"
    KNOWN_TO_SOURCE = "2"
    CORROBORATED = "3"
    UNKNOWN = "4"


def strictest(marks: list[Mark]) -> Mark:
    """The strictest of several marks of one scale (each scale is declared from freest to strictest)."""
    scale = list(type(marks[0]))
    return max(marks, key=scale.index)
