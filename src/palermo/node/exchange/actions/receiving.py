"""Receiving: what a partner posts is hostile until it opened and verified; then all of it happens, or nothing.

Three answers: a receipt of acceptance; a signed rejection that is recorded, for a message that a partner did sign; a
signed rejection of which nothing is kept, for whatever cannot be proven to come from a partner.

Messages are taken in by the batch, and one alone is a batch of one: what is known of them is looked up at once, their
ledger entries are written at once, each effect is applied in a savepoint of its own, and their receipts and inbox rows
are written at once. Where a handler refuses one, the attempt is undone and made again with that one refused: an entry
that says "received" never stands beside a refusal.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError, transaction

from palermo.node.exchange import handlers, quotas
from palermo.node.exchange.actions.keeping import (
    Decided,
    enter_all,
    entry_of,
    keep_all,
    keep_equivocation,
    sent_before,
    sign,
    stored_receipts,
)
from palermo.node.exchange.actions.reading import Arrival, Reader, UnprovenError, UnreadableError
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.models import Incoming
from palermo.node.exchange.quotas import Standing
from palermo.node.exchange.states import Inbox
from palermo.node.exchange.wire import CLOCK_SKEW, LONGEST_LIFE, PARCELS_PATH
from palermo.node.ledger import actions as ledger
from palermo.sealing.envelope import Header, envelope_digest
from palermo.sealing.errors import SealingError
from palermo.sealing.letter import Letter
from palermo.sealing.receipt import ReceiptStatus
from palermo.sealing.records import format_time


class _UndoneError(Exception):
    """Effects that did not come about, by the envelope's digest: refused for a reason, or failed."""

    def __init__(self, refused: dict[str, str], failed: dict[str, Exception]) -> None:
        super().__init__(f"{len(refused)} refused, {len(failed)} failed")
        self.refused, self.failed = refused, failed


@dataclass(frozen=True, slots=True)
class _Judged:
    """A message before its effect. ``first``: what came before under its id or sequence. ``reason``: of a refusal."""

    message: Arrival
    standing: Standing
    first: Incoming | None
    reason: str | None

    @property
    def is_kept(self) -> bool:
        """Whether anything of it is kept but the count of its bytes."""
        return self.standing is Standing.WITHIN or (self.standing is Standing.ABOVE and self.first is None)

    @property
    def is_new(self) -> bool:
        """Whether it gets a row of the inbox."""
        return self.is_kept and self.first is None

    @property
    def entry(self) -> ledger.Disclosure:
        """What the ledger says of it."""
        if self.first is not None:
            return entry_of("equivocation", self.message, first_envelope=self.first.digest)
        if self.reason is not None:
            return entry_of("refused", self.message, reason=self.reason)
        return entry_of("received", self.message)

    def decided(self, index: int) -> Decided:
        """What the inbox says of it."""
        accepted = self.reason is None
        forgotten = not accepted and handlers.forgets(self.message.header.payload_type)
        return Decided(
            message=self.message,
            state=Inbox.ACCEPTED if accepted else Inbox.REJECTED,
            reason=self.reason or "",
            index=index,
            content=self.standing is Standing.WITHIN and not forgotten,
        )


def receive(envelope: bytes, *, now: datetime) -> bytes:
    """Take in an envelope and return the signed receipt; the same envelope again gets the same receipt.

    Raises :class:`UnreadableError` (no envelope), ``handlers.NotYetError`` (nothing was kept: try again), and whatever
    else a handler raises, after everything was rolled back.
    """
    digest = envelope_digest(envelope)
    if receipt := stored_receipts([digest]).get(digest):
        return receipt
    try:
        opened = Reader(now).read(envelope)
    except UnprovenError as error:
        return rejection(digest, error.reason, now)
    if isinstance(opened, Letter):
        raise UnreadableError(f"This is a letter. Post it to {PARCELS_PATH}.")
    return take_in(opened, now)


def rejection(digest: str, reason: str, now: datetime) -> bytes:
    """A signed rejection of bytes that cannot be proven to come from a partner; nothing of them is kept."""
    return sign(digest, None, ReceiptStatus.REJECTED, now, reason=reason)


def take_in(message: Arrival, now: datetime, *, accepted_at: datetime | None = None) -> bytes:
    """:func:`take_in_all` of one message; returns its receipt, or raises what kept it from being taken."""
    (outcome,) = take_in_all([message], now, accepted_at=accepted_at)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


@transaction.atomic
def take_in_all(
    messages: Sequence[Arrival], now: datetime, *, accepted_at: datetime | None = None
) -> list[bytes | Exception]:
    """Effects, ledger entries, receipts and inbox rows of these messages, in one transaction.

    Returns the receipt of each, or the exception of which nothing was kept. ``accepted_at``: when this node accepted
    them before, and lost them with its storage: they were in time then.
    """
    ledger.hold()
    outcomes: dict[str, bytes | Exception] = {}
    for run in _runs(messages):
        outcomes |= _take_run(run, now, accepted_at)
    return [outcomes[message.digest] for message in messages]


def _runs(messages: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """The messages in their order, cut before each that shares envelope, id or sequence with one of its run."""
    run: list[Arrival] = []
    named: set[tuple[object, ...]] = set()
    for message in messages:
        header = message.header
        own = {
            ("envelope", message.digest),
            ("id", header.sender, header.message_id),
            ("sequence", header.sender, header.sequence),
        }
        if not own.isdisjoint(named):
            yield run
            run, named = [], set()
        run.append(message)
        named |= own
    if run:
        yield run


def _take_run(run: list[Arrival], now: datetime, accepted_at: datetime | None) -> dict[str, bytes | Exception]:
    """Each attempt either keeps all that is left, or finds out what more is refused or fails: so it comes to an end."""
    # The same envelopes may have been posted twice at once.
    outcomes: dict[str, bytes | Exception] = {**stored_receipts([message.digest for message in run])}
    refused: dict[str, str] = {}
    while left := [message for message in run if message.digest not in outcomes]:
        try:
            outcomes |= _attempt(left, refused, now, accepted_at)
        except _UndoneError as undone:
            refused |= undone.refused
            outcomes |= undone.failed
        except ledger.RestoredError as error:
            outcomes |= {message.digest: error for message in left}
    return outcomes


@transaction.atomic
def _attempt(
    messages: Sequence[Arrival], refused: Mapping[str, str], now: datetime, accepted_at: datetime | None
) -> dict[str, bytes]:
    """Take in messages of which none is known and no two share a name. Raises :class:`_UndoneError`."""
    judged = _judge(messages, refused, now, accepted_at)
    kept = [one for one in judged if one.is_kept]
    entered = list(zip(kept, enter_all([one.entry for one in kept], now), strict=True))
    new = [(one, index) for one, index in entered if one.is_new]
    _apply_all([(one.message, index) for one, index in new if one.reason is None], now)
    receipts = keep_all([one.decided(index) for one, index in new], now)
    answers = {one.message.digest: receipt for (one, _), receipt in zip(new, receipts, strict=True)}
    for one, index in entered:
        if one.first is not None:
            answers[one.message.digest] = keep_equivocation(one.message, one.first, index, now)
    for one in judged:
        if not one.is_kept:
            answers[one.message.digest] = sign(
                one.message.digest, one.message.header, ReceiptStatus.REJECTED, now, reason=quotas.reason()
            )
    return answers


def _judge(
    messages: Sequence[Arrival], refused: Mapping[str, str], now: datetime, accepted_at: datetime | None
) -> list[_Judged]:
    """What is to become of messages, by quota, equivocation, checkpoints, time and type; in their order."""
    by_sender: dict[str, list[Arrival]] = {}
    for message in messages:
        by_sender.setdefault(message.header.sender, []).append(message)
    first: dict[str, Incoming] = {}
    standings: dict[str, Standing] = {}
    for sender, own in by_sender.items():
        before = sent_before(sender, [message.header for message in own])
        first |= {one.digest: before[one.header.message_id] for one in own if one.header.message_id in before}
        if accepted_at is None:
            charged = quotas.charge(sender, [len(message.envelope) for message in own], now.date())
            standings |= {message.digest: standing for message, standing in zip(own, charged, strict=True)}
    witnessed: dict[tuple[str, str, str], str | None] = {}
    judged = []
    for message in messages:
        standing = standings.get(message.digest, Standing.WITHIN)
        reason = refused.get(message.digest)
        if standing is Standing.ABOVE:
            reason = quotas.reason()
        elif reason is None and standing is Standing.WITHIN and message.digest not in first:
            reason = _unwitnessed(message.header, witnessed, now) or _unfit(message.header, accepted_at or now)
        judged.append(_Judged(message, standing, first.get(message.digest), reason))
    return judged


def _unwitnessed(header: Header, known: dict[tuple[str, str, str], str | None], now: datetime) -> str | None:
    """Hold what a sender says of both logs against what is known here, once for all messages that say the same."""
    shown = (header.sender, header.checkpoint, header.partner_checkpoint)
    if shown not in known:
        known[shown] = _witness(header, now)
    return known[shown]


def _witness(header: Header, now: datetime) -> str | None:
    try:
        if header.checkpoint:
            ledger.witness(header.sender, header.checkpoint, now=now)
    except SealingError as error:
        return f"The header's checkpoint is not one of your log ({error})."
    try:
        if header.partner_checkpoint:
            ledger.witness_own(header.sender, header.partner_checkpoint, now=now)
    except SealingError as error:
        return f"The header's partner_checkpoint is none that this log signed ({error})."
    return None


def _unfit(header: Header, now: datetime) -> str | None:
    """Why a message is refused that is out of time, or of a type that nobody here acts on."""
    here = f"It is {format_time(now)} here"
    if header.created_at > now + CLOCK_SKEW:
        return f"{here}, and the message is from {format_time(header.created_at)}: set your clock."
    if header.not_after <= now:
        return f"{here}, and the message ended at {format_time(header.not_after)}: send a new one."
    if header.not_after - header.created_at > LONGEST_LIFE:
        return f"A message may live {LONGEST_LIFE.days} days at most: send one with an earlier end."
    if handlers.registered(header.payload_type) is None:
        known = ", ".join(handlers.known_types()) or "none"
        return f"This node does not know messages of type {header.payload_type}. It knows: {known}."
    return None


def _apply_all(messages: Sequence[tuple[Arrival, int]], now: datetime) -> None:
    """The handlers' effects, given the index of each message's entry. Raises :class:`_UndoneError` after the last."""
    refused: dict[str, str] = {}
    failed: dict[str, Exception] = {}
    for message, index in messages:
        try:
            _apply(message, index, now)
        except RefusedError as error:
            refused[message.digest] = error.reason
        except DatabaseError:
            raise
        except Exception as error:  # "not yet", or a fault of our own in one, which must not stop the others
            failed[message.digest] = error
    if refused or failed:
        raise _UndoneError(refused, failed)


@transaction.atomic
def _apply(message: Arrival, index: int, now: datetime) -> None:
    header = message.header
    handler = handlers.registered(header.payload_type)
    if handler is None:
        raise ValueError(f"nobody acts on {header.payload_type}")
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
