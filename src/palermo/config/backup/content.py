"""What a back-up of a node says of itself, and the names of what is in it."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from palermo.sealing import records
from palermo.sealing.errors import FormatError

DESCRIPTION = "backup.json"
DATABASE = "database"
HOME = "home"
SQLITE_FILE = "db.sqlite3"
_TRANSIENT = re.compile(r"db\.sqlite3.*|database-url|\..*\.[0-9a-f]{16}|\..*\.partial|restored\.json")


@dataclass(frozen=True)
class Table:
    """A table of a PostgreSQL dump, with its columns in order."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """``database``: ``sqlite`` or ``postgresql``. ``migrations``: all that were applied, as ``app.name``."""

    authority: str
    software: str
    created_at: datetime
    database: str
    log_size: int
    migrations: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    kind: str = records.always("palermo-backup/1")

    @classmethod
    def read(cls, data: bytes) -> "Description":
        """Read the file. Raises FormatError."""
        found = records.from_bytes(cls, data, "back-up", max_bytes=1 << 20)
        if found.kind != "palermo-backup/1":
            raise FormatError("back-up", "is of another version")
        return found


def is_kept(path: Path) -> bool:
    """Whether a file of a home belongs into a back-up: not the database or its address, and nothing half written."""
    return not _TRANSIENT.fullmatch(path.name)
