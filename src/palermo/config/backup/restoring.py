"""Restoring a node into a new folder, marked as restored, so that it appends nothing before its log is recovered."""

import os
import shutil
from pathlib import Path

from palermo.config.backup.content import DATABASE, DESCRIPTION, HOME, SQLITE_FILE, Description
from palermo.lake.files import flush, write_whole
from palermo.node.restored import RESTORED, Restored
from palermo.sealing import records
from palermo.sealing.age import Progress
from palermo.sealing.backup_file import read_backup
from palermo.sealing.errors import FormatError


def unpack(path: Path, passphrase: bytes, home: Path, progress: Progress | None = None) -> tuple[Path, Description]:
    """Unpack a back-up beside ``home``; returns that folder, and what the back-up says of itself.

    What a restore that was killed left there is removed first. Raises FormatError where ``home`` holds something, and
    what :func:`palermo.sealing.backup_file.read_backup` raises.
    """
    if home.exists() and any(home.iterdir()):
        raise FormatError(str(home), "is not empty: restore into a new folder")
    folder = home.with_name(f".{home.name}.restoring")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        read_backup(path, passphrase, folder, progress)
        described = Description.read((folder / DESCRIPTION).read_bytes())
        if not (folder / HOME / "node.toml").is_file():
            raise FormatError("back-up", "holds no node")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    marked = Restored(described.created_at, described.log_size, False, None)
    write_whole(folder / HOME / RESTORED, records.to_bytes(marked))
    return folder, described


def place_sqlite(folder: Path) -> None:
    """Put SQLite's file into the unpacked home. Raises FormatError for a damaged one."""
    from palermo.config.backup.databases import check_sqlite

    source = folder / DATABASE / SQLITE_FILE
    if not source.is_file():
        raise FormatError("back-up", "holds no database")
    check_sqlite(source)
    source.replace(folder / HOME / SQLITE_FILE)


def finish(folder: Path, home: Path) -> None:
    """Give the unpacked home its name, once all of it is on disk."""
    os.sync()
    if home.exists():
        home.rmdir()
    (folder / HOME).replace(home)
    flush(home.parent)
    shutil.rmtree(folder, ignore_errors=True)
