"""A back-up as one file: a tar stream, encrypted as age does, whose identity a passphrase locks.

The head is a line of its own and the identity, locked as private keys are (:mod:`palermo.sealing.keyfile`: Argon2id and
AES-256-GCM); then the age stream. Written and read in one pass, in memory that does not grow with it. What is cut,
changed or opened with another passphrase gives an error and leaves nothing.
"""

import os
import re
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from palermo.sealing import age
from palermo.sealing.errors import FormatError, OpeningError, SealingError
from palermo.sealing.keyfile import lock_secret, unlock_secret

HEAD = b"palermo-backup/1\n"
_LENGTH = struct.Struct(">H")
_NAME = re.compile(r"(?!/)[^\0\\]{1,1000}")

Fill = Callable[[tarfile.TarFile], None]
"""Adds what is to be backed up to a tar stream."""


def write_backup(path: Path, passphrase: bytes, fill: Fill, progress: age.Progress | None = None) -> int:
    """Write a back-up: whole, or not at all. Returns how many bytes went into it.

    Raises FormatError when the file exists, KeyFileError for an empty passphrase, and what ``fill`` raises.
    """
    if path.exists():
        raise FormatError(str(path), "exists already: choose another name")
    identity = age.new_identity()
    locked = lock_secret(path, identity.encode(), passphrase)
    with age.whole(path) as file:
        file.write(HEAD + _LENGTH.pack(len(locked)) + locked)
        with _tar_of(fill) as source:
            contents, _ = age.encrypt(source, age.Sink(file), identity=identity, progress=progress)
    return contents.size


@contextmanager
def _tar_of(fill: Fill) -> Iterator[BinaryIO]:
    """The tar stream that ``fill`` makes, in a thread of its own; raises afterwards what that raised."""
    reading, writing = os.pipe()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with os.fdopen(writing, "wb") as end, tarfile.open(fileobj=end, mode="w|") as tar:
                fill(tar)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    with os.fdopen(reading, "rb") as source:
        thread.start()
        yield source
    thread.join()
    if failed:
        raise failed[0]


def read_backup(path: Path, passphrase: bytes, folder: Path, progress: age.Progress | None = None) -> None:
    """Unpack a back-up into an empty folder; files and folders are for their owner alone.

    What is in the folder is to be trusted once this returns, not before. Raises KeyFileError (another passphrase),
    FormatError (no back-up, or one that holds what we write into none), OpeningError (changed or cut).
    """
    with path.open("rb") as file:
        if file.read(len(HEAD)) != HEAD:
            raise FormatError(str(path), "is no back-up of this software")
        length = file.read(_LENGTH.size)
        locked = file.read(_LENGTH.unpack(length)[0]) if len(length) == _LENGTH.size else b""
        identity = unlock_secret(path, locked, passphrase).decode("ascii", "replace")
        _unpack(file, identity, folder, progress)


def _unpack(file: BinaryIO, identity: str, folder: Path, progress: age.Progress | None) -> None:
    reading, writing = os.pipe()
    failed: list[SealingError | OSError] = []

    def work() -> None:
        with os.fdopen(writing, "wb") as end:
            try:
                age.decrypt_stream(file, age.Sink(end), identity, progress)
            except (SealingError, OSError) as error:
                failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    try:
        with os.fdopen(reading, "rb") as source:
            thread.start()
            with tarfile.open(fileobj=source, mode="r|", ignore_zeros=False) as tar:
                for member in tar:
                    _take(tar, member, folder)
            while source.read(1 << 20):
                pass  # the padding at the end: only then is the last of it verified
    except tarfile.TarError as error:
        thread.join()
        raise (failed or [OpeningError("back-up", f"is damaged ({error})")])[0] from error
    finally:
        thread.join()
    if failed:
        raise failed[0]


def _take(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """One file or folder; anything else, and a name that leads out of the folder, is refused."""
    parts = Path(member.name).parts
    if not _NAME.fullmatch(member.name) or ".." in parts or not (member.isfile() or member.isdir()):
        raise FormatError("back-up", f"holds {member.name[:80]!r}, which no back-up of ours does")
    target = folder.joinpath(*parts)
    if member.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source = tar.extractfile(member)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while source is not None and (chunk := source.read(1 << 20)):
            file.write(chunk)
