"""Checkpoints: a log's signed statement of its size and root (C2SP tlog-checkpoint, a signed note).

The log signs with its authority's signing key, so a checkpoint has exactly two signature lines, in this order:

1. Ed25519 as C2SP signed-note defines it (type 0x01): any C2SP client verifies a checkpoint by this line alone.
2. ML-DSA-65 over the same text. C2SP assigns that algorithm no type (its ML-DSA-44 is for witnesses), so it has
type 0xff and the name in :data:`ML_DSA_65_TYPE`.

Both must verify. A text that carries other lines, such as a witness's, is refused here: witnesses' lines are kept
beside it. A note starts with its origin, which holds no space; DSSE signs ``DSSEv1 ...``: neither can pass for the
other.
"""

import hashlib
import re
from dataclasses import dataclass

from palermo.sealing import canonical
from palermo.sealing.errors import FormatError, TrustError, UnknownKeyError
from palermo.sealing.keys import Signatures, Signer, VerifyKey
from palermo.sealing.merkle import HASH_BYTES

ML_DSA_65_TYPE = b"\xffpalermo/note/ml-dsa-65"
MAX_CHECKPOINT_BYTES = 8192
_ED25519_TYPE = b"\x01"
ORIGIN = re.compile(r"[!-*,-~]{1,200}")  # visible ASCII but "+"
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_NOTE = re.compile(r"([^\n]*)\n([^\n]*)\n([^\n]*)\n\n— ([^ \n]*) ([^ \n]*)\n— ([^ \n]*) ([^ \n]*)\n")


@dataclass(frozen=True)
class Checkpoint:
    """A log's size (number of leaves) and root. ``text`` is the signed note, kept verbatim."""

    origin: str
    size: int
    root: bytes
    text: str


def sign_checkpoint(origin: str, size: int, root: bytes, key: Signer) -> str:
    """The signed note for a log of that size and root. Raises FormatError for an origin that is not plain ASCII."""
    body = note_body(origin, size, root)
    signatures = key.sign(body.encode())
    return _write(origin, body, key.public, signatures)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint without verifying it. Raises FormatError for anything but the exact form."""
    return _parse(text)[0]


def verify_checkpoint(text: str, *keys: VerifyKey, origin: str | None = None) -> Checkpoint:
    """Read a checkpoint and verify both signatures under one of the log's keys.

    Raises FormatError, UnknownKeyError (signed by none of the keys), SignatureError, and TrustError when the
    checkpoint is that of another log than ``origin``.
    """
    checkpoint, lines = _parse(text)
    if origin is not None and checkpoint.origin != origin:
        raise TrustError("checkpoint", f"is that of the log {checkpoint.origin!r}, not of {origin!r}")
    for key in keys:
        if [line[:4] for line in lines] == note_key_ids(checkpoint.origin, key):
            body = note_body(checkpoint.origin, checkpoint.size, checkpoint.root)
            key.verify(body.encode(), Signatures(lines[0][4:], lines[1][4:]))
            return checkpoint
    raise UnknownKeyError("checkpoint", f"of {checkpoint.origin} is not signed by a known key of that log")


def note_body(origin: str, size: int, root: bytes) -> str:
    """What a checkpoint's signatures cover: origin, size and root, a line each. Raises FormatError."""
    if not ORIGIN.fullmatch(origin):
        raise FormatError("checkpoint origin", "must be 1 to 200 visible ASCII characters without plus")
    if not 0 <= size < canonical.MAX_INTEGER or len(root) != HASH_BYTES:
        raise FormatError("checkpoint", "its size or root is out of range")
    return f"{origin}\n{size}\n{canonical.encode_base64(root)}\n"


def _write(origin: str, body: str, key: VerifyKey, signatures: Signatures) -> str:
    lines = (
        f"— {origin} {canonical.encode_base64(key_id + signature)}\n"
        for key_id, signature in zip(note_key_ids(origin, key), signatures, strict=True)
    )
    return body + "\n" + "".join(lines)


def note_key_ids(origin: str, key: VerifyKey) -> list[bytes]:
    """C2SP's four-byte ids: SHA-256(name ‖ newline ‖ type ‖ public key), for both halves of the pair."""
    parts = (_ED25519_TYPE + key.ed25519, ML_DSA_65_TYPE + key.ml_dsa_65)
    return [hashlib.sha256(origin.encode() + b"\n" + part).digest()[:4] for part in parts]


def _parse(text: str) -> tuple[Checkpoint, list[bytes]]:
    """A checkpoint and its two lines (key id, then signature), which the caller must check."""
    match = _NOTE.fullmatch(text) if len(text) <= MAX_CHECKPOINT_BYTES else None
    if match is None or not _SIZE.fullmatch(match[2]):
        raise FormatError("checkpoint", "not a note of origin, size, root and two signature lines")
    origin, size, root = match[1], int(match[2]), canonical.decode_base64(match[3], "checkpoint root")
    if match[4] != origin or match[6] != origin:
        raise FormatError("checkpoint", "signed under another name than its origin")
    lines = [canonical.decode_base64(match[number], "checkpoint signature") for number in (5, 7)]
    if not text.startswith(note_body(origin, size, root)):
        raise FormatError("checkpoint", "not written as we write it")
    return Checkpoint(origin, size, root, text), lines
