"""The bytes of files on their way, below ``transfers/`` in the node's home.

::

    transfers/
      out/FILE_ID.age         a file of ours, sealed; read in pieces until its recipient has signed for it
      out/FILE_ID.list        the list of its pieces, as its recipient is told it (``file_offer.PieceList``)
      in/FILE_ID/list         the digests of a partner's pieces (SHA-256, 32 bytes each, joined)
      in/FILE_ID/NUMBER       a piece that arrived: whole, and proven by its digest
      in/FILE_ID/clear        the file, opened and proven, until the app that it is for has taken it

A killed writer leaves at most a temporary file, which :func:`sweep` removes.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from palermo.node.home import transfers_folder
from palermo.sealing import age
from palermo.sealing.file_offer import FILE_ID
from palermo.sealing.sealed_file import DIGEST_BYTES

READ_BYTES = 2**16
STALE_SECONDS = 3600.0
"""A temporary file as old as that is a killed writer's: the longest any is written without a pause is minutes."""


class WrongPieceError(Exception):
    """Bytes that are not the piece which the sender listed. The message says how they differ."""


# --- our files ------------------------------------------------------------------------------


def sealed_path(file_id: str) -> Path:
    """Where a file of ours lies sealed."""
    return transfers_folder() / "out" / f"{file_id}.age"


def _own_list(file_id: str) -> Path:
    return transfers_folder() / "out" / f"{file_id}.list"


def make_room_for_sealed(file_id: str) -> Path:
    """The path to seal a file of ours to; its folder is there."""
    path = sealed_path(file_id)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return path


def keep_own_list(file_id: str, said: bytes) -> None:
    """Keep what the recipient is told of our sealed file's pieces."""
    with age.whole(_own_list(file_id)) as file:
        file.write(said)


def own_list(file_id: str) -> bytes:
    """What :func:`keep_own_list` kept. Raises OSError."""
    return _own_list(file_id).read_bytes()


def sealed_piece(file_id: str, number: int, piece_bytes: int) -> bytes:
    """One piece of our sealed file. Raises OSError."""
    with sealed_path(file_id).open("rb") as file:
        file.seek(number * piece_bytes)
        return file.read(piece_bytes)


# --- a partner's ----------------------------------------------------------------------------


def arrival_folder(file_id: str) -> Path:
    """Where a partner's file is put together."""
    return transfers_folder() / "in" / file_id


def clear_path(file_id: str) -> Path:
    """Where a partner's file lies when it was opened."""
    return arrival_folder(file_id) / "clear"


def keep_list(file_id: str, pieces: bytes) -> None:
    """Keep the digests of a partner's pieces. Raises OSError."""
    folder = arrival_folder(file_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with age.whole(folder / "list") as file:
        file.write(pieces)


def list_of(file_id: str) -> bytes:
    """The digests of a partner's pieces. Raises OSError."""
    return (arrival_folder(file_id) / "list").read_bytes()


def has_list(file_id: str) -> bool:
    """Whether the digests of a partner's pieces are here."""
    return (arrival_folder(file_id) / "list").exists()


def digest_of_piece(file_id: str, number: int) -> bytes:
    """The digest that a partner listed for a piece. Raises OSError where there is no list, WrongPieceError."""
    with (arrival_folder(file_id) / "list").open("rb") as file:
        file.seek(number * DIGEST_BYTES)
        digest = file.read(DIGEST_BYTES)
    if len(digest) != DIGEST_BYTES:
        raise WrongPieceError(f"There is no piece {number}.")
    return digest


def has_piece(file_id: str, number: int) -> bool:
    """Whether a piece is here."""
    return (arrival_folder(file_id) / str(number)).exists()


def keep_piece(file_id: str, number: int, size: int, chunks: Iterable[bytes]) -> None:
    """Write a piece as it comes; it is there under its number when all of it is on disk and has its digest.

    Raises WrongPieceError (too long, too short, another digest), OSError (such as a full disk); then nothing is kept.
    """
    expected, digest, taken = digest_of_piece(file_id, number), hashlib.sha256(), 0
    with age.whole(arrival_folder(file_id) / str(number)) as file:
        for chunk in chunks:
            taken += len(chunk)
            if taken > size:
                raise WrongPieceError(f"Piece {number} has {size} bytes, and more came.")
            digest.update(chunk)
            file.write(chunk)
        if taken != size:
            raise WrongPieceError(f"Piece {number} has {size} bytes, and {taken} came. Send it again.")
        if digest.digest() != expected:
            raise WrongPieceError(f"Piece {number} does not have the digest that was listed. Send it again.")


def pieces_here(file_id: str) -> set[int]:
    """The numbers of the pieces that are here."""
    try:
        return {int(path.name) for path in arrival_folder(file_id).iterdir() if path.name.isdigit()}
    except FileNotFoundError:
        return set()


class PiecesReader:
    """The pieces of a partner's file, read one after the other as one stream."""

    def __init__(self, file_id: str, number: int) -> None:
        self._chunks = self._read_all(file_id, number)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        part, self._rest = self._rest[:size], self._rest[size:]
        return part

    @staticmethod
    def _read_all(file_id: str, number: int) -> Iterator[bytes]:
        for piece in range(number):
            with (arrival_folder(file_id) / str(piece)).open("rb") as file:
                while chunk := file.read(READ_BYTES):
                    yield chunk


# --- both -----------------------------------------------------------------------------------


def free_bytes() -> int:
    """How much the disk of the home folder still takes."""
    return shutil.disk_usage(transfers_folder()).free


def remove(file_id: str) -> None:
    """Everything of a file, of either direction; it may be gone already."""
    sealed_path(file_id).unlink(missing_ok=True)
    _own_list(file_id).unlink(missing_ok=True)
    shutil.rmtree(arrival_folder(file_id), ignore_errors=True)


def sweep(in_use: Callable[[], Collection[str]]) -> None:
    """Remove what belongs to no file in use, and what killed writers left over. ``in_use`` gives the ids of those.

    It is asked after the folders were read: what began meanwhile is not touched.
    """
    found = {path.name.split(".")[0] for folder in ("out", "in") for path in (transfers_folder() / folder).glob("*")}
    found = {name for name in found if FILE_ID.fullmatch(name)}
    for file_id in found.difference(in_use()) if found else ():
        remove(file_id)
    oldest = time.time() - STALE_SECONDS
    for path in transfers_folder().rglob(".*.partial"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue  # it got its name meanwhile
