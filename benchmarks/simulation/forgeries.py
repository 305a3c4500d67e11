"""What someone on the line, or a dishonest member, tries: what another should have signed, sent or received."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from palermo.node.directory import own_keys
from palermo.node.exchange.wire import ENVELOPE_TYPE, PATH
from palermo.sealing import dsse, envelope, hpke, parcel, records
from palermo.sealing.envelope import Header
from palermo.sealing.keys import RecipientPublicKey, SigningKey
from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt
from simulation.member import Member
from simulation.network import Carried
from simulation.notes import NOTE, PLAIN, Asked, Notes, payload


class Forger:
    """A member that signs, or seals, what it should not. A forgery is a post, or None where nothing can be forged."""

    def __init__(self, members: Mapping[str, Member], notes: Notes) -> None:
        self._members = members
        self._notes = notes

    def answer(self, post: Carried) -> bytes:
        """A receipt of acceptance for what was posted, signed by neither side but by a third member."""
        forger = self._stranger(post.sender, post.recipient)
        return sign_receipt(self._receipt(post, forger.time.now), forger.signing_key)

    def impersonate(self, note: Asked) -> Carried | None:
        """A message in the name of a note's sender that a third member made and signed."""
        forger = self._stranger(note.sender, note.recipient)
        header = self._header(note, message_id=f"forged-{note.message_id}", sequence=10_000)
        return self._sealed(note, header, payload(PLAIN, note.message_id, 1), forger.signing_key)

    def equivocate(self, note: Asked) -> Carried | None:
        """Another message that a note's sender signed under the id and the number of the first."""
        found = self._members[note.sender].rows(
            "SELECT sequence FROM exchange_outgoing WHERE message_id = ?", note.message_id
        )
        header = self._header(note, sequence=found[0][0]) if found else None
        second = payload(PLAIN, note.message_id, 2)
        self._notes.signed_besides.setdefault(note.key, set()).add(hashlib.sha256(second).hexdigest())
        return self._sealed(note, header, second, self._members[note.sender].signing_key)

    def pass_on(self, note: Asked) -> Carried | None:
        """What a note's sender signed for its recipient, sealed anew by that recipient to a third member."""
        third = self._stranger(note.sender, note.recipient)
        key = _recipient_key(third)
        kept = self._members[note.recipient].rows(
            "SELECT signed FROM exchange_incoming WHERE sender = ? AND message_id = ?", *note.key
        )
        if key is None or not kept or kept[0][0] is None:
            return None
        head, _ = parcel.split(dsse.parse(bytes(kept[0][0]), "message").payload)
        info = hashlib.sha256(head).digest()
        clear = records.to_bytes(parcel._Clear(third.code, key.key_id, hpke.SUITE, info.hex()))
        sealed = b"palermo-envelope/1\n%b\n" % clear + hpke.seal(key, info, bytes(kept[0][0]))
        return _post(note.recipient, third.code, sealed)

    def _sealed(self, note: Asked, header: Header | None, content: bytes, signer: SigningKey) -> Carried | None:
        key = _recipient_key(self._members[note.recipient])
        if header is None or key is None:
            return None
        header = replace(header, recipient_key_id=key.key_id)
        return _post(note.sender, note.recipient, envelope.seal_envelope(header, content, signer, key))

    def _header(self, note: Asked, *, sequence: int, message_id: str = "") -> Header:
        now = self._members[note.sender].time.now
        return Header(
            protocol_version=1,
            payload_type=NOTE,
            sender=note.sender,
            recipient=note.recipient,
            recipient_key_id="later",
            message_id=message_id or note.message_id,
            sequence=sequence,
            case_reference="CASE-1",
            purpose="forgery",
            created_at=now,
            not_after=now + timedelta(days=7),
            directory_version=1,
        )

    def _receipt(self, post: Carried, now: datetime) -> Receipt:
        digest = hashlib.sha256(post.body).hexdigest()
        known = self._members[post.sender].rows("SELECT message_id FROM exchange_outgoing WHERE digest = ?", digest)
        return Receipt(
            envelope_digest=digest,
            message_id=known[0][0] if known else "",
            sender=post.sender,
            recipient=post.recipient,
            status=ReceiptStatus.ACCEPTED,
            received_at=now,
            ledger_index=0,
        )

    def _stranger(self, *others: str) -> Member:
        return self._members[min(set(self._members) - set(others))]


def _recipient_key(member: Member) -> RecipientPublicKey | None:
    """A key that opens at this member, if it is up."""
    if not member.up:
        return None
    with member.acting():
        return next(iter(own_keys.recipient_keys().values())).public


def _post(sender: str, recipient: str, body: bytes) -> Carried:
    headers = (("content-type", ENVELOPE_TYPE), ("content-length", str(len(body))))
    return Carried(sender, recipient, "POST", PATH, headers, body)
