"""What this room shows of itself: frozen rows, no models."""

from dataclasses import dataclass
from datetime import date, datetime

from palermo.node.holdings.states import HitReveals, HoldingState, LoadState, ProtectionReason
from palermo.subjects.entities import Entity


@dataclass(frozen=True, slots=True)
class HoldingRow:
    """A holding; `entities` and `selectors` count what the lake holds now (selectors by kind)."""

    code: str
    name: str
    source: str
    handling_code: str
    tlp: str
    purpose: str
    retention_date: date
    partners: tuple[str, ...]
    tier: str
    hit_reveals: HitReveals
    contact_point: str
    caveats: str
    state: HoldingState
    created_at: datetime
    entities: int
    selectors: dict[str, int]
    protected: int
    duty_unit: str = ""


@dataclass(frozen=True, slots=True)
class LoadReportRow:
    """One load and what it changed; `progress` runs from 0 to 1; `rejected` rows are in a file for download."""

    reference: str
    holding: str
    format: str
    file_names: tuple[str, ...]
    state: LoadState
    progress: float
    added: int
    changed: int
    removed: int
    unchanged: int
    rejected: int
    failure: str
    loaded_by: int
    queued_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProtectedRow:
    """A protected item."""

    holding: str
    entity_id: str
    reason: ProtectionReason
    protected_by: int
    protected_at: datetime


@dataclass(frozen=True, slots=True)
class TierRow:
    """A sharing tier: the partners (sorted codes) allowed to match the same items, and the holdings they may match."""

    code: str
    partners: tuple[str, ...]
    holdings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a hit on one entity reveals. `entity` is None unless the holding reveals data; the caveats always travel."""

    holding: str
    reveals: HitReveals
    contact_point: str
    handling_code: str
    tlp: str
    caveats: str
    entity: Entity | None
