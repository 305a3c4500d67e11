"""Receiving: what a partner posts is hostile until it opened and verified; then all of it happens, or nothing.

Three answers: a receipt of acceptance; a signed rejection that is recorded, for a message that a partner did sign; a
signed rejection of which nothing is kept, for whatever cannot be proven to come from a partner.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers, quotas
from palermo.node.exchange.actions.reading import Arrival, Reader, UnprovenError, UnreadableError
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.models import Equivocation, Incoming, Peer
from palermo.node.exchange.quotas import Standing
from palermo.node.exchange.states import Inbox
from palermo.node.exchange.wire import CLOCK_SKEW, LONGEST_LIFE, PARCELS_PATH
from palermo.node.ledger import actions as ledger
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing.envelope import Header, envelope_digest
from palermo.sealing.errors import SealingError
from palermo.sealing.letter import Letter
from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt
from palermo.sealing.records import format_time


def receive(envelope: bytes, *, now: datetime) -> bytes:
    """Take in an envelope and return the signed receipt; the same envelope again gets the same receipt.

    Raises :class:`UnreadableError` (no envelope), ``handlers.NotYetError`` (nothing was kept: try again), and whatever
    else a handler raises, after everything was rolled back.
    """
    digest = envelope_digest(envelope)
    if (receipt := stored_receipt(digest)) is not None:
        return receipt
    try:
        opened = Reader(now).read(envelope)
    except UnprovenError as error:
        return rejection(digest, error.reason, now)
    if isinstance(opened, Letter):
        raise UnreadableError(f"This is a letter. Post it to {PARCELS_PATH}.")
    return take_in(opened, now)


def stored_receipt(digest: str) -> bytes | None:
    """The receipt that was given for an envelope, if it came before."""
    for box in (Incoming, Equivocation):
        receipt = box.objects.filter(digest=digest).values_list("receipt", flat=True).first()
        if receipt is not None:
            return bytes(receipt)
    return None


def rejection(digest: str, reason: str, now: datetime) -> bytes:
    """A signed rejection of bytes that cannot be proven to come from a partner; nothing of them is kept."""
    return _sign(digest, None, ReceiptStatus.REJECTED, now, reason=reason)


@transaction.atomic
def take_in(message: Arrival, now: datetime, *, accepted_at: datetime | None = None) -> bytes:
    """Effect, ledger entry, receipt and inbox row, in one transaction.

    ``accepted_at``: when this node accepted it before, and lost it with its storage: it was in time then.
    """
    ledger.hold()
    if (receipt := stored_receipt(message.digest)) is not None:  # the same envelope, posted twice at once
        return receipt
    header = message.header
    sent_before = Q(message_id=header.message_id) | Q(sequence=header.sequence)
    first = Incoming.objects.defer("envelope", "signed").filter(sent_before, sender=header.sender).first()
    again = accepted_at is not None
    standing = Standing.WITHIN if again else quotas.charge(header.sender, len(message.envelope), now.date())
    if standing is Standing.FAR_ABOVE or (standing is Standing.ABOVE and first is not None):
        return _sign(message.digest, header, ReceiptStatus.REJECTED, now, reason=quotas.reason())
    if first is not None:
        return _keep_equivocation(message, first, now)
    state, reason = Inbox.ACCEPTED, ""
    try:
        if standing is Standing.ABOVE:
            raise RefusedError(quotas.reason())
        _witness(header, now)
        index = _apply(message, now, accepted_at or now)
    except RefusedError as error:
        state, reason = Inbox.REJECTED, error.reason
        index = _enter("refused", message, now, reason=reason)
    receipt = _sign(message.digest, header, ReceiptStatus(state), now, reason=reason, index=index)
    content = standing is Standing.WITHIN and not (state is Inbox.REJECTED and handlers.forgets(header.payload_type))
    _keep(message, state, reason, index, receipt, now, content=content)
    # Who can reach us can most likely be reached: what waits for this partner need not wait out its pause. Should it
    # fail again, the pauses begin anew: a partner that writes while its own server starts does not lengthen them.
    Peer.objects.filter(code=header.sender, next_attempt_at__isnull=False).update(next_attempt_at=None, failures=0)
    return receipt


def _witness(header: Header, now: datetime) -> None:
    """Hold what the sender says of both logs against what is known here."""
    try:
        if header.checkpoint:
            ledger.witness(header.sender, header.checkpoint, now=now)
    except SealingError as error:
        raise RefusedError(f"The header's checkpoint is not one of your log ({error}).") from error
    try:
        if header.partner_checkpoint:
            ledger.witness_own(header.sender, header.partner_checkpoint, now=now)
    except SealingError as error:
        raise RefusedError(f"The header's partner_checkpoint is none that this log signed ({error}).") from error


@transaction.atomic
def _apply(message: Arrival, now: datetime, in_time_at: datetime) -> int:
    """The ledger entry and the handler's effect; both are undone if the handler refuses. Returns the entry's index."""
    header = message.header
    _refuse_untimely(header, in_time_at)
    handler = handlers.registered(header.payload_type)
    if handler is None:
        known = ", ".join(handlers.known_types()) or "none"
        raise RefusedError(f"This node does not know messages of type {header.payload_type}. It knows: {known}.")
    index = _enter("received", message, now)
    handler.effect(
        Received(
            sender=header.sender,
            message_id=header.message_id,
            payload_type=header.payload_type,
            payload=message.payload,
            case_reference=header.case_reference,
            purpose=header.purpose,
            in_reply_to=header.in_reply_to,
            ledger_index=index,
            created_at=header.created_at,
        ),
        now=now,
    )
    return index


def _refuse_untimely(header: Header, now: datetime) -> None:
    here = f"It is {format_time(now)} here"
    if header.created_at > now + CLOCK_SKEW:
        raise RefusedError(f"{here}, and the message is from {format_time(header.created_at)}: set your clock.")
    if header.not_after <= now:
        raise RefusedError(f"{here}, and the message ended at {format_time(header.not_after)}: send a new one.")
    if header.not_after - header.created_at > LONGEST_LIFE:
        raise RefusedError(f"A message may live {LONGEST_LIFE.days} days at most: send one with an earlier end.")


def _enter(verb: str, message: Arrival, now: datetime, **further: str) -> int:
    header = message.header
    entry = ledger.append(
        kind=f"{verb}.{header.payload_type}",
        counterparty=header.sender,
        fields={
            "message": header.message_id,
            "envelope": message.digest,
            "case": header.case_reference,
            "purpose": header.purpose,
            "in_reply_to": header.in_reply_to,
            **further,
        },
        now=now,
    )
    return entry.index


def _keep(
    message: Arrival, state: Inbox, reason: str, index: int, receipt: bytes, now: datetime, *, content: bool
) -> None:
    header = message.header
    Incoming.objects.create(
        sender=header.sender,
        message_id=header.message_id,
        sequence=header.sequence,
        payload_type=header.payload_type,
        case_reference=header.case_reference,
        purpose=header.purpose,
        in_reply_to=header.in_reply_to,
        created_at=header.created_at,
        not_after=header.not_after,
        digest=message.digest,
        state=state,
        reason=reason,
        ledger_index=index,
        received_at=now,
        receipt=receipt,
        signed=message.signed if content else None,
        envelope=message.envelope if content else None,
        forgotten_at=None if content else now,
    )


def _keep_equivocation(message: Arrival, first: Incoming, now: datetime) -> bytes:
    """Keep a second message under a used id or sequence, as proof; reject it; tell a person."""
    header = message.header
    same = "id" if first.message_id == header.message_id else "sequence"
    reason = (
        f"You sent another message under this {same} before (envelope {first.digest[:16]}…). Both are kept as proof. "
        "Find out why your node signed two; send the content again under a new id."
    )
    index = _enter("equivocation", message, now, first_envelope=first.digest)
    receipt = _sign(message.digest, header, ReceiptStatus.REJECTED, now, reason=reason, index=index)
    Equivocation.objects.create(
        first=first,
        digest=message.digest,
        kept_at=now,
        ledger_index=index,
        receipt=receipt,
        signed=message.signed,
        envelope=message.envelope,
    )
    office.add_task(
        key=f"exchange.equivocation:{first.message_id}",
        title=f"{header.sender} signed two different messages under one {same}: {header.message_id}.",
        link=f"/messages/{first.message_id}/",
        role=Role.SUPERVISOR,
        now=now,
    )
    return receipt


def _sign(
    digest: str,
    header: Header | None,
    status: ReceiptStatus,
    now: datetime,
    *,
    reason: str = "",
    index: int | None = None,
) -> bytes:
    """Sign a receipt. Without a proven header the digest alone says which envelope is meant."""
    receipt = Receipt(
        envelope_digest=digest,
        message_id=header.message_id if header else "",
        sender=header.sender if header else "",
        recipient=directory.own_code(),
        status=status,
        received_at=now,
        reason=reason,
        ledger_index=index,
    )
    return sign_receipt(receipt, own_keys.signing_key())
