"""Sending: a message is numbered, sealed and entered in the ledger at once: its id and digest never change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.node import restored
from palermo.node.directory import currency, own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.queuing import Draft, Sealed, put
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.exchange.refusals import Refused, refuse
from palermo.node.exchange.rows import MessageRow, outgoing_row
from palermo.node.exchange.wire import DEFAULT_LIFE, LONGEST_LIFE, unstorable
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import queries as ledger_queries
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.sealing.envelope import PROTOCOL_VERSION, Header, seal_envelope
from palermo.sealing.errors import FormatError
from palermo.sealing.keys import RecipientPublicKey, Signer

SHOWS_HELD_FROM = 2
"""The version from which on an envelope shows its recipient the newest checkpoint that is held of its log."""


class _RefusedError(Exception):
    """A draft that is not sent, and why."""

    def __init__(self, draft: Draft, error: Exception) -> None:
        super().__init__(str(error))
        self.draft, self.error = draft, error


@dataclass(frozen=True, slots=True)
class _Lane:
    """What all messages of a batch to one partner share. ``peer`` counts them; its row is locked."""

    peer: Peer
    signing_key: Signer
    key: RecipientPublicKey
    protocol_version: int
    directory_version: int
    checkpoint: str
    partner_checkpoint: str


def send(
    *,
    recipient: str,
    payload_type: str,
    payload: bytes,
    case_reference: str,
    purpose: str,
    legal_basis: str = "",
    in_reply_to: str = "",
    not_after: datetime | None = None,
    message_id: str | None = None,
    fields: Mapping[str, str] | None = None,
    now: datetime,
) -> MessageRow:
    """Seal a message to a partner and put it in the outbox: :func:`send_all` of one :class:`Draft`."""
    draft = Draft(
        recipient=recipient,
        payload_type=payload_type,
        payload=payload,
        case_reference=case_reference,
        purpose=purpose,
        legal_basis=legal_basis,
        in_reply_to=in_reply_to,
        not_after=not_after,
        message_id=message_id or uuid4().hex,
        fields=fields or {},
    )
    return send_all([draft], now=now)[0]


def send_all(drafts: Sequence[Draft], *, now: datetime) -> list[MessageRow]:
    """Seal messages and put them in the outbox, in the caller's transaction, each with one ledger entry; all or none.

    Raises ``InvalidError``, ``ConflictError`` (the id stands for another message), ``DirectoryError`` (unknown partner,
    one without a key, or a directory that has ended), ``FormatError`` (a payload over 48 MiB); what is refused leaves a
    signed statement that says why (:mod:`palermo.node.exchange.refusals`).
    """
    try:
        return _submit(drafts, now)
    except _RefusedError as refused:
        draft, error = refused.draft, refused.error
        by_directory = isinstance(error, directory.DirectoryError)
        refuse(
            Refused(
                draft.message_id,
                draft.recipient,
                draft.payload_type,
                draft.case_reference,
                str(error),
                now,
                by_directory,
            ),
        )
        raise error from refused


@transaction.atomic
def _submit(drafts: Sequence[Draft], now: datetime) -> list[MessageRow]:
    ledger.hold()
    known = Outgoing.objects.defer("envelope").in_bulk([draft.message_id for draft in drafts], field_name="message_id")
    lanes: dict[str, _Lane] = {}
    sealed: dict[str, Sealed] = {}
    for draft in drafts:
        if (before := known.get(draft.message_id) or sealed.get(draft.message_id)) is not None:
            _require_same(before if isinstance(before, Outgoing) else before.draft, draft)
            continue
        try:
            _check(draft, now)
            if draft.recipient not in lanes:
                lanes[draft.recipient] = _lane_to(draft.recipient, now)
            sealed[draft.message_id] = _seal(draft, lanes[draft.recipient], now)
        except (InvalidError, directory.DirectoryError, FormatError) as error:
            raise _RefusedError(draft, error) from error
    known |= {row.message_id: row for row in put(list(sealed.values()), entered_at=now, now=now)}
    for lane in lanes.values():
        lane.peer.save(update_fields=["next_sequence"])
    return [outgoing_row(known[draft.message_id]) for draft in drafts]


def _lane_to(code: str, now: datetime) -> _Lane:
    currency.require_current(now)
    ledger.require_whole()
    if restored.waits_for(code):
        raise ConflictError(f"This node was restored, and {code} has not said yet what passed since. Try again later.")
    key = directory.recipient_key(code, now)
    version = min(directory.authority(code).protocol, PROTOCOL_VERSION)
    return _Lane(
        peer=Peer.objects.select_for_update().get_or_create(code=code)[0],
        signing_key=own_keys.signing_key(),
        key=key,
        protocol_version=version,
        directory_version=directory.directory_version(),
        checkpoint=ledger.current_checkpoint(now=now),
        partner_checkpoint=ledger_queries.newest_held(code) if version >= SHOWS_HELD_FROM else "",
    )


def _seal(draft: Draft, lane: _Lane, now: datetime) -> Sealed:
    header = Header(
        protocol_version=lane.protocol_version,
        payload_type=draft.payload_type,
        sender=directory.own_code(),
        recipient=draft.recipient,
        recipient_key_id=lane.key.key_id,
        message_id=draft.message_id,
        sequence=lane.peer.next_sequence,
        in_reply_to=draft.in_reply_to,
        case_reference=draft.case_reference,
        purpose=draft.purpose,
        created_at=now,
        not_after=_end(draft, now),
        directory_version=lane.directory_version,
        checkpoint=lane.checkpoint,
        partner_checkpoint=lane.partner_checkpoint,
    )
    envelope = seal_envelope(header, draft.payload, lane.signing_key, lane.key)
    lane.peer.next_sequence += 1
    return Sealed(draft, header, envelope)


@transaction.atomic
def reinstate(header: Header, envelope: bytes, payload: bytes, *, now: datetime) -> int:
    """Put a message that this node sent, and lost, back into the outbox, with a ledger entry; its primary key.

    The caller has verified that this node signed it.
    """
    ledger.hold()
    draft = Draft(
        message_id=header.message_id,
        recipient=header.recipient,
        payload_type=header.payload_type,
        payload=payload,
        case_reference=header.case_reference,
        purpose=header.purpose,
        in_reply_to=header.in_reply_to,
        not_after=header.not_after,
        fields={"restored": "handed back by its recipient"},
    )
    (row,) = put([Sealed(draft, header, envelope)], entered_at=header.created_at, now=now)
    key: int = row.pk
    return key


def _end(draft: Draft, now: datetime) -> datetime:
    return draft.not_after or now + DEFAULT_LIFE


def _check(draft: Draft, now: datetime) -> None:
    problems = []
    if not draft.recipient:
        problems.append("Name the recipient: an empty list of recipients means nobody.")
    if not draft.purpose.strip():
        problems.append("State the purpose: nothing leaves without one.")
    if not now < _end(draft, now) <= now + LONGEST_LIFE:
        problems.append(f"A message must end after now and within {LONGEST_LIFE.days} days.")
    texts = {name: getattr(draft, name) for name in ("case_reference", "purpose", "in_reply_to")}
    if fault := unstorable(**texts):
        problems.append(fault)
    if problems:
        raise InvalidError(problems)


def _require_same(before: Outgoing | Draft, draft: Draft) -> None:
    same = ("recipient", "payload_type", "payload_digest")
    if any(getattr(before, name) != getattr(draft, name) for name in same):
        raise ConflictError(f"The message id {draft.message_id} stands for another message. Use a new id.")
