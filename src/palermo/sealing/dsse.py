"""DSSE v1: signatures over exact bytes and their type, in a JSON envelope.

A key signs with both of its algorithms, so each signer adds exactly two signatures, Ed25519 first. Signers stand in
the order of their key ids, each once. Every signature must verify under a known key: one too many, one that is unknown
or fails, refuses the envelope even where the others suffice. What is signed is PAE(type, payload), so a payload cannot
be passed off as another type.

Most envelopes have one signer (:func:`verify`). What several sign together (:func:`verify_all`): the directory and the
trust root.

Source: the DSSE protocol, https://github.com/secure-systems-lab/dsse (version 1.0.2).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from palermo.sealing import records
from palermo.sealing.errors import FormatError, TrustError, UnknownKeyError
from palermo.sealing.keys import ED25519, ML_DSA_65, Signatures, Signer, VerifyKey

MAX_PAYLOAD_BYTES = 64 << 20
MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES * 4 // 3 + 131072
MAX_SIGNERS = 16


@dataclass(frozen=True)
class UnverifiedAll:
    """An envelope that was parsed, nothing more. ``signers``: each key id with its two signatures, in order."""

    payload_type: str
    payload: bytes
    signers: tuple[tuple[str, Signatures], ...]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Who claims to have signed, in order."""
        return tuple(key_id for key_id, _ in self.signers)


@dataclass(frozen=True)
class VerifiedAll:
    """A payload, and the ids of the keys of which both signatures verify, in order: all that the envelope holds."""

    payload_type: str
    payload: bytes
    key_ids: tuple[str, ...]


@dataclass(frozen=True)
class Unverified:
    """An envelope of one signer that was parsed, nothing more: what it claims to be. Trust none of it."""

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


def sign(payload_type: str, payload: bytes, key: Signer) -> bytes:
    """Sign a payload. Raises FormatError when it is longer than 64 MiB."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise FormatError("signed envelope", f"a payload of {len(payload)} bytes is too long: send it as a file")
    return _write(payload_type, payload, [(key.key_id, key.sign(pae(payload_type, payload)))])


def add_signature(envelope: bytes, key: Signer, part: str = "signed envelope") -> bytes:
    """The same payload with one more signer. Raises FormatError, and TrustError when the key signed it already.

    Verify the envelope first: what stands in it is taken over as it is.
    """
    parsed = parse_all(envelope, part)
    if key.key_id in parsed.key_ids:
        raise TrustError(part, f"is signed by the key {key.key_id} already")
    if len(parsed.signers) == MAX_SIGNERS:
        raise TrustError(part, f"has {MAX_SIGNERS} signers, and may have no more")
    own = (key.key_id, key.sign(pae(parsed.payload_type, parsed.payload)))
    return _write(parsed.payload_type, parsed.payload, [*parsed.signers, own])


def _write(payload_type: str, payload: bytes, signers: Iterable[tuple[str, Signatures]]) -> bytes:
    signatures = tuple(
        _Signature(f"{key_id}.{algorithm}", signature)
        for key_id, pair in sorted(signers)
        for algorithm, signature in zip((ED25519, ML_DSA_65), pair, strict=True)
    )
    return records.to_bytes(_Envelope(payload, payload_type, signatures))


def parse_all(envelope: bytes, part: str = "signed envelope") -> UnverifiedAll:
    """Read an envelope of any number of signers, from 1 to 16, without verifying it. Raises FormatError."""
    parsed = records.from_bytes(_Envelope, envelope, part, max_bytes=MAX_ENVELOPE_BYTES)
    pairs = list(zip(parsed.signatures[::2], parsed.signatures[1::2], strict=False))
    if not 1 <= len(pairs) <= MAX_SIGNERS or len(parsed.signatures) % 2:
        raise FormatError(part, f"not two signatures by each of 1 to {MAX_SIGNERS} signers")
    signers = tuple((_signer(first, second, part), Signatures(first.sig, second.sig)) for first, second in pairs)
    ids = [key_id for key_id, _ in signers]
    if ids != sorted(set(ids)):
        raise FormatError(part, "its signers do not stand in the order of their key ids, each once")
    return UnverifiedAll(parsed.payloadType, parsed.payload, signers)


def _signer(first: _Signature, second: _Signature, part: str) -> str:
    """The key id that two signatures share."""
    ids = [signature.keyid.rpartition(".") for signature in (first, second)]
    if [algorithm for _, _, algorithm in ids] != [ED25519, ML_DSA_65] or ids[0][0] != ids[1][0]:
        raise FormatError(part, "not exactly one Ed25519 and one ML-DSA-65 signature of one key, in this order")
    return ids[0][0]


def parse(envelope: bytes, part: str = "signed envelope") -> Unverified:
    """Read an envelope of one signer without verifying it, for instance to learn whose keys to look up.

    Raises FormatError.
    """
    parsed = parse_all(envelope, part)
    if len(parsed.signers) != 1:
        raise FormatError(part, "not exactly one Ed25519 and one ML-DSA-65 signature of one key, in this order")
    ((key_id, signatures),) = parsed.signers
    return Unverified(parsed.payload_type, parsed.payload, key_id, signatures)


def verify(
    envelope: bytes, keys: Mapping[str, VerifyKey], *, payload_type: str | None = None, part: str = "signed envelope"
) -> Verified:
    """Parse and verify an envelope of one signer under one of the keys, given by key id.

    Raises FormatError (malformed, or not of ``payload_type`` where that is given), UnknownKeyError (a signer outside
    ``keys``), SignatureError (names the algorithm that failed). ``part`` names the envelope in errors.
    """
    return verify_parsed(parse(envelope, part), keys, payload_type=payload_type, part=part)


def verify_parsed(
    parsed: Unverified, keys: Mapping[str, VerifyKey], *, payload_type: str | None = None, part: str = "signed envelope"
) -> Verified:
    """Verify an envelope that :func:`parse` read, with the errors of :func:`verify`."""
    signers = ((parsed.key_id, parsed.signatures),)
    _verify(UnverifiedAll(parsed.payload_type, parsed.payload, signers), keys, payload_type, part)
    return Verified(parsed.payload_type, parsed.payload, parsed.key_id)


def verify_all(
    envelope: bytes, keys: Mapping[str, VerifyKey], *, payload_type: str, part: str = "signed envelope"
) -> VerifiedAll:
    """Parse and verify an envelope of several signers: each is one of the keys, and every signature verifies.

    How many must sign is the caller's to say. Errors are those of :func:`verify`.
    """
    parsed = parse_all(envelope, part)
    _verify(parsed, keys, payload_type, part)
    return VerifiedAll(parsed.payload_type, parsed.payload, parsed.key_ids)


def _verify(parsed: UnverifiedAll, keys: Mapping[str, VerifyKey], payload_type: str | None, part: str) -> None:
    if payload_type is not None and parsed.payload_type != payload_type:
        raise FormatError(part, f"is of type {parsed.payload_type[:80]!r}, not {payload_type!r}")
    for key_id in parsed.key_ids:
        if key_id not in keys:
            raise UnknownKeyError(part, f"signed by the key {key_id[:40]!r}, which is not among the signer's keys")
    message = pae(parsed.payload_type, parsed.payload)
    for key_id, signatures in parsed.signers:
        keys[key_id].verify(message, signatures)


def by_id(*keys: VerifyKey) -> dict[str, VerifyKey]:
    """Keys by their id, as :func:`verify` wants them."""
    return {key.key_id: key for key in keys}
