"""A disk that can be full, and a machine that can stop at any instant: between two statements, at a commit, in a file.

A node's database and every file operation below its home pass through here. Each of them is an *instant*, counted from
0; a test says at which instant what happens. A stopped machine leaves its files as they are at that instant: they are
copied away, and the dying code, which still runs to the end of its ``finally`` blocks, writes to the originals that
nobody will read again. SQLite recovers the copies as it does after ``kill -9``.
"""

import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.utils import ConnectionHandler

from palermo.config import settings as node_settings

DATABASE = "db.sqlite3"
FULL = "database or disk is full"
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILE_EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.truncate", "os.link", "os.symlink"}


class StoppedError(BaseException):
    """The machine stopped. No ``except Exception`` of the code under test may go on after it."""


@dataclass
class Disk:
    """What the code of one life of a node may write, and how far it comes.

    ``stop_at``: the instant at which the machine stops; ``fail_at``: the first of ``failures`` instants at which the
    disk has no room. ``on_stop`` is called once, while the files still are what they are.
    """

    home: Path
    on_stop: Callable[[], None] = lambda: None
    stop_at: int | None = None
    fail_at: int | None = None
    failures: int = 0
    instants: int = 0
    stopped: bool = False
    failed: int = 0

    def arm(self, *, stop_in: int | None = None, fail_in: int | None = None, failures: int = 1) -> None:
        """Stop the machine, or fill the disk, so many instants from now."""
        self.stop_at = None if stop_in is None else self.instants + stop_in
        self.fail_at = None if fail_in is None else self.instants + fail_in
        self.failures = failures

    def mend(self) -> None:
        """Nothing more will happen."""
        self.stop_at = self.fail_at = None

    def instant(self, *, writes: bool) -> bool:
        """One more instant: stops here, or says whether there is no room for what is to be written."""
        if self.stopped:
            return False  # the dying code tidies up what nobody reads
        self.instants += 1
        if self.stop_at is not None and self.instants > self.stop_at:
            self.stopped = True
            self.on_stop()
            raise StoppedError
        full = writes and self.fail_at is not None and self.instants > self.fail_at
        if full:
            self.failures -= 1
            self.failed += 1
            if self.failures <= 0:
                self.fail_at = None
        return full


class Database(DatabaseWrapper):
    """A node's own SQLite database with the settings of a real one, but that nothing waits for the machine's disk."""

    def __init__(self, disk: Disk) -> None:
        described: dict[str, Any] = node_settings._sqlite(disk.home / DATABASE)
        settings = ConnectionHandler().configure_settings({"default": described})["default"]
        # A process may die here at any instant, the machine below it not: that is what fsync is for.
        settings["OPTIONS"]["init_command"] += " PRAGMA synchronous=OFF;"
        settings["CONN_MAX_AGE"] = None  # the web server's workers keep theirs as long
        super().__init__(settings, alias="default")
        self._disk = disk
        self.execute_wrappers.append(self._statement)

    def fill(self) -> None:
        """No page more: SQLite itself says so wherever it needs one, and rolls back as it sees fit."""
        with self.cursor() as cursor:
            (pages,) = cursor.execute("PRAGMA page_count").fetchone()
            cursor.execute(f"PRAGMA max_page_count = {pages}")

    def empty(self) -> None:
        """Room again."""
        with self.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 4294967294")

    def abandon(self) -> None:
        """Let go of the file, as a dead process does: nothing is committed."""
        if self.connection is not None:
            self.connection.close()

    def _statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._disk.instant(writes=not sql.lstrip().upper().startswith(("SELECT", "ROLLBACK", "PRAGMA"))):
            raise OperationalError(FULL)
        result = execute(sql, params, many, context)
        self._disk.instant(writes=False)
        return result

    def _commit(self) -> None:
        if self._disk.instant(writes=True):
            raise OperationalError(FULL)
        super()._commit()  # type: ignore[misc]  # the stubs do not know it
        self._disk.instant(writes=False)


def copy_home(source: Path, target: Path) -> None:
    """A node's files as they are at this instant; SQLite's shared memory is not one of them."""
    target.mkdir(parents=True)
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir(mode=0o700)
        elif not path.name.endswith("-shm"):
            copy.write_bytes(path.read_bytes())
            copy.chmod(path.stat().st_mode)


class Reader:
    """Reads a node's database from outside, as it stands committed, as long as its files stay in one place."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._connection = sqlite3.connect(f"file:{home / DATABASE}?mode=ro", uri=True)
        self._connection.row_factory = sqlite3.Row

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds."""
        return self._connection.execute(sql, values).fetchall()

    def version(self) -> int:
        """Another number after every commit of someone else."""
        version: int = self.rows("PRAGMA data_version")[0][0]
        return version

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class _Watch:
    """Which disk the files below a home belong to, while its node is acting. An audit hook can never be taken out."""

    def __init__(self) -> None:
        self.disk: Disk | None = None
        self._installed = False

    def install(self) -> None:
        if not self._installed:
            sys.addaudithook(self._hook)
            self._installed = True

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.disk is None or not (event == "open" or event in _FILE_EVENTS):
            return
        if event == "open" and not _changes(arguments):
            return
        path = arguments[0]
        if isinstance(path, bytes | int) or not str(path).startswith(f"{self.disk.home}/"):
            return
        disk, self.disk = self.disk, None  # what the stop itself copies is no instant
        try:
            if disk.instant(writes=True):
                raise OSError(28, "No space left on device", str(path))
        finally:
            self.disk = disk


def _changes(arguments: tuple[Any, ...]) -> bool:
    mode, flags = arguments[1], arguments[2]
    return bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & _CHANGES)


watch = _Watch()
