"""What a sender signed, as it lies inside the encryption: the signed envelope (DSSE) over header and payload.

It is kept beside the sealed envelope, because the recipient key that opens the latter is destroyed within 30 days, and
because it proves to a third person what the sender signed without that key.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from palermo.sealing import dsse, hpke, records
from palermo.sealing.envelope import MAX_HEADER_BYTES, MESSAGE_TYPE, Header, Outer
from palermo.sealing.errors import FormatError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, VerifyKey


@dataclass(frozen=True, slots=True)
class Statement:
    """A verified statement. ``header_digest``: what the sealed envelope shows of the header, SHA-256 in hex."""

    header: Header
    header_digest: str
    payload: bytes


def open_statement(outer: Outer, recipient_keys: Mapping[str, RecipientKey]) -> bytes:
    """The statement inside a sealed envelope, verbatim. Raises ``UnknownKeyError``, ``OpeningError``."""
    key = recipient_keys.get(outer.recipient_key_id)
    if key is None:
        raise UnknownKeyError(
            "envelope", f"sealed to the key {outer.recipient_key_id}, which is not held here any more"
        )
    return hpke.open(key, bytes.fromhex(outer.header_digest), outer.ciphertext)


def verify_statement(statement: bytes, keys: Iterable[VerifyKey]) -> Statement:
    """Verify a kept statement under its sender's keys. Raises ``SealingError``: format, unknown key, or signature."""
    content = dsse.verify(statement, dsse.by_id(*keys), payload_type=MESSAGE_TYPE, part="statement").payload
    length = int.from_bytes(content[:4], "big")
    if length > MAX_HEADER_BYTES or len(content) < 4 + length:
        raise FormatError("statement", "its header is cut, or too long")
    head = content[4 : 4 + length]
    header = records.from_bytes(Header, head, "header")
    return Statement(header, hashlib.sha256(head).hexdigest(), content[4 + length :])
