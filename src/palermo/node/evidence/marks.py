"""Sharing marks of an item of evidence: five separate fields, none of which stands for another.

Sources: FIRST TLP 2.0; Europol handling codes H0 to H3; the 4x4 evaluation of source and information that Europol and
many police forces use. The legal use limit is free text, written by who provides the evidence. What a mark forbids
stands in :mod:`palermo.node.evidence.uses`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Mark = TypeVar("Mark", "Tlp", "HandlingCode")


class Origin(StrEnum):
    """How an item came here. What came by police or FIU channels is intelligence: evidence it is only by consent."""

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


@dataclass(frozen=True, slots=True)
class Marks:
    """The five marks of one item, or of several together."""

    tlp: Tlp
    handling_code: HandlingCode
    source_grade: SourceGrade
    information_grade: InformationGrade
    use_limit: str = ""


def combined(marks: Sequence[Marks]) -> Marks:
    """The marks of several items together: each scale by itself, the strictest wins; every use limit is kept.

    Of the grades the least certain counts: what rests on a doubtful part is doubtful. Raises ``ValueError`` for none.
    """
    if not marks:
        raise ValueError("there are no marks to combine")
    return Marks(
        tlp=strictest([mark.tlp for mark in marks]),
        handling_code=strictest([mark.handling_code for mark in marks]),
        source_grade=max(mark.source_grade for mark in marks),
        information_grade=max(mark.information_grade for mark in marks),
        use_limit=" ".join(dict.fromkeys(mark.use_limit for mark in marks if mark.use_limit)),
    )
