"""Cosignatures: a witness's signed statement about another's checkpoint (C2SP tlog-cosignature, signed-note).

A cosignature says: at this time, the largest consistent tree that I have seen of that log has this size and root. Each
witness signs twice, as two lines of a signed note under its name, in this order:

1. Ed25519 (type 0x04) over ``cosignature/v1``, the time and the note's text.
2. ML-DSA-44 (type 0x06) over the structure ``cosigned_message``, which also commits to the witness's name.

Both must verify, and both carry the same time in whole seconds. The lines are kept beside the checkpoint; put behind
it, they give the cosigned note that any client of the standard reads.
"""

import hashlib
import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from palermo.sealing import canonical
from palermo.sealing.checkpoint import ORIGIN, Checkpoint, note_body, parse_checkpoint
from palermo.sealing.errors import FormatError, SignatureError, UnknownKeyError
from palermo.sealing.keys import ED25519, Rng, key_id_of

ML_DSA_44 = "ml-dsa-44"
MAX_LINES_BYTES = 8192
"""How long one witness's two lines may be: names of 200 characters, 76 and 2,432 bytes in base64."""

_ED25519_TYPE, _ML_DSA_44_TYPE = b"\x04", b"\x06"
_ED25519_BYTES, _ML_DSA_44_BYTES = 64, 2420
_LABEL = b"subtree/v1\n\0"
_LINES = re.compile(r"— ([^ \n]*) ([^ \n]*)\n— ([^ \n]*) ([^ \n]*)\n")
_LATEST = 253402300799  # the last second of the year 9999: what a datetime can carry


@dataclass(frozen=True)
class CosignerPublicKey:
    """What a witness is known by: Ed25519 (32 bytes) and ML-DSA-44 (1,312 bytes)."""

    ed25519: bytes
    ml_dsa_44: bytes

    def __post_init__(self) -> None:
        """Refuse keys of another length."""
        if len(self.ed25519) != 32 or len(self.ml_dsa_44) != 1312:
            raise FormatError("cosigner key", "not 32 bytes of Ed25519 and 1,312 of ML-DSA-44")

    @cached_property
    def key_id(self) -> str:
        """Names the pair; 32 hex characters."""
        return key_id_of(self.to_bytes())

    def note_key_ids(self, name: str) -> tuple[bytes, bytes]:
        """C2SP's four-byte ids under that name: SHA-256(name ‖ newline ‖ type ‖ public key), Ed25519 first."""
        head = name.encode() + b"\n"
        ed25519 = hashlib.sha256(head + _ED25519_TYPE + self.ed25519).digest()[:4]
        return ed25519, hashlib.sha256(head + _ML_DSA_44_TYPE + self.ml_dsa_44).digest()[:4]

    def verify(self, checkpoint: Checkpoint, name: str, seconds: int, signatures: tuple[bytes, bytes]) -> None:
        """Check both signatures over a checkpoint, Ed25519 first. Raises SignatureError naming the one that fails."""
        try:
            part = ED25519
            Ed25519PublicKey.from_public_bytes(self.ed25519).verify(signatures[0], _note_message(checkpoint, seconds))
            part = ML_DSA_44
            message = _subtree_message(checkpoint, name, seconds)
            MLDSA44PublicKey.from_public_bytes(self.ml_dsa_44).verify(signatures[1], message)
        except InvalidSignature as error:
            raise SignatureError(
                f"cosignature {part}", f"of {name} does not verify under key {self.key_id}: damaged or forged"
            ) from error

    def to_bytes(self) -> bytes:
        """Both public keys, Ed25519 first: 1,344 bytes."""
        return self.ed25519 + self.ml_dsa_44

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:32], data[32:])


@dataclass(frozen=True)
class CosignerKey:
    """A witness's private pair: two seeds of 32 bytes. Never printed.

    It is used for nothing but cosignatures: its Ed25519 message does not commit to a name (C2SP tlog-cosignature).
    """

    ed25519_seed: bytes = field(repr=False)
    ml_dsa_44_seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse seeds of another length."""
        if len(self.ed25519_seed) != 32 or len(self.ml_dsa_44_seed) != 32:
            raise FormatError("cosigner key", "not two seeds of 32 bytes")

    @classmethod
    def generate(cls, rng: Rng = os.urandom) -> Self:
        """A new pair from 64 random bytes."""
        return cls(rng(32), rng(32))

    @cached_property
    def _classical(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.ed25519_seed)

    @cached_property
    def _post_quantum(self) -> MLDSA44PrivateKey:
        return MLDSA44PrivateKey.from_seed_bytes(self.ml_dsa_44_seed)

    @cached_property
    def public(self) -> CosignerPublicKey:
        """The pair that others verify with."""
        return CosignerPublicKey(
            self._classical.public_key().public_bytes_raw(), self._post_quantum.public_key().public_bytes_raw()
        )

    @property
    def key_id(self) -> str:
        """The id of the public pair."""
        return self.public.key_id

    def sign(self, checkpoint: Checkpoint, name: str, seconds: int) -> tuple[bytes, bytes]:
        """Both signatures over a checkpoint, Ed25519 first: 64 and 2,420 bytes."""
        return (
            self._classical.sign(_note_message(checkpoint, seconds)),
            self._post_quantum.sign(_subtree_message(checkpoint, name, seconds)),
        )

    def to_bytes(self) -> bytes:
        """Both seeds: 64 secret bytes."""
        return self.ed25519_seed + self.ml_dsa_44_seed

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read :meth:`to_bytes`. Raises FormatError for another length."""
        return cls(data[:32], data[32:])


def cosign(checkpoint_text: str, name: str, key: CosignerKey, at: datetime) -> str:
    """The witness's two signature lines for a checkpoint, at a time that is cut to whole seconds.

    The caller has verified the checkpoint and its consistency with all it cosigned before. Raises FormatError for a
    text that is no checkpoint, and for a name that no note may carry.
    """
    if not ORIGIN.fullmatch(name):
        raise FormatError("cosigner name", "must be 1 to 200 visible ASCII characters without plus")
    checkpoint = parse_checkpoint(checkpoint_text)
    seconds = int(at.timestamp())
    return _write(name, key.public, seconds, key.sign(checkpoint, name, seconds))


def verify_cosignature(checkpoint_text: str, lines: str, name: str, key: CosignerPublicKey) -> datetime:
    """Check a witness's two lines for a checkpoint, and give the time (UTC) that they state.

    Raises FormatError for anything but the exact form, UnknownKeyError for lines of another witness or key, and
    SignatureError. The checkpoint's own signatures are the caller's to verify.
    """
    checkpoint = parse_checkpoint(checkpoint_text)
    seconds, signatures, ids = _parse(lines, name)
    if ids != key.note_key_ids(name):
        raise UnknownKeyError("cosignature", f"of {name} is not by its key {key.key_id}")
    key.verify(checkpoint, name, seconds, signatures)
    return datetime.fromtimestamp(seconds, UTC)


def _note_message(checkpoint: Checkpoint, seconds: int) -> bytes:
    body = note_body(checkpoint.origin, checkpoint.size, checkpoint.root)
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def _subtree_message(checkpoint: Checkpoint, name: str, seconds: int) -> bytes:
    """``cosigned_message`` in the encoding of RFC 8446 section 3: texts of one length byte, numbers of eight bytes."""
    cosigner, origin = name.encode(), checkpoint.origin.encode()
    return b"".join(
        (
            _LABEL,
            len(cosigner).to_bytes(1, "big") + cosigner,
            seconds.to_bytes(8, "big"),
            len(origin).to_bytes(1, "big") + origin,
            bytes(8),  # the subtree of a checkpoint starts at the first leaf
            checkpoint.size.to_bytes(8, "big"),
            checkpoint.root,
        )
    )


def _write(name: str, key: CosignerPublicKey, seconds: int, signatures: tuple[bytes, bytes]) -> str:
    blobs = (
        key_id + seconds.to_bytes(8, "big") + signature
        for key_id, signature in zip(key.note_key_ids(name), signatures, strict=True)
    )
    return "".join(f"— {name} {canonical.encode_base64(blob)}\n" for blob in blobs)


def _parse(lines: str, name: str) -> tuple[int, tuple[bytes, bytes], tuple[bytes, bytes]]:
    """Time in seconds, signatures and key ids of two lines under that name."""
    match = _LINES.fullmatch(lines) if len(lines) <= MAX_LINES_BYTES else None
    if match is None:
        raise FormatError("cosignature", "not two signature lines of a note")
    if match[1] != name or match[3] != name:
        raise UnknownKeyError("cosignature", f"is not under the name {name}")
    first, second = (canonical.decode_base64(match[number], "cosignature") for number in (2, 4))
    if len(first) != 12 + _ED25519_BYTES or len(second) != 12 + _ML_DSA_44_BYTES:
        raise FormatError("cosignature", "not an Ed25519 and an ML-DSA-44 signature, each with key id and time")
    seconds = int.from_bytes(first[4:12], "big")
    if first[4:12] != second[4:12] or not 0 < seconds <= _LATEST:
        raise FormatError("cosignature", "its two lines state different times, or none that a calendar has")
    return seconds, (first[12:], second[12:]), (first[:4], second[:4])
