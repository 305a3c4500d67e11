"""Reads of the exchange: messages without their content, receipts, partners, and the check of everything stored."""

import hashlib

from django.db.models import Count, Q

from palermo.node.directory import queries as directory
from palermo.node.exchange.checking import check
from palermo.node.exchange.explaining import Event, Explanation, why, why_for
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing, Peer
from palermo.node.exchange.rows import EquivocationRow, MessageRow, PeerRow, incoming_row, outgoing_row, without_case
from palermo.node.exchange.stage_models import Refusal, Statement
from palermo.node.exchange.states import OPEN
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing.envelope import verify_message
from palermo.sealing.errors import SealingError
from palermo.sealing.stage import Stage

__all__ = [
    "PAGE",
    "EquivocationRow",
    "Event",
    "Explanation",
    "MessageRow",
    "PeerRow",
    "check",
    "equivocations",
    "inbox",
    "message",
    "message_for",
    "outbox",
    "payload_digest",
    "peers",
    "receipt",
    "statement",
    "statements",
    "why",
    "why_for",
]

PAGE = 50
_NOT_THE_BYTES = ("envelope", "receipt")


def message(message_id: str) -> MessageRow:
    """A message of the outbox, or else of the inbox. Internal: the caller has decided access.

    Raises ``NotFoundError``.
    """
    ours = Outgoing.objects.defer(*_NOT_THE_BYTES).filter(message_id=message_id).first()
    if ours is not None:
        return outgoing_row(ours)
    theirs = Incoming.objects.defer(*_NOT_THE_BYTES, "signed").filter(message_id=message_id).order_by("pk").first()
    if theirs is None:
        raise NotFoundError
    return incoming_row(theirs)


def was_sent(message_id: str) -> bool:
    """Whether a message of this id is in the outbox, in whatever state. Internal: for callers that may run twice."""
    return Outgoing.objects.filter(message_id=message_id).exists()


def payload_digest(message_id: str) -> str:
    """SHA-256 in hex of the payload that we sent, or that a partner signed; "" where its signature no longer holds,
    or where the message was forgotten.

    Internal: for apps that keep a payload and must see whether it is still the same. Raises ``NotFoundError``.
    """
    sent = Outgoing.objects.filter(message_id=message_id).values_list("payload_digest", flat=True).first()
    if sent is not None:
        return sent
    found = Incoming.objects.filter(message_id=message_id).values_list("sender", "signed").order_by("pk").first()
    if found is None:
        raise NotFoundError
    sender, signed = found
    if signed is None:
        return ""
    try:
        return hashlib.sha256(verify_message(bytes(signed), directory.verify_keys(sender)).payload).hexdigest()
    except SealingError:
        return ""


def message_for(officer: Actor, message_id: str) -> MessageRow:
    """One message, for who may see the post."""
    policy.require(officer, "message.read")
    return _shown(officer, [message(message_id)])[0]


def _shown(officer: Actor, rows: list[MessageRow]) -> list[MessageRow]:
    """The rows as this officer may see them: which case a message belongs to is not for who may see no case."""
    return rows if policy.allows(officer, "message.read_case") else [without_case(row) for row in rows]


def outbox(officer: Actor, *, partner: str = "", state: str = "", page: int = 1) -> list[MessageRow]:
    """A page of messages sent, newest first."""
    policy.require(officer, "message.read")
    rows = Outgoing.objects.defer(*_NOT_THE_BYTES).order_by("-pk")
    if partner:
        rows = rows.filter(recipient=partner)
    if state:
        rows = rows.filter(state=state)
    return _shown(officer, [outgoing_row(row) for row in rows[(page - 1) * PAGE : page * PAGE]])


def inbox(officer: Actor, *, partner: str = "", state: str = "", page: int = 1) -> list[MessageRow]:
    """A page of messages received, newest first."""
    policy.require(officer, "message.read")
    rows = Incoming.objects.defer(*_NOT_THE_BYTES, "signed").order_by("-pk")
    if partner:
        rows = rows.filter(sender=partner)
    if state:
        rows = rows.filter(state=state)
    return _shown(officer, [incoming_row(row) for row in rows[(page - 1) * PAGE : page * PAGE]])


def receipt(officer: Actor, message_id: str) -> bytes:
    """The signed receipt of a message, verbatim; ``NotFoundError`` while there is none."""
    policy.require(officer, "receipt.read")
    boxes = (Outgoing.objects.filter(receipt__isnull=False), Incoming.objects.all())
    for box in boxes:
        found = box.filter(message_id=message_id).values_list("receipt", flat=True).first()
        if found is not None:
            return bytes(found)
    raise NotFoundError


def statements(officer: Actor, message_id: str) -> list[str]:
    """The stages on which a signed statement is kept, in the order in which they came."""
    policy.require(officer, "receipt.read")
    refused = Refusal.objects.filter(message_id=message_id).exists()
    kept = Statement.objects.filter(message__message_id=message_id).order_by("pk").values_list("stage", flat=True)
    return [Stage.SUBMISSION_REJECTED.value, *kept] if refused else list(kept)


def statement(officer: Actor, message_id: str, stage: str) -> bytes:
    """A signed statement on a message, verbatim. Raises ``NotFoundError`` where there is none of that stage."""
    policy.require(officer, "receipt.read")
    if stage == Stage.SUBMISSION_REJECTED:
        found = Refusal.objects.filter(message_id=message_id).values_list("signed", flat=True).first()
    else:
        kept = Statement.objects.filter(message__message_id=message_id, stage=stage)
        found = kept.values_list("signed", flat=True).first()
    if found is None:
        raise NotFoundError
    return bytes(found)


def peers(officer: Actor) -> list[PeerRow]:
    """How the post to each partner fares."""
    policy.require(officer, "partners.read")
    waits = Q(state__in=OPEN)
    waiting = dict(Outgoing.objects.filter(waits).values_list("recipient").annotate(Count("pk")).order_by())
    return [
        PeerRow(row.code, waiting.get(row.code, 0), row.failures, row.last_error, row.next_attempt_at, row.answered_at)
        for row in Peer.objects.order_by("code")
    ]


def equivocations(officer: Actor) -> list[EquivocationRow]:
    """Partners' second messages under a used id or sequence, newest first."""
    policy.require(officer, "message.read")
    rows = Equivocation.objects.select_related("first").order_by("-pk")
    rows = rows.defer("envelope", "signed", "receipt", "first__envelope", "first__signed", "first__receipt")
    return [
        EquivocationRow(
            sender=row.first.sender,
            message_id=row.first.message_id,
            first_digest=row.first.digest,
            second_digest=row.digest,
            kept_at=row.kept_at,
            ledger_index=row.ledger_index,
        )
        for row in rows[:PAGE]
    ]
