"""Rows that the requests app hands out: frozen, plain, safe to pass to a page."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.requests.messages import CitedItem
from palermo.node.requests.states import Direction, Outcome, State


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One signed answer. ``package`` is our reference of the sealed package it carried ("" for none).

    ``rejected``: why the partner's node did not take our answer ("" where it did, or has not said). ``items``: the
    evidence that it cites, as it says.
    """

    number: int
    outcome: Outcome
    ground: str
    reasons: str
    consultation: str
    conditions: str
    consent: str
    package: str
    message_id: str
    answered_by: str
    answered_at: datetime
    rejected: str
    items: tuple[CitedItem, ...] = ()


@dataclass(frozen=True, slots=True)
class GateRow:
    """One safeguard: the question, its source, and (once a person has answered) concern, decision and reason."""

    code: str
    question: str
    source: str
    concern: str = ""
    decision: str = ""
    reason: str = ""
    answered_by: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request of either direction. ``payload_digest`` is the SHA-256 of the bytes approved, sent or received.

    ``hits``: the hits it cites, by our id (ours) or by the reference that we gave the partner (a partner's).
    ``delivery`` is the message's state by receipt: "" (not sent), or as the exchange knows it.
    """

    reference: str
    direction: Direction
    type: str
    label: str
    legal_basis: str
    intelligence: bool
    partner: str
    partner_case: str
    case: str
    state: State
    facts: dict[str, str]
    hits: tuple[str, ...]
    payload_digest: str
    message_id: str
    delivery: str
    drafted_by: str
    created_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    due_at: datetime | None
    answers: tuple[AnswerRow, ...] = ()


@dataclass(frozen=True, slots=True)
class GroundRow:
    """A ground on which this request may be refused or postponed, with the duties that come with it."""

    code: str
    outcome: Outcome
    article: str
    says: str
    duties: tuple[str, ...]
