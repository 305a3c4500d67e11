"""What this room shows of itself: frozen rows, no models."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.matching.messages import Disclosed
from palermo.node.matching.states import EpochState, HeldRunState, RunState, Verdict
from palermo.subjects.entities import Entity


@dataclass(frozen=True, slots=True)
class PublicationRow:
    """What one of our epochs offers a tier; `counts` are the padded counts by kind."""

    tier: str
    partners: tuple[str, ...]
    manifest_digest: str
    counts: dict[str, int]
    published_at: datetime


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One of our epochs."""

    code: str
    state: EpochState
    valid_from: datetime
    valid_until: datetime
    closed_at: datetime | None
    publications: tuple[PublicationRow, ...]


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A partner's manifest; `counts` are the padded counts by kind that it states."""

    partner: str
    epoch: str
    tier: str
    manifest_digest: str
    counts: dict[str, int]
    valid_from: datetime
    valid_until: datetime
    received_at: datetime
    live: bool


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of ours. `counts`: selectors by kind. `progress` 0 to 1 of the step that runs now."""

    run_id: str
    case: str
    partner: str
    tier: str
    inputs: str
    kinds: tuple[str, ...]
    purpose: str
    legal_basis: str
    officer: int
    state: RunState
    counts: dict[str, int]
    hits: int
    judged: int
    failure: str
    started_at: datetime
    asked_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class MatchedSelector:
    """A selector that both hold: the evidence shown for a hit."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class HitRow:
    """A hit at the querier, with its verdict so far."""

    hit_id: str
    run_id: str
    case: str
    partner: str
    our_id: str
    our_caption: str
    our_entity: Entity
    partner_reference: str
    selectors: tuple[MatchedSelector, ...]
    disclosure: Disclosed
    verdict: Verdict
    intelligence: bool
    found_at: datetime


@dataclass(frozen=True, slots=True)
class JudgementRow:
    """One judgement in a hit's history."""

    officer: int
    verdict: Verdict
    reason: str
    judged_at: datetime


@dataclass(frozen=True, slots=True)
class HitPage:
    """A page of hits; `page` counts from 1."""

    hits: tuple[HitRow, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class CompareLine:
    """A line of the comparison report: `their_id` is the id the partner disclosed, else its opaque reference."""

    our_id: str
    their_id: str
    selectors: tuple[MatchedSelector, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class HeldRunRow:
    """A partner's run at the holder: who asked, in which case, on what basis, how much, and how it ended.

    ``withheld``: case, purpose, basis and officer are empty because the reader may not see a case.
    """

    run_id: str
    partner: str
    case_reference: str
    purpose: str
    legal_basis: str
    asked_by: str
    state: HeldRunState
    counts: dict[str, int]
    ledger_index: int
    failure: str
    received_at: datetime
    ended_at: datetime | None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class HeldHitRow:
    """A hit at the holder: our entity that a partner's case met, and what was revealed of it."""

    reference: str
    partner: str
    partner_case: str
    case: str
    holding: str
    entity_id: str
    caption: str
    kinds: tuple[str, ...]
    disclosed: str
    found_at: datetime
