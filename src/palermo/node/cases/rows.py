"""What this room shows of itself: frozen rows, no models."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.cases.states import CaseState, EventKind, Neutrality
from palermo.subjects.entities import Entity


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case; `opened_by` is None and `partner`, `partner_case` are set where a partner's hit opened it."""

    reference: str
    title: str
    purpose: str
    legal_basis: str
    neutrality: Neutrality
    state: CaseState
    partner: str
    partner_case: str
    opened_by: int | None
    opened_at: datetime
    closed_at: datetime | None
    subjects: int
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject of a case."""

    entity_id: str
    schema: str
    caption: str
    entity: Entity
    origin: str
    added_by: int | None
    added_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """A line of the time line; `officer` is None where a partner's message did it."""

    kind: EventKind
    text: str
    link: str
    officer: int | None
    happened_at: datetime
