"""The parcel: sealed bytes for one recipient, as a relay or a courier sees them. A message and a letter look the same.

Layout: ``palermo-envelope/2``, a line of canonical JSON (recipient, recipient key id, suite, header digest), then the
raw ciphertext. Within it, by HPKE, in version 2: the length of the signed part in 4 bytes, big-endian, the signed part,
and zeros up to a bucket, so that the size of a parcel tells little. Version 1 has the signed part alone. The signed
part is a DSSE envelope; its type says whether it is a message or a letter, its payload is the head's length (4 bytes),
the head and the body. The head's SHA-256 is HPKE's ``info``, so head, ciphertext and signature hold together or not at
all.

The digest hides the head from a relay because ids are random: take 128 random bits, never a counter.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from palermo.sealing import canonical, dsse, hpke, records
from palermo.sealing.directory import CODE
from palermo.sealing.errors import BindingError, FormatError, OpeningError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey, Signer

VERSIONS = (1, 2)
PADDED_FROM = 2
MAX_PARCEL_BYTES = 66 << 20
MAX_HEAD_BYTES = 64 << 10
LEAST_BUCKET = 4 << 10
FINE_BUCKETS_FROM = 1 << 20

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAGIC = re.compile(rb"palermo-envelope/([1-9][0-9]{0,3})\n")
_MAX_OUTER_BYTES = 1024
_LENGTH_BYTES = 4


class VersionError(FormatError):
    """A parcel of a version not spoken here. ``recipient``: whom its clear line names, "" if it names nobody."""

    def __init__(self, version: int, recipient: str) -> None:
        spoken = " and ".join(map(str, VERSIONS))
        super().__init__("envelope", f"is of version {version}; spoken here are {spoken}")
        self.version, self.recipient = version, recipient


@dataclass(frozen=True)
class Outer:
    """What anyone can read of a parcel. None of it is proven before it is opened."""

    version: int
    recipient: str
    recipient_key_id: str
    suite: str
    header_digest: str
    ciphertext: bytes


@dataclass(frozen=True)
class Unsealed:
    """A parcel that opened, its signature not yet verified. ``signed``: the DSSE bytes, of which ``parsed`` is read."""

    outer: Outer
    signed: bytes
    parsed: dsse.Unverified
    head: bytes
    body: bytes


@dataclass(frozen=True)
class _Clear:
    recipient: str
    recipient_key_id: str
    suite: str
    header_digest: str


def digest(parcel: bytes) -> str:
    """SHA-256 of a parcel in hex."""
    return hashlib.sha256(parcel).hexdigest()


def bucket(size: int) -> int:
    """The size that a parcel of at least ``size`` bytes is padded to: powers of two from 4 KiB to 1 MiB, then MiB."""
    if size > FINE_BUCKETS_FROM:
        return -(-size // FINE_BUCKETS_FROM) * FINE_BUCKETS_FROM
    return max(LEAST_BUCKET, 1 << (size - 1).bit_length())


def seal(
    version: int,
    recipient: str,
    key: RecipientPublicKey,
    signing_key: Signer,
    *,
    payload_type: str,
    head: bytes,
    body: bytes,
) -> bytes:
    """Sign head and body as ``payload_type``, then encrypt both to the recipient. Raises FormatError if too long."""
    if len(head) > MAX_HEAD_BYTES:
        raise FormatError("envelope", f"a head of {len(head)} bytes, more than the {MAX_HEAD_BYTES} allowed")
    info = hashlib.sha256(head).digest()
    signed = dsse.sign(payload_type, join(head, body), signing_key)
    clear = records.to_bytes(_Clear(recipient, key.key_id, hpke.SUITE, info.hex()))
    opening = b"palermo-envelope/%d\n%b\n" % (version, clear)
    if version >= PADDED_FROM:
        inner = len(signed).to_bytes(_LENGTH_BYTES, "big") + signed
        signed = inner.ljust(_plain_size(len(opening), len(signed)), b"\0")
    return opening + hpke.seal(key, info, signed)


def _plain_size(opening: int, signed: int) -> int:
    """How long a padded plaintext is, given the lengths of the clear part and of the signed part."""
    around = opening + hpke.OVERHEAD_BYTES
    return bucket(around + _LENGTH_BYTES + signed) - around


def peek(parcel: bytes) -> Outer:
    """Read what is in clear, for instance to route it.

    Raises :class:`VersionError` for one of another version, FormatError for anything else that is no parcel.
    """
    if len(parcel) > MAX_PARCEL_BYTES:
        raise FormatError("envelope", f"{len(parcel)} bytes, more than the {MAX_PARCEL_BYTES} allowed")
    magic = _MAGIC.match(parcel)
    if magic is None:
        raise FormatError("envelope", "does not start as an envelope")
    end = parcel.find(b"\n", magic.end(), magic.end() + _MAX_OUTER_BYTES)
    if end < 0:
        raise FormatError("envelope", "its clear part does not end")
    line, version = parcel[magic.end() : end], int(magic[1])
    if version not in VERSIONS:
        raise VersionError(version, _recipient_named(line))
    clear = records.from_bytes(_Clear, line, "envelope")
    if not (CODE.fullmatch(clear.recipient) and ID.fullmatch(clear.recipient_key_id)):
        raise FormatError("envelope", "recipient or recipient key id is not a code")
    if not _DIGEST.fullmatch(clear.header_digest):
        raise FormatError("envelope.header_digest", "not 64 hex digits")
    return Outer(version, clear.recipient, clear.recipient_key_id, clear.suite, clear.header_digest, parcel[end + 1 :])


def _recipient_named(line: bytes) -> str:
    """Whom the clear line of an unknown version is for. Raises FormatError for a line that is no JSON object at all."""
    value = canonical.decode(line, "envelope")
    named = value.get("recipient") if isinstance(value, dict) else None
    if not isinstance(value, dict):
        raise FormatError("envelope", "its clear part is not an object")
    return named if isinstance(named, str) and CODE.fullmatch(named) else ""


def unseal(parcel: bytes, recipient_keys: Mapping[str, RecipientKey], outer: Outer | None = None) -> Unsealed:
    """Open a parcel with one of this node's recipient keys, by id; what is within is not verified yet.

    ``outer``: what :func:`peek` read of this parcel, where the caller looked before.

    Raises FormatError, UnknownKeyError, OpeningError, and BindingError for a head that it was not sealed with.
    """
    outer = outer or peek(parcel)
    if outer.suite != hpke.SUITE:
        raise FormatError("envelope.suite", f"unknown suite {outer.suite[:60]!r}: update this node")
    private = recipient_keys.get(outer.recipient_key_id)
    if private is None:
        raise UnknownKeyError("envelope", f"sealed to the key {outer.recipient_key_id}, which is not held here")
    signed = hpke.open(private, bytes.fromhex(outer.header_digest), outer.ciphertext)
    if outer.version >= PADDED_FROM:
        signed = _unpadded(signed, len(parcel) - len(outer.ciphertext))
    parsed = dsse.parse(signed, "message")
    head, body = split(parsed.payload)
    if hashlib.sha256(head).hexdigest() != outer.header_digest:
        raise BindingError("header", "the signed header is not the one that the envelope was sealed with")
    return Unsealed(outer, signed, parsed, head, body)


def _unpadded(plain: bytes, opening: int) -> bytes:
    length = int.from_bytes(plain[:_LENGTH_BYTES], "big")
    end = _LENGTH_BYTES + length
    if len(plain) < end or len(plain) != _plain_size(opening, length) or plain.count(0, end) != len(plain) - end:
        raise OpeningError("ciphertext", "is not padded with zeros to its bucket")
    return plain[_LENGTH_BYTES:end]


def join(head: bytes, body: bytes) -> bytes:
    """What is signed: the head's length in 4 bytes, the head, the body."""
    return len(head).to_bytes(_LENGTH_BYTES, "big") + head + body


def split(content: bytes) -> tuple[bytes, bytes]:
    """Head and body of what was signed. Raises FormatError for a head that is cut or too long."""
    length = int.from_bytes(content[:_LENGTH_BYTES], "big")
    if len(content) < _LENGTH_BYTES + length or length > MAX_HEAD_BYTES:
        raise FormatError("message", "its header is cut, or too long")
    return content[_LENGTH_BYTES : _LENGTH_BYTES + length], content[_LENGTH_BYTES + length :]
