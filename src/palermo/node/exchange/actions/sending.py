"""Sending: a message is numbered, sealed and entered in the ledger at once: its id and digest never change."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.node import restored
from palermo.node.directory import currency, own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.stating import first_clock, state_own
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.exchange.refusals import Refused, refuse
from palermo.node.exchange.rows import MessageRow, outgoing_row
from palermo.node.exchange.wire import DEFAULT_LIFE, LONGEST_LIFE, unstorable
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import queries as ledger_queries
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.sealing.envelope import PROTOCOL_VERSION, Header, envelope_digest, seal_envelope
from palermo.sealing.errors import FormatError
from palermo.sealing.stage import Stage

SHOWS_HELD_FROM = 2
"""The version from which on an envelope shows its recipient the newest checkpoint that is held of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """What a caller wants sent."""

    message_id: str
    recipient: str
    payload_type: str
    payload: bytes
    case_reference: str
    purpose: str
    legal_basis: str
    in_reply_to: str
    not_after: datetime
    fields: Mapping[str, str]

    @property
    def payload_digest(self) -> str:
        return hashlib.sha256(self.payload).hexdigest()


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
    """Seal a message to a partner and put it in the outbox, in the caller's transaction, with one ledger entry.

    ``not_after``: when the partner may no longer act on it; 7 days from now if not given, 31 at most. ``message_id``:
    give a deterministic one where the caller may run twice: the same id with the same payload is one message.
    ``fields``: further digests and references for the ledger's leaf. Raises ``InvalidError``, ``ConflictError`` (the id
    stands for another message), ``DirectoryError`` (unknown partner, one without a key, or a directory that has
    ended), ``FormatError`` (a payload over 48 MiB); what is refused leaves a signed statement that says why
    (:mod:`palermo.node.exchange.refusals`). An empty ``recipient`` is nobody, and is refused.
    """
    draft = _Draft(
        message_id=message_id or uuid4().hex,
        recipient=recipient,
        payload_type=payload_type,
        payload=payload,
        case_reference=case_reference,
        purpose=purpose,
        legal_basis=legal_basis,
        in_reply_to=in_reply_to,
        not_after=not_after or now + DEFAULT_LIFE,
        fields=fields or {},
    )
    try:
        return _submit(draft, now, may_repeat=message_id is not None)
    except (InvalidError, directory.DirectoryError, FormatError) as error:
        by_directory = isinstance(error, directory.DirectoryError)
        refuse(
            Refused(draft.message_id, recipient, payload_type, case_reference, str(error), now, by_directory),
        )
        raise


@transaction.atomic
def _submit(draft: _Draft, now: datetime, *, may_repeat: bool) -> MessageRow:
    ledger.hold()
    if may_repeat:
        known = Outgoing.objects.defer("envelope").filter(message_id=draft.message_id).first()
        if known is not None:
            return _repeated(known, draft)
    _check(draft, now)
    currency.require_current(now)
    ledger.require_whole()
    if restored.waits_for(draft.recipient):
        raise ConflictError(
            f"This node was restored, and {draft.recipient} has not said yet what passed since. Try again later."
        )
    key = directory.recipient_key(draft.recipient, now)
    peer = Peer.objects.select_for_update().get_or_create(code=draft.recipient)[0]
    version = min(directory.authority(draft.recipient).protocol, PROTOCOL_VERSION)
    header = Header(
        protocol_version=version,
        payload_type=draft.payload_type,
        sender=directory.own_code(),
        recipient=draft.recipient,
        recipient_key_id=key.key_id,
        message_id=draft.message_id,
        sequence=peer.next_sequence,
        in_reply_to=draft.in_reply_to,
        case_reference=draft.case_reference,
        purpose=draft.purpose,
        created_at=now,
        not_after=draft.not_after,
        directory_version=directory.directory_version(),
        checkpoint=ledger.current_checkpoint(now=now),
        partner_checkpoint=ledger_queries.newest_held(draft.recipient) if version >= SHOWS_HELD_FROM else "",
    )
    envelope = seal_envelope(header, draft.payload, own_keys.signing_key(), key)
    row = _put(header, envelope, draft)
    state_own(row, Stage.SUBMISSION_ACCEPTED, now)
    peer.next_sequence += 1
    peer.save(update_fields=["next_sequence"])
    return outgoing_row(row)


@transaction.atomic
def reinstate(header: Header, envelope: bytes, payload: bytes, *, now: datetime) -> int:
    """Put a message that this node sent, and lost, back into the outbox, with a ledger entry; its primary key.

    The caller has verified that this node signed it.
    """
    ledger.hold()
    draft = _Draft(
        message_id=header.message_id,
        recipient=header.recipient,
        payload_type=header.payload_type,
        payload=payload,
        case_reference=header.case_reference,
        purpose=header.purpose,
        legal_basis="",
        in_reply_to=header.in_reply_to,
        not_after=header.not_after,
        fields={"restored": "handed back by its recipient"},
    )
    row = _put(header, envelope, draft)
    state_own(row, Stage.SUBMISSION_ACCEPTED, now)
    key: int = row.pk
    return key


def _check(draft: _Draft, now: datetime) -> None:
    problems = []
    if not draft.recipient:
        problems.append("Name the recipient: an empty list of recipients means nobody.")
    if not draft.purpose.strip():
        problems.append("State the purpose: nothing leaves without one.")
    if not now < draft.not_after <= now + LONGEST_LIFE:
        problems.append(f"A message must end after now and within {LONGEST_LIFE.days} days.")
    texts = {name: getattr(draft, name) for name in ("case_reference", "purpose", "in_reply_to")}
    if fault := unstorable(**texts):
        problems.append(fault)
    if problems:
        raise InvalidError(problems)


def _repeated(known: Outgoing, draft: _Draft) -> MessageRow:
    same = ("recipient", "payload_type", "payload_digest")
    if any(getattr(known, name) != getattr(draft, name) for name in same):
        raise ConflictError(f"The message id {known.message_id} stands for another message. Use a new id.")
    return outgoing_row(known)


def _put(header: Header, envelope: bytes, draft: _Draft) -> Outgoing:
    digest, payload_digest, fields = envelope_digest(envelope), draft.payload_digest, draft.fields
    own = {
        "message": header.message_id,
        "envelope": digest,
        "payload": payload_digest,
        "case": header.case_reference,
        "purpose": header.purpose,
        "legal_basis": draft.legal_basis,
        "in_reply_to": header.in_reply_to,
    }
    if not own.keys().isdisjoint(fields):
        raise ValueError(f"the exchange writes the fields {', '.join(own)} itself")
    entry = ledger.append(
        kind=f"sent.{header.payload_type}",
        counterparty=header.recipient,
        fields={**own, **fields},
        now=header.created_at,
    )
    started = first_clock(header.recipient, header.created_at, header.not_after)
    return Outgoing.objects.create(
        recipient=header.recipient,
        message_id=header.message_id,
        sequence=header.sequence,
        payload_type=header.payload_type,
        case_reference=header.case_reference,
        purpose=header.purpose,
        legal_basis=draft.legal_basis,
        in_reply_to=header.in_reply_to,
        created_at=header.created_at,
        not_after=header.not_after,
        digest=digest,
        payload_digest=payload_digest,
        ledger_index=entry.index,
        envelope=envelope,
        size=len(envelope),
        warn_at=started.warn_at,
        limit_at=started.limit_at,
    )
