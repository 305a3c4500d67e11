"""Frozen rows that queries and actions of the exchange return."""

from dataclasses import dataclass, replace
from datetime import datetime

from palermo.node.exchange.models import Incoming, Outgoing


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message of the outbox or the inbox, without its content.

    ``direction``: "out" or "in". ``partner``: the other authority. ``state``: of ``states.Outbox`` or ``states.Inbox``.
    ``digest``: SHA-256 of the envelope, in hex. ``ledger_index``: of this node's entry; ``partner_index``: of the
    recipient's, as its receipt signs. ``withheld``: case, purpose and legal basis are empty because the reader may not
    see a case. ``settled_at``: when the receipt was stored (out) or signed (in).
    """

    direction: str
    message_id: str
    partner: str
    sequence: int
    payload_type: str
    case_reference: str
    purpose: str
    legal_basis: str
    in_reply_to: str
    created_at: datetime
    not_after: datetime
    digest: str
    state: str
    reason: str
    ledger_index: int
    partner_index: int | None
    settled_at: datetime | None
    attempts: int
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class PeerRow:
    """How the post to one partner fares. ``waiting``: messages without a receipt. ``last_error``: "" if it answers."""

    code: str
    waiting: int
    failures: int
    last_error: str
    next_attempt_at: datetime | None
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class EquivocationRow:
    """A partner signed two messages under one id or one sequence: digests, in hex, of both envelopes."""

    sender: str
    message_id: str
    first_digest: str
    second_digest: str
    kept_at: datetime
    ledger_index: int


def without_case(row: MessageRow) -> MessageRow:
    """The row for who may see the post but no case."""
    return replace(row, case_reference="", purpose="", legal_basis="", withheld=True)


def outgoing_row(row: Outgoing) -> MessageRow:
    """The row of a message in the outbox; reads no envelope."""
    return MessageRow(
        direction="out",
        message_id=row.message_id,
        partner=row.recipient,
        sequence=row.sequence,
        payload_type=row.payload_type,
        case_reference=row.case_reference,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        in_reply_to=row.in_reply_to,
        created_at=row.created_at,
        not_after=row.not_after,
        digest=row.digest,
        state=row.state,
        reason=row.reason,
        ledger_index=row.ledger_index,
        partner_index=row.partner_index,
        settled_at=row.receipted_at,
        attempts=row.attempts,
    )


def incoming_row(row: Incoming) -> MessageRow:
    """The row of a message in the inbox; reads no envelope."""
    return MessageRow(
        direction="in",
        message_id=row.message_id,
        partner=row.sender,
        sequence=row.sequence,
        payload_type=row.payload_type,
        case_reference=row.case_reference,
        purpose=row.purpose,
        legal_basis="",
        in_reply_to=row.in_reply_to,
        created_at=row.created_at,
        not_after=row.not_after,
        digest=row.digest,
        state=row.state,
        reason=row.reason,
        ledger_index=row.ledger_index,
        partner_index=None,
        settled_at=row.received_at,
        attempts=0,
    )
