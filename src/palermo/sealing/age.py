"""Streams of age: a file encrypted or decrypted in one pass, digested on the way, whole on disk or not at all.

pyrage does the format (age-encryption.org/v1, C2SP ``age.md``: X25519 recipient, ChaCha20-Poly1305 in chunks of 64
KiB). What this module adds: memory that does not grow with the file, digests of both sides in the same pass, errors
that say which side failed, and nothing left of a plaintext that did not verify to its last byte.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage

from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import BindingError, FormatError, OpeningError

IDENTITY = re.compile(r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}")
_HEX_256, _HEX_512 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")

Progress = Callable[[int], None]
"""Told how many bytes of plaintext are done. What it raises ends the work and leaves nothing."""


class Reader(Protocol):
    """Anything that gives its bytes in order."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


@dataclass(frozen=True)
class Contents:
    """What a file holds: its size in bytes, SHA-256 and SHA-512 in hex. Raises FormatError for what cannot be."""

    size: int
    sha256: str
    sha512: str

    def __post_init__(self) -> None:
        """Refuse what no file has."""
        if self.size < 0 or not _HEX_256.fullmatch(self.sha256) or not _HEX_512.fullmatch(self.sha512):
            raise FormatError("sealed file", "its size and digests are none that a file can have")


def new_identity() -> str:
    """A secret that opens one file, before that file is encrypted to it."""
    return str(pyrage.x25519.Identity.generate())


def encrypt(
    source: Reader, sink: "Sink", *, identity: str = "", progress: Progress | None = None
) -> tuple[Contents, str]:
    """Encrypt to an identity, or to a fresh one. Returns what the source held, and the identity that opens the result.

    Raises FormatError for what is no identity.
    """
    identity = identity or new_identity()
    reader = _Taking(source, progress)
    _run(pyrage.encrypt_io, reader, sink, [_key(identity).to_public()])
    return reader.contents, identity


def decrypt(
    source: Reader, target: Path, identity: str, expected: Contents, *, progress: Progress | None = None
) -> None:
    """Decrypt to a new file, if it holds exactly what is expected. Errors as :func:`sealed_file.open_file` has them."""
    key = _key(identity)
    with whole(target) as file:
        writer = _Checking(file, expected.size, progress)
        _run(pyrage.decrypt_io, _Reading(source), writer, [key])
        if writer.contents != expected:
            raise BindingError("sealed file", "opens to another content than was announced: ask for it again")


def decrypt_stream(source: Reader, sink: "Sink", identity: str, progress: Progress | None = None) -> None:
    """Decrypt to a sink that can take back what it was given. Only when this returns was all of it authentic.

    Raises FormatError, OpeningError.
    """
    _run(pyrage.decrypt_io, _Taking(source, progress), sink, [_key(identity)])


def _key(identity: str) -> pyrage.x25519.Identity:
    try:
        if IDENTITY.fullmatch(identity):
            return pyrage.x25519.Identity.from_str(identity)
    except pyrage.IdentityError:
        pass
    raise FormatError("sealed file", "its identity is none of age")


def _run(work: Callable[..., object], reader: "_Reading", writer: "Sink", ends: list[object]) -> None:
    """Let pyrage pump from reader to writer, and say what failed: the disk, the caller, or the bytes.

    pyrage reports bytes that do not verify as a bare OSError, and so it does what our own streams raise.
    """
    try:
        work(reader, writer, ends)
    except (OSError, pyrage.DecryptError, pyrage.EncryptError) as error:
        if own := reader.error or writer.error:
            raise own from error
        raise OpeningError(
            "sealed file", f"does not open ({error}): it was changed, cut, or is sealed to another identity"
        ) from error
    if own := reader.error or writer.error:
        raise own


class _Reading:
    """Reads a source; keeps what went wrong, for pyrage does not."""

    def __init__(self, source: Reader) -> None:
        self._source = source
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        try:
            return self._take(size)
        except Exception as error:
            self.error = error
            raise

    def _take(self, size: int) -> bytes:
        return self._source.read(size)


class _Taking(_Reading):
    """Also digests what is read, and tells the progress."""

    def __init__(self, source: Reader, progress: Progress | None) -> None:
        super().__init__(source)
        self._digests, self._progress = _Digests(), progress

    def _take(self, size: int) -> bytes:
        chunk = super()._take(size)
        self._digests.add(chunk)
        if self._progress:
            self._progress(self._digests.size)
        return chunk

    @property
    def contents(self) -> Contents:
        """What was read."""
        return self._digests.contents


class _Digests:
    """Size, SHA-256 and SHA-512 of a stream, in one pass."""

    def __init__(self) -> None:
        self.size = 0
        self._sha256, self._sha512 = hashlib.sha256(), hashlib.sha512()

    def add(self, chunk: bytes) -> None:
        """The next bytes."""
        self.size += len(chunk)
        self._sha256.update(chunk)
        self._sha512.update(chunk)

    @property
    def contents(self) -> Contents:
        """What it was."""
        return Contents(self.size, self._sha256.hexdigest(), self._sha512.hexdigest())


class Sink:
    """Writes to a file; keeps what went wrong, for pyrage does not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0
        self.error: Exception | None = None

    def write(self, chunk: bytes) -> int:
        """All of it."""
        try:
            self._put(chunk)
        except Exception as error:
            self.error = error
            raise
        self.size += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        """The file is flushed when it is whole."""

    def _put(self, chunk: bytes) -> None:
        self._file.write(chunk)


class CuttingSink(Sink):
    """Also digests each piece of what is written."""

    def __init__(self, file: BinaryIO, piece_bytes: int) -> None:
        super().__init__(file)
        self._piece_bytes, self._left = piece_bytes, piece_bytes
        self._digest = hashlib.sha256()
        self._pieces = bytearray()

    def _put(self, chunk: bytes) -> None:
        super()._put(chunk)
        rest = memoryview(chunk)
        while rest:
            part, rest = rest[: self._left], rest[self._left :]
            self._digest.update(part)
            self._left -= len(part)
            if not self._left:
                self._cut()

    def _cut(self) -> None:
        self._pieces += self._digest.digest()
        self._digest, self._left = hashlib.sha256(), self._piece_bytes

    def end(self) -> bytes:
        """The digests of all pieces, the last one closed."""
        if self._left < self._piece_bytes:
            self._cut()
        return bytes(self._pieces)


class _Checking(Sink):
    """Also digests what is written, and stops as soon as it is more than was announced."""

    def __init__(self, file: BinaryIO, most: int, progress: Progress | None) -> None:
        super().__init__(file)
        self._digests, self._most, self._progress = _Digests(), most, progress

    def _put(self, chunk: bytes) -> None:
        self._digests.add(chunk)
        if self._digests.size > self._most:
            raise BindingError("sealed file", "opens to more than was announced: ask for it again")
        super()._put(chunk)
        if self._progress:
            self._progress(self._digests.size)

    @property
    def contents(self) -> Contents:
        """What was written."""
        return self._digests.contents


@contextmanager
def whole(target: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone that takes its name when all of it is on disk; otherwise nothing is left."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
