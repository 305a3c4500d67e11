"""Making a back-up while the node works: the database first, then every file, so that no row lacks its file."""

import os
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings

import palermo
from palermo.config.backup import databases
from palermo.config.backup.content import DATABASE, DESCRIPTION, HOME, Description, Table, is_kept
from palermo.node.ledger import queries as ledger
from palermo.sealing import records
from palermo.sealing.age import Progress
from palermo.sealing.backup_file import write_backup
from palermo.sealing.errors import FormatError


def make(path: Path, passphrase: bytes, *, now: datetime, progress: Progress | None = None) -> int:
    """Write a back-up of this node; returns the bytes in it before encryption.

    The database's snapshot lies in the home for as long as that takes, readable by the node's account alone. Raises
    ``SealingError`` and ``OSError``; nothing is left at ``path`` then.
    """
    home = Path(settings.PALERMO_HOME)
    with tempfile.TemporaryDirectory(prefix=".backup-", suffix=".partial", dir=home) as name:
        folder = Path(name)
        log_size = ledger.size()
        with databases.snapshot(folder) as tables:
            pass
        described = _describe(now, log_size, tables)
        (folder / DESCRIPTION).write_bytes(records.to_bytes(described))

        def fill(tar: tarfile.TarFile) -> None:
            _add(tar, folder / DESCRIPTION, DESCRIPTION)
            for file in sorted(folder.iterdir()):
                if file.name != DESCRIPTION:
                    _add(tar, file, f"{DATABASE}/{file.name}")
            _add_home(tar, home)

        return write_backup(path, passphrase, fill, progress)


def _describe(now: datetime, log_size: int, tables: tuple[Table, ...]) -> Description:
    return Description(
        authority=settings.PALERMO_AUTHORITY,
        software=palermo.__version__,
        created_at=now,
        database="postgresql" if tables else "sqlite",
        log_size=log_size,
        migrations=databases.applied(),
        tables=tables,
    )


def _add_home(tar: tarfile.TarFile, home: Path) -> None:
    for text, folders, files in os.walk(home):
        folder = Path(text)
        folders[:] = sorted(name for name in folders if is_kept(folder / name))
        for name in folders:
            _add(tar, folder / name, f"{HOME}/{(folder / name).relative_to(home)}")
        for name in sorted(files):
            if is_kept(folder / name):
                _add(tar, folder / name, f"{HOME}/{(folder / name).relative_to(home)}")


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file or folder; one that is gone meanwhile was not to be kept."""
    if path.is_symlink():
        raise FormatError(str(path), "is a link: a back-up takes what lies in the home alone")
    try:
        tar.add(path, name, recursive=False)
    except FileNotFoundError:
        return
