"""Sending: a message is numbered, sealed and entered in the ledger at once: its id and digest never change."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.node.directory import currency, own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.exchange.rows import MessageRow, outgoing_row
from palermo.node.exchange.wire import DEFAULT_LIFE, LONGEST_LIFE, unstorable
from palermo.node.ledger import actions as ledger
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.sealing.envelope import PROTOCOL_VERSION, Header, envelope_digest, seal_envelope


@transaction.atomic
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
    ended), ``FormatError`` (a payload over 48 MiB).
    """
    ledger.hold()
    payload_digest = hashlib.sha256(payload).hexdigest()
    if message_id is not None:
        known = Outgoing.objects.defer("envelope").filter(message_id=message_id).first()
        if known is not None:
            return _repeated(known, recipient, payload_type, payload_digest)
    not_after = not_after or now + DEFAULT_LIFE
    _check(now, not_after, case_reference, purpose, in_reply_to)
    currency.require_current(now)
    key = directory.recipient_key(recipient, now)
    peer = Peer.objects.select_for_update().get_or_create(code=recipient)[0]
    header = Header(
        protocol_version=min(directory.authority(recipient).protocol, PROTOCOL_VERSION),
        payload_type=payload_type,
        sender=directory.own_code(),
        recipient=recipient,
        recipient_key_id=key.key_id,
        message_id=message_id or uuid4().hex,
        sequence=peer.next_sequence,
        in_reply_to=in_reply_to,
        case_reference=case_reference,
        purpose=purpose,
        created_at=now,
        not_after=not_after,
        directory_version=directory.directory_version(),
        checkpoint=ledger.checkpoint(now=now),
    )
    envelope = seal_envelope(header, payload, own_keys.signing_key(), key)
    row = _put(header, envelope, payload_digest, legal_basis, fields or {})
    peer.next_sequence += 1
    peer.save(update_fields=["next_sequence"])
    return outgoing_row(row)


def _check(now: datetime, not_after: datetime, case_reference: str, purpose: str, in_reply_to: str) -> None:
    problems = []
    if not purpose.strip():
        problems.append("State the purpose: nothing leaves without one.")
    if not now < not_after <= now + LONGEST_LIFE:
        problems.append(f"A message must end after now and within {LONGEST_LIFE.days} days.")
    if fault := unstorable(case_reference=case_reference, purpose=purpose, in_reply_to=in_reply_to):
        problems.append(fault)
    if problems:
        raise InvalidError(problems)


def _repeated(known: Outgoing, recipient: str, payload_type: str, payload_digest: str) -> MessageRow:
    if (known.recipient, known.payload_type, known.payload_digest) != (recipient, payload_type, payload_digest):
        raise ConflictError(f"The message id {known.message_id} stands for another message. Use a new id.")
    return outgoing_row(known)


def _put(header: Header, envelope: bytes, payload_digest: str, legal_basis: str, fields: Mapping[str, str]) -> Outgoing:
    digest = envelope_digest(envelope)
    own = {
        "message": header.message_id,
        "envelope": digest,
        "payload": payload_digest,
        "case": header.case_reference,
        "purpose": header.purpose,
        "legal_basis": legal_basis,
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
    return Outgoing.objects.create(
        recipient=header.recipient,
        message_id=header.message_id,
        sequence=header.sequence,
        payload_type=header.payload_type,
        case_reference=header.case_reference,
        purpose=header.purpose,
        legal_basis=legal_basis,
        in_reply_to=header.in_reply_to,
        created_at=header.created_at,
        not_after=header.not_after,
        digest=digest,
        payload_digest=payload_digest,
        ledger_index=entry.index,
        envelope=envelope,
        size=len(envelope),
    )
