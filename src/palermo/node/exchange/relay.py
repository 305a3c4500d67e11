"""The relay: takes sealed parcels for members that nobody can reach, and hands them out when these ask.

What must hold, whoever dies when:

- a parcel is on disk before the relay's statement leaves, and is deleted only when its recipient signs that it has it,
  or when its limit of days ends; then its sender is told, signed;
- the same parcel handed in twice is one parcel, with one statement; handed out twice, its recipient knows it;
- a ticket or collection is used once, in the transaction of its effect.

A relay learns who hands in for whom, when, and how large, rounded up to a bucket. It can open nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import relay_limits as limits
from palermo.node.exchange.relay_models import Holding, RelayMailbox, RelayNonce, RelayParcel
from palermo.node.exchange.relay_wire import MOST_BYTES, MOST_FAILURES
from palermo.node.office.errors import NodeError
from palermo.sealing import batch, parcel
from palermo.sealing.directory import Role
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.parcel import PADDED_FROM
from palermo.sealing.stage import Stage, StageReceipt, sign_stage
from palermo.sealing.ticket import MAX_DIGESTS, Collection, Held, Index, Ticket, verify_collection, verify_ticket


class RelayRefusalError(NodeError):
    """The relay does not do this. ``status``: 403 for whoever is not proven, 4xx for what the sender can mend."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


# --- handing in -----------------------------------------------------------------------------


def admit(data: bytes, recipient: str, *, now: datetime) -> Ticket:
    """Verify a ticket, before any of its parcels is read. Raises :class:`RelayRefusalError`."""
    try:
        ticket = verify_ticket(data, lambda code: _member_keys(code, now))
    except (SealingError, directory.DirectoryError) as error:
        raise RelayRefusalError(f"The ticket does not verify ({error}). Sign a new one.", 403) from error
    _check_addressed(ticket, now)
    if ticket.recipient != recipient:
        raise RelayRefusalError("The ticket is for another recipient than the address.", 400)
    try:
        relays_for = directory.relay_of(recipient)
    except directory.UnknownAuthorityError as error:
        raise RelayRefusalError(str(error), 409) from error
    if relays_for != directory.own_code():
        version = directory.directory_version()
        raise RelayRefusalError(
            f"By the directory in force here, version {version}, this node does not relay for {recipient}. "
            "Import the newest directory, or wait until this node has.",
            409,
        )
    return ticket


def hold(ticket: Ticket, parcels: Sequence[bytes], *, now: datetime) -> list[bytes]:
    """Take in what comes with a ticket; the answers in order: the signed statement, or b"" for lack of room.

    Raises :class:`RelayRefusalError` and takes nothing when a parcel is not what the ticket says, is not padded to a
    bucket, or when the ticket was used.
    """
    for content, digest in zip(parcels, ticket.digests, strict=False):
        _check_parcel(content, digest, ticket.recipient)
    if len(parcels) != len(ticket.digests):
        raise RelayRefusalError("The ticket names another number of parcels than came with it.", 400)
    with transaction.atomic():
        _lock(ticket.member, ticket.recipient)
        _use_nonce(ticket.member, ticket.nonce, now)
        return _hold(ticket, parcels, now)


def _hold(ticket: Ticket, parcels: Sequence[bytes], now: datetime) -> list[bytes]:
    size_left, number_left = limits.room(ticket.member, ticket.recipient)
    answers = []
    for content, digest in zip(parcels, ticket.digests, strict=True):
        known = RelayParcel.objects.filter(sender=ticket.member, recipient=ticket.recipient, digest=digest).first()
        cost = max(len(content), limits.LEAST_BYTES)
        if known is not None and known.state != Holding.COLLECTED:
            answers.append(bytes(known.failed or known.relayed))
        elif cost > size_left or number_left < 1:
            answers.append(b"")
        else:
            size_left, number_left = size_left - cost, number_left - 1
            answers.append(_keep(ticket, digest, content, now) if known is None else _keep_again(known, content, now))
    return answers


def _keep(ticket: Ticket, digest: str, content: bytes, now: datetime) -> bytes:
    statement = _state(Stage.RELAYED, ticket.member, ticket.recipient, digest, now)
    RelayParcel.objects.create(
        sender=ticket.member,
        recipient=ticket.recipient,
        digest=digest,
        size=len(content),
        content=content,
        held_at=now,
        ends_at=now + limits.KEEP,
        relayed=statement,
    )
    return statement


def _keep_again(known: RelayParcel, content: bytes, now: datetime) -> bytes:
    """Its sender has no receipt though the recipient collected it: let it be collected again."""
    known.state, known.content, known.ends_at = Holding.WAITING, content, now + limits.KEEP
    known.save(update_fields=["state", "content", "ends_at"])
    return bytes(known.relayed)


def _check_parcel(content: bytes, digest: str, recipient: str) -> None:
    if parcel.digest(content) != digest:
        raise RelayRefusalError("A parcel is not the one that the ticket names.", 400)
    try:
        outer = parcel.peek(content)
    except SealingError as error:
        raise RelayRefusalError(f"This is no parcel ({error}).", 400) from error
    if outer.recipient != recipient:
        raise RelayRefusalError("A parcel is sealed for another than the ticket's recipient.", 400)
    if outer.version < PADDED_FROM or parcel.bucket(len(content)) != len(content):
        raise RelayRefusalError(
            f"A parcel of {len(content)} bytes is not padded: its size would tell about its content. "
            "Send in version 2 of the envelope.",
            400,
        )


# --- collecting -----------------------------------------------------------------------------


def collect(data: bytes, *, now: datetime) -> bytes:
    """Delete what a member has, and hand out the next of what waits for it, oldest first.

    Returns the answer to the collection (:mod:`palermo.sealing.ticket`). Raises :class:`RelayRefusalError`.
    """
    try:
        asked = verify_collection(data, lambda code: _member_keys(code, now))
    except (SealingError, directory.DirectoryError) as error:
        raise RelayRefusalError(f"The collection does not verify ({error}). Sign a new one.", 403) from error
    _check_addressed(asked, now)
    with transaction.atomic():
        _lock(asked.member)
        _use_nonce(asked.member, asked.nonce, now)
        RelayMailbox.objects.filter(code=asked.member).update(collected_at=now)
        mine = RelayParcel.objects.filter(recipient=asked.member, state=Holding.WAITING)
        mine.filter(digest__in=asked.taken).update(state=Holding.COLLECTED, content=None, ends_at=now + limits.REMEMBER)
        RelayParcel.objects.filter(sender=asked.member, state=Holding.FAILED, digest__in=asked.told).delete()
    return _answer(asked)


def _answer(asked: Collection) -> bytes:
    of_sender = RelayParcel.objects.filter(sender=asked.member, state=Holding.FAILED).order_by("pk")
    failures = [bytes(failed) for failed in of_sender.values_list("failed", flat=True)[:MOST_FAILURES] if failed]
    parcels, more = _next_waiting(asked)
    held = tuple(Held(row.digest, row.sender) for row in parcels)
    index = Index(failures=len(failures), parcels=held, more=more)
    return batch.pack([index.to_bytes(), *failures, *(bytes(row.content or b"") for row in parcels)])


def _next_waiting(asked: Collection) -> tuple[list[RelayParcel], bool]:
    """The next parcels behind the one that was handed out last, and whether more wait behind these."""
    of_member = RelayParcel.objects.filter(recipient=asked.member)
    waiting = of_member.filter(state=Holding.WAITING).order_by("pk")
    if asked.after:
        last = of_member.filter(digest=asked.after).order_by("-pk").values_list("pk", flat=True).first()
        waiting = waiting.filter(pk__gt=last or 0)
    found = list(waiting.values_list("pk", "size")[: MAX_DIGESTS + 1])
    chosen, size = list[int](), 0
    for key, length in found[:MAX_DIGESTS]:
        if chosen and size + length > MOST_BYTES:
            break
        chosen.append(key)
        size += length
    rows = RelayParcel.objects.filter(pk__in=chosen, content__isnull=False).order_by("pk")
    return list(rows), len(found) > len(chosen)


# --- time -----------------------------------------------------------------------------------


def sweep(now: datetime) -> int:
    """Fail what was not collected within its limit, and forget what is over; returns how many failed."""
    due = RelayParcel.objects.filter(state=Holding.WAITING, ends_at__lte=now).order_by("pk")
    failed = sum(_fail(key, now) for key in list(due.values_list("pk", flat=True)))
    RelayParcel.objects.exclude(state=Holding.WAITING).filter(ends_at__lte=now).delete()
    RelayNonce.objects.filter(ends_at__lte=now).delete()
    return failed


@transaction.atomic
def _fail(key: int, now: datetime) -> bool:
    row = RelayParcel.objects.select_for_update().filter(pk=key, state=Holding.WAITING, ends_at__lte=now).first()
    if row is None:
        return False
    reason = f"{row.recipient} did not collect it within {limits.KEEP.days} days. Send it another way."
    row.failed = _state(Stage.RELAY_FAILED, row.sender, row.recipient, row.digest, now, reason)
    row.state, row.content, row.ends_at = Holding.FAILED, None, now + limits.REMEMBER
    row.save(update_fields=["failed", "state", "content", "ends_at"])
    return True


# --- what both share ------------------------------------------------------------------------


def _member_keys(code: str, now: datetime) -> list[VerifyKey]:
    return directory.verify_keys(directory.authority(code).code, now)


def _check_addressed(asked: Ticket | Collection, now: datetime) -> None:
    if asked.relay != directory.own_code() or Role.RELAY not in directory.own().roles:
        raise RelayRefusalError(f"This node is {directory.own_code()}; it does not relay as {asked.relay}.", 403)
    if abs(asked.at - now) > limits.FRESH:
        raise RelayRefusalError("What you signed is not of now: set your clock, and sign a new one.", 403)


def _lock(*members: str) -> None:
    for code in sorted(members):  # always in the same order: two who hand in to each other must not wait for each other
        RelayMailbox.objects.get_or_create(code=code)
        RelayMailbox.objects.select_for_update().get(code=code)


def _use_nonce(member: str, nonce: str, now: datetime) -> None:
    try:
        with transaction.atomic():
            # It is fresh from FRESH before its own time until FRESH after it: two of them cover both from any moment.
            RelayNonce.objects.create(member=member, nonce=nonce, ends_at=now + 2 * limits.FRESH)
    except IntegrityError as error:
        raise RelayRefusalError("This was used before: sign a new one.", 403) from error


def _state(stage: Stage, sender: str, recipient: str, digest: str, now: datetime, reason: str = "") -> bytes:
    statement = StageReceipt(
        stage=stage,
        message_id="",  # the relay cannot know it
        envelope_digest=digest,
        sender=sender,
        recipient=recipient,
        issuer=directory.own_code(),
        at=now,
        reason=reason,
    )
    return sign_stage(statement, own_keys.signing_key())


PERIODIC: Mapping[str, Callable[[datetime], object]] = {"exchange.relay_sweep": sweep}
