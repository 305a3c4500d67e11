"""The envelope: a message of one authority to another. In clear it shows who must open it, not what it is or why.

What the bytes are, in both versions of the protocol: :mod:`palermo.sealing.parcel`.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from palermo.sealing import dsse, hpke, parcel, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import BindingError, FormatError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey, Signer, VerifyKey
from palermo.sealing.parcel import Outer, Unsealed, peek

__all__ = [
    "MAX_ENVELOPE_BYTES",
    "MAX_PAYLOAD_BYTES",
    "Header",
    "Message",
    "Opened",
    "Outer",
    "envelope_digest",
    "open_envelope",
    "open_message",
    "peek",
    "seal_envelope",
    "verify_message",
]

PROTOCOL_VERSION = 2
MESSAGE_TYPE = "application/vnd.palermo.message.v1"
MAX_PAYLOAD_BYTES = 48 << 20
MAX_ENVELOPE_BYTES = parcel.MAX_PARCEL_BYTES

envelope_digest = parcel.digest  # with sender and message id, what makes a message unique


@dataclass(frozen=True, kw_only=True)
class Header:
    """What is said about a message, signed with it and read by its recipient alone.

    ``sequence`` counts the sender's messages to this recipient from 1. ``checkpoint`` is the sender's newest signed
    checkpoint and ``partner_checkpoint`` (from version 2 on) the newest that it holds of the recipient, so that a log
    which shows two histories is found out. Raises FormatError for values outside the format.
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
    partner_checkpoint: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node may send."""
        if self.protocol_version not in parcel.VERSIONS:
            raise FormatError("header.protocol_version", f"{self.protocol_version} is none of {parcel.VERSIONS}")
        if self.protocol_version == 1 and self.partner_checkpoint:
            raise FormatError("header.partner_checkpoint", "has no place in version 1")
        for name in ("sender", "recipient"):
            if not CODE.fullmatch(getattr(self, name)):
                raise FormatError(f"header.{name}", CODE_RULE)
        for name in ("message_id", "recipient_key_id"):
            if not parcel.ID.fullmatch(getattr(self, name)):
                raise FormatError(f"header.{name}", "not 1 to 64 letters, digits, dots, dashes or underscores")
        if not parcel.TYPE.fullmatch(self.payload_type):
            raise FormatError("header.payload_type", "not a media type")
        if self.sequence < 1 or self.directory_version < 0:
            raise FormatError("header", "sequence starts at 1 and directory_version at 0")
        if self.created_at.tzinfo is None or self.not_after.tzinfo is None or self.not_after <= self.created_at:
            raise FormatError("header.not_after", "must lie after created_at, both with a time zone")


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


def seal_envelope(header: Header, payload: bytes, signing_key: Signer, recipient_public: RecipientPublicKey) -> bytes:
    """Sign header and payload, then encrypt both to the recipient, in the version that the header names.

    Raises BindingError when the header names another recipient key or suite, FormatError when something is too long.
    """
    if header.recipient_key_id != recipient_public.key_id or header.suite != hpke.SUITE:
        raise BindingError("envelope", "the header names another recipient key or suite than the one it is sealed with")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError("envelope", f"a payload of {len(payload)} bytes, more than the {MAX_PAYLOAD_BYTES} allowed")
    return parcel.seal(
        header.protocol_version,
        header.recipient,
        recipient_public,
        signing_key,
        payload_type=MESSAGE_TYPE,
        head=records.to_bytes(header),
        body=payload,
    )


def open_envelope(
    envelope: bytes,
    recipient_keys: Mapping[str, RecipientKey],
    verify_keys: Callable[[str], Sequence[VerifyKey]],
) -> Opened:
    """Open an envelope with this node's recipient keys (by id) and verify it with the keys of the sender that it names.

    Raises FormatError, UnknownKeyError (recipient key or signer), OpeningError, BindingError, SignatureError. Whether
    the recipient is this node, and whether the message is late or known already, is for the caller to judge.
    """
    return open_message(parcel.unseal(envelope, recipient_keys), envelope_digest(envelope), verify_keys)


def open_message(unsealed: Unsealed, digest: str, verify_keys: Callable[[str], Sequence[VerifyKey]]) -> Opened:
    """The rest of :func:`open_envelope`, for a parcel that is unsealed already; ``digest`` is the parcel's."""
    outer = unsealed.outer
    header = records.from_bytes(Header, unsealed.head, "header")
    if (header.protocol_version, header.recipient, header.recipient_key_id, header.suite) != (
        outer.version,
        outer.recipient,
        outer.recipient_key_id,
        outer.suite,
    ):
        raise BindingError("header", "version, recipient, key or suite differ between the signed header and the clear")
    keys = dsse.by_id(*verify_keys(header.sender))
    part = f"message from {header.sender}"
    verified = dsse.verify_parsed(unsealed.parsed, keys, payload_type=MESSAGE_TYPE, part=part)
    return Opened(header, unsealed.body, digest, verified.key_id, unsealed.signed)


def verify_message(signed: bytes, keys: Iterable[VerifyKey]) -> Message:
    """Verify a kept ``Opened.signed`` under its sender's keys. Raises FormatError, UnknownKeyError, SignatureError."""
    verified = dsse.verify(signed, dsse.by_id(*keys), payload_type=MESSAGE_TYPE, part="message")
    head, payload = parcel.split(verified.payload)
    header = records.from_bytes(Header, head, "header")
    return Message(header, hashlib.sha256(head).hexdigest(), payload, verified.key_id)
