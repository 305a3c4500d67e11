"""A large file, sealed: one age file under an identity made for it alone, read and written as a stream.

The identity's secret travels only inside a message that HPKE seals, so the file is as strong as the hybrid key
exchange of that message, whatever its size. Two forms:

- :func:`seal_file` and :func:`open_file`: the age file by itself, for a node that sends it in pieces and puts the
  identity into a message. One pass gives the digests of the plaintext and of every piece.
- :func:`seal_for` and :func:`open_sealed`: one file that carries its own HPKE-sealed identity in a head of
  :data:`HEAD_BYTES`, to be handed to a person. Nobody signs it: what lies within has to prove where it comes from.

Whatever is written appears under its name whole or not at all. Memory does not grow with the file. Formats:
age-encryption.org/v1 (C2SP ``age.md``; X25519 recipient, ChaCha20-Poly1305 in chunks of 64 KiB) and
:mod:`palermo.sealing.hpke`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from palermo.sealing import age, hpke, records
from palermo.sealing.age import Contents, Progress, Reader
from palermo.sealing.errors import FormatError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey

__all__ = ["Contents", "OpenedFile", "Progress", "SealedFile", "open_file", "open_sealed", "seal_file", "seal_for"]

PIECE_BYTES = (3 << 20) - (16 << 10)
"""Sealed as a letter, with signature and base64 around it, a piece fills a parcel of 4 MiB."""
HEAD_BYTES = 4096
DIGEST_BYTES = 32
LONGEST_NAME = 200

_MAGIC = b"palermo-sealed-file/1\n"
_INNER_BYTES = 1024


@dataclass(frozen=True)
class SealedFile:
    """An age file that was just written.

    ``pieces``: the SHA-256 of each piece of ``piece_bytes`` bytes (the last may be shorter), 32 bytes each, joined.
    ``identity``: opens it; it may leave this process only inside a sealed message.
    """

    contents: Contents
    sealed_size: int
    piece_bytes: int
    pieces: bytes
    identity: str = field(repr=False)


@dataclass(frozen=True)
class _Clear:
    """What anyone can read of a file made by :func:`seal_for`."""

    recipient_key_id: str
    suite: str
    sealed: bytes


@dataclass(frozen=True)
class _Inner:
    """What its recipient alone can read of the head."""

    identity: str
    name: str
    contents: Contents


@dataclass(frozen=True)
class OpenedFile:
    """A file that opened whole, with the name that its sealer gave it."""

    name: str
    contents: Contents


def seal_file(
    source: Path,
    target: Path,
    *,
    identity: str = "",
    piece_bytes: int = PIECE_BYTES,
    progress: Progress | None = None,
) -> SealedFile:
    """Encrypt a file into a new age file, under an identity made for it before (``age.new_identity``) or a fresh one.

    Raises FormatError for what is no identity, OSError; then there is no ``target``.
    """
    with source.open("rb") as plain, age.whole(target) as file:
        sink = age.CuttingSink(file, piece_bytes)
        contents, identity = age.encrypt(plain, sink, identity=identity, progress=progress)
        pieces = sink.end()
    return SealedFile(contents, sink.size, piece_bytes, pieces, identity)


def open_file(
    sealed: Reader, target: Path, identity: str, expected: Contents, *, progress: Progress | None = None
) -> None:
    """Decrypt an age file to ``target``, if it holds exactly what is expected.

    Raises OpeningError (changed, cut or continued; another identity), BindingError (whole, but another content),
    FormatError (no identity), OSError. Then there is no ``target``.
    """
    age.decrypt(sealed, target, identity, expected, progress=progress)


def seal_for(
    recipient_public: RecipientPublicKey,
    source: Path,
    target: Path,
    *,
    name: str = "",
    progress: Progress | None = None,
) -> Contents:
    """Encrypt a file for one recipient key into one file that carries all that this key needs to open it.

    ``name``: what to call the file when it is opened; the source's own if not given. Raises FormatError (too long a
    name), OSError.
    """
    name = name or source.name
    if len(name) > LONGEST_NAME:
        raise FormatError("sealed file", f"its name has {len(name)} characters; {LONGEST_NAME} are allowed")
    with source.open("rb") as plain, age.whole(target) as file:
        file.write(bytes(HEAD_BYTES))
        contents, identity = age.encrypt(plain, age.Sink(file), progress=progress)
        file.seek(0)
        file.write(_head(recipient_public, _Inner(identity, name, contents)))
    return contents


def open_sealed(
    source: Path, target: Path, keys: Mapping[str, RecipientKey], *, progress: Progress | None = None
) -> OpenedFile:
    """Open what :func:`seal_for` made, with one of these keys (by id).

    Raises FormatError (no such file), UnknownKeyError (sealed to a key that is not held), OpeningError, BindingError,
    OSError. Then there is no ``target``.
    """
    with source.open("rb") as file:
        inner = _open_head(file.read(HEAD_BYTES), keys)
        open_file(file, target, inner.identity, inner.contents, progress=progress)
    return OpenedFile(inner.name, inner.contents)


def recipient_key_id_of(source: Path) -> str:
    """The id of the key that a file made by :func:`seal_for` opens with. Raises FormatError, OSError."""
    with source.open("rb") as file:
        return _parse_head(file.read(HEAD_BYTES)).recipient_key_id


# --- the head -------------------------------------------------------------------------------


def _info(key_id: str) -> bytes:
    return hashlib.sha256(_MAGIC + f"{key_id}\n{hpke.SUITE}\n".encode()).digest()


def _head(public: RecipientPublicKey, inner: _Inner) -> bytes:
    """The head, of one length whatever the name and size are."""
    plain = records.to_bytes(inner)
    if len(plain) > _INNER_BYTES:
        raise FormatError("sealed file", "its name is too long: use plain letters, or fewer")
    sealed = hpke.seal(public, _info(public.key_id), plain.ljust(_INNER_BYTES, b"\0"))
    return (_MAGIC + records.to_bytes(_Clear(public.key_id, hpke.SUITE, sealed)) + b"\n").ljust(HEAD_BYTES, b"\0")


def _parse_head(head: bytes) -> _Clear:
    if len(head) != HEAD_BYTES or not head.startswith(_MAGIC):
        raise FormatError("sealed file", "does not start as a sealed file of version 1")
    line, newline, padding = head[len(_MAGIC) :].partition(b"\n")
    if not newline or padding.strip(b"\0"):
        raise FormatError("sealed file", "its head does not end as it should")
    clear = records.from_bytes(_Clear, line, "sealed file")
    if clear.suite != hpke.SUITE:
        raise FormatError("sealed file", f"unknown suite {clear.suite[:60]!r}: open it with a newer version")
    return clear


def _open_head(head: bytes, keys: Mapping[str, RecipientKey]) -> _Inner:
    clear = _parse_head(head)
    private = keys.get(clear.recipient_key_id)
    if private is None:
        named = ascii(clear.recipient_key_id[:64])
        raise UnknownKeyError("sealed file", f"is sealed to the key {named}, which is not held here")
    plain = hpke.open(private, _info(clear.recipient_key_id), clear.sealed)
    inner = records.from_bytes(_Inner, plain.rstrip(b"\0"), "sealed file")
    if len(plain) != _INNER_BYTES or len(inner.name) > LONGEST_NAME:
        raise FormatError("sealed file", "what its head holds is not as long as it should be")
    return inner
