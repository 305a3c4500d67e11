"""DSSE v1: a signature over exact bytes and their type, in a JSON envelope.

One key signs, with both of its algorithms, so an envelope holds exactly two signatures, Ed25519 first. Both must
verify: a third one, or one that is unknown or fails, refuses the envelope even where the others suffice. What is
signed is PAE(type, payload), so a payload cannot be passed off as another type.

Source: the DSSE protocol, https://github.com/secure-systems-lab/dsse (version 1.0.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from palermo.sealing import records
from palermo.sealing.errors import FormatError, UnknownKeyError
from palermo.sealing.keys import ED25519, ML_DSA_65, Signatures, SigningKey, VerifyKey

MAX_PAYLOAD_BYTES = 64 << 20
MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES * 4 // 3 + 131072
MAX_SIGNERS = 16


@dataclass(frozen=True)
class Unverified:
    """An envelope that was parsed, nothing more: what it claims to be. Trust none of it."""

    payload_type: str
    payload: bytes
    key_id: str
    signatures: Signatures


@dataclass(frozen=True)
class Verified:
    """A payload whose two signatures verify under the key ``key_id``."""

    payload_type: str
    payload: bytes
    key_id: str


@dataclass(frozen=True)
class _Signature:
    keyid: str
    sig: bytes


@dataclass(frozen=True)
class _Envelope:
    payload: bytes
    payloadType: str  # noqa: N815 - spelt so in the standard
    signatures: tuple[_Signature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: ``DSSEv1 LEN(type) type LEN(body) body``, lengths in decimal bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, key: SigningKey) -> bytes:
    """Sign a payload. Raises FormatError when it is longer than 64 MiB."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError("signed envelope", f"a payload of {len(payload)} bytes is too long: send it as a file")
    ed25519, ml_dsa_65 = key.sign(pae(payload_type, payload))
    signatures = (_Signature(f"{key.key_id}.{ED25519}", ed25519), _Signature(f"{key.key_id}.{ML_DSA_65}", ml_dsa_65))
    return records.to_bytes(_Envelope(payload, payload_type, signatures))


def parse(envelope: bytes, part: str = "signed envelope") -> Unverified:
    """Read an envelope without verifying it, for instance to learn whose keys to look up. Raises FormatError."""
    parsed = records.from_bytes(_Envelope, envelope, part, max_bytes=MAX_ENVELOPE_BYTES)
    ids = [signature.keyid.rpartition(".") for signature in parsed.signatures]
    if [algorithm for _, _, algorithm in ids] != [ED25519, ML_DSA_65] or ids[0][0] != ids[1][0]:
        raise FormatError(part, "not exactly one Ed25519 and one ML-DSA-65 signature of one key, in this order")
    signatures = Signatures(*(signature.sig for signature in parsed.signatures))
    return Unverified(parsed.payloadType, parsed.payload, ids[0][0], signatures)


def verify(
    envelope: bytes, keys: Mapping[str, VerifyKey], *, payload_type: str | None = None, part: str = "signed envelope"
) -> Verified:
    """Parse and verify an envelope under one of the keys, given by key id.

    Raises FormatError (malformed, or not of ``payload_type`` where that is given), UnknownKeyError (a signer outside
    ``keys``), SignatureError (names the algorithm that failed). ``part`` names the envelope in errors.
    """
    return verify_parsed(parse(envelope, part), keys, payload_type=payload_type, part=part)


def verify_parsed(
    parsed: Unverified, keys: Mapping[str, VerifyKey], *, payload_type: str | None = None, part: str = "signed envelope"
) -> Verified:
    """Verify an envelope that :func:`parse` read, with the errors of :func:`verify`."""
    if payload_type is not None and parsed.payload_type != payload_type:
        raise FormatError(part, f"is of type {parsed.payload_type[:80]!r}, not {payload_type!r}")
    key = keys.get(parsed.key_id)
    if key is None:
        raise UnknownKeyError(part, f"signed by the key {parsed.key_id[:40]!r}, which is not among the signer's keys")
    key.verify(pae(parsed.payload_type, parsed.payload), parsed.signatures)
    return Verified(parsed.payload_type, parsed.payload, parsed.key_id)


def by_id(*keys: VerifyKey) -> dict[str, VerifyKey]:
    """Keys by their id, as :func:`verify` wants them."""
    return {key.key_id: key for key in keys}
