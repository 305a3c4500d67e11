"""The envelope: what crosses between two nodes. In clear it shows who must open it, and nothing of what or why.

Layout: ``palermo-envelope/1``, a line of canonical JSON (recipient, recipient key id, suite, header digest), then the
raw ciphertext. Within it, by HPKE, is a DSSE envelope; within that the header's length (4 bytes, big-endian), the
header and the payload. The header digest is HPKE's ``info``, so header, ciphertext and signature hold together or not
at all.

The digest hides the header from a relay because ``message_id`` is random: take 128 random bits, never a counter.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from palermo.sealing import dsse, hpke, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import BindingError, FormatError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey, SigningKey, VerifyKey

PROTOCOL_VERSION = 1
MESSAGE_TYPE = "application/vnd.palermo.message.v1"
MAX_PAYLOAD_BYTES = 48 << 20
MAX_HEADER_BYTES = 64 << 10
MAX_ENVELOPE_BYTES = 66 << 20

_MAGIC = b"palermo-envelope/1\n"
_MAX_OUTER_BYTES = 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is said about a message, signed with it and read by its recipient alone.

    ``sequence`` counts the sender's messages to this recipient from 1. ``checkpoint`` is the sender's newest signed
    checkpoint, so that a log which shows two histories is found out. Raises FormatError for values outside the format.
    """

    protocol_version: int = records.always(PROTOCOL_VERSION)
    payload_type: str
    sender: str
    recipient: str
    recipient_key_id: str
    message_id: str
    sequence: int
    in_reply_to: str = ""
    case_reference: str = ""
    purpose: str = ""
    created_at: datetime
    not_after: datetime
    directory_version: int
    checkpoint: str = ""
    suite: str = records.always(hpke.SUITE)

    def __post_init__(self) -> None:
        """Refuse what no node may send."""
        if self.protocol_version != PROTOCOL_VERSION:
            raise FormatError("header.protocol_version", f"{self.protocol_version} is not {PROTOCOL_VERSION}")
        for name in ("sender", "recipient"):
            if not CODE.fullmatch(getattr(self, name)):
                raise FormatError(f"header.{name}", CODE_RULE)
        for name in ("message_id", "recipient_key_id"):
            if not _ID.fullmatch(getattr(self, name)):
                raise FormatError(f"header.{name}", "not 1 to 64 letters, digits, dots, dashes or underscores")
        if not _TYPE.fullmatch(self.payload_type):
            raise FormatError("header.payload_type", "not a media type")
        if self.sequence < 1 or self.directory_version < 0:
            raise FormatError("header", "sequence starts at 1 and directory_version at 0")
        if self.created_at.tzinfo is None or self.not_after.tzinfo is None or self.not_after <= self.created_at:
            raise FormatError("header.not_after", "must lie after created_at, both with a time zone")


@dataclass(frozen=True)
class Outer:
    """What anyone can read of an envelope. None of it is proven before it is opened."""

    recipient: str
    recipient_key_id: str
    suite: str
    header_digest: str
    ciphertext: bytes


@dataclass(frozen=True)
class Message:
    """What a sender signed, verified; ``header_digest`` is the header's SHA-256 in hex, ``key_id`` the signer's."""

    header: Header
    header_digest: str
    payload: bytes
    key_id: str


@dataclass(frozen=True)
class Opened:
    """A message that opened and verified; ``digest`` is the SHA-256 of the envelope, ``key_id`` the sender's key.

    ``signed`` is the signed message verbatim: keep it, for it proves what the sender said when the recipient key, which
    lives 30 days, is gone (:func:`verify_message`).
    """

    header: Header
    payload: bytes
    digest: str
    key_id: str
    signed: bytes


@dataclass(frozen=True)
class _Clear:
    recipient: str
    recipient_key_id: str
    suite: str
    header_digest: str


def envelope_digest(envelope: bytes) -> str:
    """SHA-256 of an envelope in hex: with sender and message id, what makes a message unique."""
    return hashlib.sha256(envelope).hexdigest()


def seal_envelope(
    header: Header, payload: bytes, signing_key: SigningKey, recipient_public: RecipientPublicKey
) -> bytes:
    """Sign header and payload, then encrypt both to the recipient.

    Raises BindingError when the header names another recipient key or suite, FormatError when something is too long.
    """
    if header.recipient_key_id != recipient_public.key_id or header.suite != hpke.SUITE:
        raise BindingError("envelope", "the header names another recipient key or suite than the one it is sealed with")
    head = records.to_bytes(header)
    if len(payload) > MAX_PAYLOAD_BYTES or len(head) > MAX_HEADER_BYTES:
        raise FormatError("envelope", f"payload over {MAX_PAYLOAD_BYTES} or header over {MAX_HEADER_BYTES} bytes")
    info = hashlib.sha256(head).digest()
    signed = dsse.sign(MESSAGE_TYPE, len(head).to_bytes(4, "big") + head + payload, signing_key)
    clear = _Clear(header.recipient, header.recipient_key_id, header.suite, info.hex())
    return _MAGIC + records.to_bytes(clear) + b"\n" + hpke.seal(recipient_public, info, signed)


def peek(envelope: bytes) -> Outer:
    """Read what is in clear, for instance to route it. Raises FormatError for anything that is no envelope."""
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise FormatError("envelope", f"{len(envelope)} bytes, more than the {MAX_ENVELOPE_BYTES} allowed")
    if not envelope.startswith(_MAGIC):
        raise FormatError("envelope", "does not start as an envelope of version 1")
    end = envelope.find(b"\n", len(_MAGIC), len(_MAGIC) + _MAX_OUTER_BYTES)
    if end < 0:
        raise FormatError("envelope", "its clear part does not end")
    clear = records.from_bytes(_Clear, envelope[len(_MAGIC) : end], "envelope")
    if not (CODE.fullmatch(clear.recipient) and _ID.fullmatch(clear.recipient_key_id)):
        raise FormatError("envelope", "recipient or recipient key id is not a code")
    if not _DIGEST.fullmatch(clear.header_digest):
        raise FormatError("envelope.header_digest", "not 64 hex digits")
    return Outer(clear.recipient, clear.recipient_key_id, clear.suite, clear.header_digest, envelope[end + 1 :])


def open_envelope(
    envelope: bytes,
    recipient_keys: Mapping[str, RecipientKey],
    verify_keys: Callable[[str], Sequence[VerifyKey]],
) -> Opened:
    """Open an envelope with this node's recipient keys (by id) and verify it with the keys of the sender that it names.

    Raises FormatError, UnknownKeyError (recipient key or signer), OpeningError, BindingError, SignatureError. Whether
    the recipient is this node, and whether the message is late or known already, is for the caller to judge.
    """
    outer = peek(envelope)
    if outer.suite != hpke.SUITE:
        raise FormatError("envelope.suite", f"unknown suite {outer.suite[:60]!r}: update this node")
    private = recipient_keys.get(outer.recipient_key_id)
    if private is None:
        raise UnknownKeyError("envelope", f"sealed to the key {outer.recipient_key_id}, which is not held here")
    signed = hpke.open(private, bytes.fromhex(outer.header_digest), outer.ciphertext)
    parsed = dsse.parse(signed, "message")
    head, payload = _split(parsed.payload)
    if hashlib.sha256(head).hexdigest() != outer.header_digest:
        raise BindingError("header", "the signed header is not the one that the envelope was sealed with")
    header = records.from_bytes(Header, head, "header")
    if (header.recipient, header.recipient_key_id, header.suite) != (outer.recipient, private.key_id, outer.suite):
        raise BindingError("header", "recipient, key or suite differ between the signed header and the envelope")
    keys = dsse.by_id(*verify_keys(header.sender))
    verified = dsse.verify_parsed(parsed, keys, payload_type=MESSAGE_TYPE, part=f"message from {header.sender}")
    return Opened(header, payload, envelope_digest(envelope), verified.key_id, signed)


def verify_message(signed: bytes, keys: Iterable[VerifyKey]) -> Message:
    """Verify a kept ``Opened.signed`` under its sender's keys. Raises FormatError, UnknownKeyError, SignatureError."""
    verified = dsse.verify(signed, dsse.by_id(*keys), payload_type=MESSAGE_TYPE, part="message")
    head, payload = _split(verified.payload)
    header = records.from_bytes(Header, head, "header")
    return Message(header, hashlib.sha256(head).hexdigest(), payload, verified.key_id)


def _split(content: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(content[:4], "big")
    if len(content) < 4 + length or length > MAX_HEADER_BYTES:
        raise FormatError("message", "its header is cut, or too long")
    return content[4 : 4 + length], content[4 + length :]
