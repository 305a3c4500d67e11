"""Keys: pairs of a classical and a post-quantum key, so that breaking one of the two breaks nothing.

A *signing key* is Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204), each from a seed of 32 bytes; both signatures must
verify. A
*recipient key* opens what was sealed to it by HPKE with ML-KEM-768 (FIPS 203, a seed of 64 bytes) and X25519 (32
bytes); it lives at most 30 days (:mod:`palermo.sealing.directory`). How private keys rest on disk:
:mod:`palermo.sealing.keyfile`.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from palermo.sealing.errors import FormatError, SignatureError

Rng = Callable[[int], bytes]
"""Gives that many random bytes; ``os.urandom`` but in tests."""

ED25519 = "ed25519"
ML_DSA_65 = "ml-dsa-65"
_KEY_ID_BYTES = 16


class Signatures(NamedTuple):
    """One signature of each algorithm over the same message: 64 and 3,309 bytes."""

    ed25519: bytes
    ml_dsa_65: bytes


def key_id_of(public: bytes) -> str:
    """The id of a public key: the first 16 bytes of the SHA-256 of its encoding, in hex (32 characters)."""
    return hashlib.sha256(public).digest()[:_KEY_ID_BYTES].hex()


def fingerprint_of(data: bytes) -> str:
    """SHA-256 in hex, in groups of eight, for two people to compare aloud."""
    digest = hashlib.sha256(data).hexdigest()
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


@dataclass(frozen=True)
class VerifyKey:
    """The public half of a signing key: Ed25519 (32 bytes) and ML-DSA-65 (1,952 bytes)."""

    ed25519: bytes
    ml_dsa_65: bytes

    def __post_init__(self) -> None:
        """Refuse keys of another length."""
        if len(self.ed25519) != 32 or len(self.ml_dsa_65) != 1952:
            raise FormatError("verify key", "not 32 bytes of Ed25519 and 1,952 of ML-DSA-65")

    @cached_property
    def key_id(self) -> str:
        """Names the pair; 32 hex characters."""
        return key_id_of(self.to_bytes())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the pair, for people."""
        return fingerprint_of(self.to_bytes())

    @cached_property
    def _classical(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.ed25519)

    @cached_property
    def _post_quantum(self) -> MLDSA65PublicKey:
        return MLDSA65PublicKey.from_public_bytes(self.ml_dsa_65)

    def verify(self, message: bytes, signatures: Signatures) -> None:
        """Check both signatures over the message. Raises SignatureError naming the algorithm that failed."""
        for algorithm, key, signature in (
            (ED25519, self._classical, signatures.ed25519),
            (ML_DSA_65, self._post_quantum, signatures.ml_dsa_65),
        ):
            try:
                key.verify(signature, message)
            except InvalidSignature as error:
                raise SignatureError(
                    f"signature {algorithm}", f"does not verify under key {self.key_id}: damaged or forged"
                ) from error

    def to_bytes(self) -> bytes:
        """Both public keys, Ed25519 first: 1,984 bytes."""
        return self.ed25519 + self.ml_dsa_65

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:32], data[32:])


class Signer(Protocol):
    """Whatever signs for an identity: a :class:`SigningKey`, or one that never leaves its hardware module.

    Everything that signs accepts one; :mod:`palermo.sealing.keyuri` opens it by the key's URI.
    """

    @property
    def public(self) -> VerifyKey:
        """The pair that others verify with."""

    @property
    def key_id(self) -> str:
        """The id of the public pair."""

    def sign(self, message: bytes) -> Signatures:
        """Sign with both keys."""


@dataclass(frozen=True)
class SigningKey:
    """The private pair: two seeds of 32 bytes. Never printed."""

    ed25519_seed: bytes = field(repr=False)
    ml_dsa_65_seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse seeds of another length."""
        if len(self.ed25519_seed) != 32 or len(self.ml_dsa_65_seed) != 32:
            raise FormatError("signing key", "not two seeds of 32 bytes")

    @classmethod
    def generate(cls, rng: Rng = os.urandom) -> Self:
        """A new pair from 64 random bytes."""
        return cls(rng(32), rng(32))

    @cached_property
    def _classical(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.ed25519_seed)

    @cached_property
    def _post_quantum(self) -> MLDSA65PrivateKey:
        return MLDSA65PrivateKey.from_seed_bytes(self.ml_dsa_65_seed)

    @cached_property
    def public(self) -> VerifyKey:
        """The pair that others verify with."""
        return VerifyKey(
            self._classical.public_key().public_bytes_raw(), self._post_quantum.public_key().public_bytes_raw()
        )

    @property
    def key_id(self) -> str:
        """The id of the public pair."""
        return self.public.key_id

    def sign(self, message: bytes) -> Signatures:
        """Sign with both keys. ML-DSA is hedged: signing twice gives two different, equally good signatures."""
        return Signatures(self._classical.sign(message), self._post_quantum.sign(message))

    def to_bytes(self) -> bytes:
        """Both seeds: 64 secret bytes."""
        return self.ed25519_seed + self.ml_dsa_65_seed

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:32], data[32:])


@dataclass(frozen=True)
class RecipientPublicKey:
    """What others seal to: ML-KEM-768 (1,184 bytes) and X25519 (32 bytes)."""

    ml_kem_768: bytes
    x25519: bytes

    def __post_init__(self) -> None:
        """Refuse keys of another length."""
        if len(self.ml_kem_768) != 1184 or len(self.x25519) != 32:
            raise FormatError("recipient key", "not 1,184 bytes of ML-KEM-768 and 32 of X25519")

    @cached_property
    def key_id(self) -> str:
        """Names the pair; 32 hex characters."""
        return key_id_of(self.to_bytes())

    @cached_property
    def hybrid(self) -> MLKEM768X25519PublicKey:
        """The key as the HPKE library wants it. Raises FormatError for bytes that are no such key."""
        try:
            kem = MLKEM768PublicKey.from_public_bytes(self.ml_kem_768)
            return MLKEM768X25519PublicKey(kem, X25519PublicKey.from_public_bytes(self.x25519))
        except ValueError as error:
            raise FormatError("recipient key", "no ML-KEM-768 key with these bytes") from error

    def to_bytes(self) -> bytes:
        """Both public keys, ML-KEM first: 1,216 bytes."""
        return self.ml_kem_768 + self.x25519

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:1184], data[1184:])


@dataclass(frozen=True)
class RecipientKey:
    """The private pair that opens: an ML-KEM-768 seed of 64 bytes and an X25519 key of 32. Never printed."""

    ml_kem_768_seed: bytes = field(repr=False)
    x25519_key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse secrets of another length."""
        if len(self.ml_kem_768_seed) != 64 or len(self.x25519_key) != 32:
            raise FormatError("recipient key", "not 64 bytes of ML-KEM-768 seed and 32 of X25519")

    @classmethod
    def generate(cls, rng: Rng = os.urandom) -> Self:
        """A new pair from 96 random bytes."""
        return cls(rng(64), rng(32))

    @cached_property
    def _parts(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        return (
            MLKEM768PrivateKey.from_seed_bytes(self.ml_kem_768_seed),
            X25519PrivateKey.from_private_bytes(self.x25519_key),
        )

    @property
    def hybrid(self) -> MLKEM768X25519PrivateKey:
        """The key as the HPKE library wants it."""
        return MLKEM768X25519PrivateKey(*self._parts)

    @cached_property
    def public(self) -> RecipientPublicKey:
        """The pair that others seal to."""
        kem, dh = self._parts
        return RecipientPublicKey(kem.public_key().public_bytes_raw(), dh.public_key().public_bytes_raw())

    @property
    def key_id(self) -> str:
        """The id of the public pair."""
        return self.public.key_id

    def to_bytes(self) -> bytes:
        """Both secrets: 96 bytes."""
        return self.ml_kem_768_seed + self.x25519_key

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:64], data[64:])
