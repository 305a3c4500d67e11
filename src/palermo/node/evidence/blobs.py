"""The bytes of evidence, each file under its own SHA-256: written once, whole or not at all, and never changed.

``blobs/<first two digits>/<SHA-256 in hex>``. A killed writer leaves at most a temporary file, which nothing refers to.
"""

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from palermo.node.home import blobs_folder
from palermo.sealing.archive import Content, content_chunks
from palermo.sealing.bagit import digest_of
from palermo.sealing.durable import sync_folder


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes: both digests in hex, the size in bytes."""

    sha256: str
    sha512: str
    size: int

    @property
    def path(self) -> Path:
        """Where they lie."""
        return path_of(self.sha256)


def path_of(sha256: str) -> Path:
    """Where the bytes with this digest lie."""
    return blobs_folder() / sha256[:2] / sha256


def store(content: Content) -> Blob:
    """Keep bytes, or a copy of a file; storing the same bytes again changes nothing."""
    return store_chunks(content_chunks(content))


def store_chunks(chunks: Iterable[bytes]) -> Blob:
    """Keep what comes in pieces, of any size, as :func:`store`. Raises what ``chunks`` raises; then nothing is kept."""
    temporary = blobs_folder() / f".{secrets.token_hex(16)}"
    try:
        write_synced(temporary, chunks)
        digest = digest_of(temporary)
        blob = Blob(digest.sha256, digest.sha512, digest.size)
        if not intact(blob.path, blob.sha256):
            blob.path.parent.mkdir(mode=0o700, exist_ok=True)
            temporary.chmod(0o400)
            temporary.replace(blob.path)
            sync_folder(blob.path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return blob


def intact(path: Path, sha256: str) -> bool:
    """Whether the file is there and its bytes still have this digest."""
    try:
        return digest_of(path).sha256 == sha256
    except OSError:
        return False


def write_synced(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file and wait until the disk has it."""
    with path.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
