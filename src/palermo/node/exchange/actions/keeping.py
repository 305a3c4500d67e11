"""What is kept of received messages: ledger entries, signed receipts, inbox rows, and the proof of an equivocation."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.reading import Arrival
from palermo.node.exchange.models import Equivocation, Incoming, Peer
from palermo.node.exchange.states import Inbox
from palermo.node.ledger import actions as ledger
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing.envelope import Header
from palermo.sealing.keys import Signer
from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on a message. ``index``: of its ledger entry. ``content``: whether the envelope is kept."""

    message: Arrival
    state: Inbox
    reason: str
    index: int
    content: bool


def stored_receipts(digests: Collection[str]) -> dict[str, bytes]:
    """The receipts that were given for those of these envelopes that came before, by digest."""
    given: dict[str, bytes] = {}
    for box in (Equivocation, Incoming):
        rows = box.objects.filter(digest__in=digests).order_by("-pk").values_list("digest", "receipt")
        given |= {digest: bytes(receipt) for digest, receipt in rows}
    return given


def sent_before(sender: str, headers: Iterable[Header]) -> dict[str, Incoming]:
    """What a sender sent before under the id or the sequence of one of these headers, by the header's message id."""
    ids = {header.message_id: header.sequence for header in headers}
    rows = Incoming.objects.defer("envelope", "signed").filter(
        Q(message_id__in=ids) | Q(sequence__in=set(ids.values())), sender=sender
    )
    by_id: dict[str, Incoming] = {}
    by_sequence: dict[int, Incoming] = {}
    for row in rows.order_by("-pk"):
        by_id[row.message_id], by_sequence[row.sequence] = row, row
    found = {name: by_id.get(name) or by_sequence.get(sequence) for name, sequence in ids.items()}
    return {name: row for name, row in found.items() if row is not None}


def entry_of(verb: str, message: Arrival, **further: str) -> ledger.Disclosure:
    """What the ledger says of a received message."""
    header = message.header
    return ledger.Disclosure(
        f"{verb}.{header.payload_type}",
        header.sender,
        {
            "message": header.message_id,
            "envelope": message.digest,
            "case": header.case_reference,
            "purpose": header.purpose,
            "in_reply_to": header.in_reply_to,
            **further,
        },
    )


def enter_all(entries: Sequence[ledger.Disclosure], now: datetime) -> list[int]:
    """Write ledger entries; their indexes."""
    return [entry.index for entry in ledger.append_all(entries, now=now)] if entries else []


def keep_all(decided: Sequence[Decided], now: datetime) -> list[bytes]:
    """Write inbox rows with their receipts, which are returned."""
    key = own_keys.signing_key()
    rows = [_row(one, key, now) for one in decided]
    Incoming.objects.bulk_create(rows)
    # Who can reach us can most likely be reached: what waits for these partners need not wait out its pause. Should it
    # fail again, the pauses begin anew: a partner that writes while its own server starts does not lengthen them.
    senders = {row.sender for row in rows}
    Peer.objects.filter(code__in=senders, next_attempt_at__isnull=False).update(next_attempt_at=None, failures=0)
    return [bytes(row.receipt) for row in rows]


def _row(decided: Decided, key: Signer, now: datetime) -> Incoming:
    message, header = decided.message, decided.message.header
    return Incoming(
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
        state=decided.state,
        reason=decided.reason,
        ledger_index=decided.index,
        received_at=now,
        receipt=sign_receipt(
            _receipt(message.digest, header, ReceiptStatus(decided.state), now, decided.reason, decided.index), key
        ),
        signed=message.signed if decided.content else None,
        envelope=message.envelope if decided.content else None,
        forgotten_at=None if decided.content else now,
    )


def equivocates(message: Arrival, first: Incoming) -> tuple[str, str]:
    """What two messages share, "id" or "sequence", and what the sender is told."""
    same = "id" if first.message_id == message.header.message_id else "sequence"
    return same, (
        f"You sent another message under this {same} before (envelope {first.digest[:16]}…). Both are kept as proof. "
        "Find out why your node signed two; send the content again under a new id."
    )


def keep_equivocation(message: Arrival, first: Incoming, index: int, now: datetime) -> bytes:
    """Keep a second message under a used id or sequence, as proof; reject it; tell a person."""
    header = message.header
    same, reason = equivocates(message, first)
    receipt = sign(message.digest, header, ReceiptStatus.REJECTED, now, reason=reason, index=index)
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


def sign(
    digest: str, header: Header | None, status: ReceiptStatus, now: datetime, *, reason: str, index: int | None = None
) -> bytes:
    """Sign a receipt. Without a proven header the digest alone says which envelope is meant."""
    return sign_receipt(_receipt(digest, header, status, now, reason, index), own_keys.signing_key())


def _receipt(
    digest: str, header: Header | None, status: ReceiptStatus, now: datetime, reason: str, index: int | None
) -> Receipt:
    return Receipt(
        envelope_digest=digest,
        message_id=header.message_id if header else "",
        sender=header.sender if header else "",
        recipient=directory.own_code(),
        status=status,
        received_at=now,
        reason=reason,
        ledger_index=index,
    )
