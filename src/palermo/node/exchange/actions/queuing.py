"""The outbox: what a message is before it is sealed, and the rows that it leaves when it is."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from palermo.node.exchange.actions.stating import first_clock, state_all
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.routes import way_to
from palermo.node.ledger import actions as ledger
from palermo.sealing.envelope import Header, envelope_digest
from palermo.sealing.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a caller wants sent. An empty ``recipient`` is nobody, and is refused.

    ``not_after``: when the partner may no longer act on it; 7 days from now if not given, 31 at most. ``message_id``:
    give a deterministic one where the caller may run twice: the same id with the same payload is one message.
    ``fields``: further digests and references for the ledger's leaf.
    """

    recipient: str
    payload_type: str
    payload: bytes
    case_reference: str
    purpose: str
    legal_basis: str = ""
    in_reply_to: str = ""
    not_after: datetime | None = None
    message_id: str = field(default_factory=lambda: uuid4().hex)
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload_digest(self) -> str:
        """SHA-256 in hex."""
        return hashlib.sha256(self.payload).hexdigest()


@dataclass(frozen=True, slots=True)
class Sealed:
    """A message as it goes into the outbox."""

    draft: Draft
    header: Header
    envelope: bytes


def put(sealed: Sequence[Sealed], *, entered_at: datetime, now: datetime) -> list[Outgoing]:
    """Enter sealed messages in the ledger and the outbox, each with this node's statement that it took it."""
    if not sealed:
        return []
    digests = [envelope_digest(one.envelope) for one in sealed]
    disclosures = [_entry(one, digest) for one, digest in zip(sealed, digests, strict=True)]
    entries = ledger.append_all(disclosures, now=entered_at)
    ways = {code: way_to(code) for code in {one.header.recipient for one in sealed}}
    rows = []
    for one, digest, entry in zip(sealed, digests, entries, strict=True):
        header = one.header
        started = first_clock(ways[header.recipient], header.created_at, header.not_after)
        rows.append(
            Outgoing(
                recipient=header.recipient,
                message_id=header.message_id,
                sequence=header.sequence,
                payload_type=header.payload_type,
                case_reference=header.case_reference,
                purpose=header.purpose,
                legal_basis=one.draft.legal_basis,
                in_reply_to=header.in_reply_to,
                created_at=header.created_at,
                not_after=header.not_after,
                digest=digest,
                payload_digest=one.draft.payload_digest,
                ledger_index=entry.index,
                envelope=one.envelope,
                size=len(one.envelope),
                warn_at=started.warn_at,
                limit_at=started.limit_at,
            )
        )
    Outgoing.objects.bulk_create(rows)
    state_all(rows, Stage.SUBMISSION_ACCEPTED, now)
    return rows


def _entry(sealed: Sealed, digest: str) -> ledger.Disclosure:
    header, draft = sealed.header, sealed.draft
    own = {
        "message": header.message_id,
        "envelope": digest,
        "payload": draft.payload_digest,
        "case": header.case_reference,
        "purpose": header.purpose,
        "legal_basis": draft.legal_basis,
        "in_reply_to": header.in_reply_to,
    }
    if not own.keys().isdisjoint(draft.fields):
        raise ValueError(f"the exchange writes the fields {', '.join(own)} itself")
    return ledger.Disclosure(f"sent.{header.payload_type}", header.recipient, {**own, **draft.fields})
