"""One real node in a process of many: its own home, settings, clock and database, put on for as long as it acts."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connections
from django.utils import timezone

from palermo.sealing.keyfile import read_private
from palermo.sealing.keys import SigningKey
from simulation.disk import Database, Disk, Reader, StoppedError, copy_home, watch


@dataclass
class TrueTime:
    """The time by which the simulation itself runs."""

    now: datetime


@dataclass
class Member:
    """A node. ``folder`` holds the homes of its lives: each stop of the machine begins a new one.

    ``skew``: how far its clock is off.
    """

    code: str
    folder: Path
    time: TrueTime
    skew: timedelta = timedelta(0)
    life: int = 1
    up: bool = True
    disk: Disk = field(init=False)
    database: Database = field(init=False)
    _reader: Reader | None = None

    def __post_init__(self) -> None:
        watch.install()
        self._begin()

    @property
    def home(self) -> Path:
        """Where the present life keeps its files."""
        return self.folder / f"life-{self.life}"

    @property
    def host(self) -> str:
        """The name under which the network reaches it."""
        return f"{self.code.lower()}.invalid"

    @cached_property
    def signing_key(self) -> SigningKey:
        """Its identity, read from its files whether or not it is up."""
        return SigningKey.from_bytes(read_private(self._files / "keys" / "signing.key", None))

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """What stands committed in its database, read from outside, whether or not it is up."""
        return self._outside().rows(sql, *values)

    def version(self) -> tuple[Reader, int]:
        """Something else after every commit, and in every life."""
        reader = self._outside()
        return reader, reader.version()

    def _outside(self) -> Reader:
        if self._reader is None or self._reader.home != self._files:
            self._let_go()
            self._reader = Reader(self._files)
        return self._reader

    def _let_go(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    @property
    def _files(self) -> Path:
        """The files that count: those of the next life once the machine stopped."""
        return self.folder / f"life-{self.life + 1}" if self.disk.stopped else self.home

    def now(self) -> datetime:
        """What its clock says."""
        return self.time.now + self.skew

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Be this node: every query, key, setting and time of day is its own until the end of the context.

        Raises :class:`StoppedError` when its machine stops meanwhile; it then stays down until :meth:`start`.
        """
        if not self.up:
            raise StoppedError
        with ExitStack() as stack:
            stack.enter_context(_as_default(self.database))
            stack.enter_context(
                _with_settings(
                    PALERMO_AUTHORITY=self.code,
                    PALERMO_HOME=self.home,
                    SECRET_KEY=f"secret of {self.code}",
                    ALLOWED_HOSTS=[self.host],
                )
            )
            stack.enter_context(patch.object(timezone, "now", self.now))
            stack.enter_context(patch.object(watch, "disk", self.disk))
            try:
                yield
            finally:
                if self.disk.stopped:
                    self.up = False
            if self.disk.stopped:
                raise StoppedError  # swallowed on the way by code that would have been dead

    def abandon(self) -> None:
        """Let go of every file, for good."""
        self.database.abandon()
        self._let_go()

    def start(self) -> None:
        """Start a node that is down from the files that its last life left."""
        self.abandon()
        if self.disk.stopped:
            shutil.rmtree(self.home)
            self.life += 1
        self._begin()
        self.up = True

    def stop(self) -> None:
        """Stop it between two acts."""
        self.up = False

    def _begin(self) -> None:
        home, after = self.home, self.folder / f"life-{self.life + 1}"
        self.disk = Disk(home, on_stop=lambda: copy_home(home, after))
        self.database = Database(self.disk)


@contextmanager
def _as_default(database: Database) -> Iterator[None]:
    before = connections["default"]
    connections["default"] = database
    try:
        yield
    finally:
        connections["default"] = before


@contextmanager
def _with_settings(**values: Any) -> Iterator[None]:
    before = {name: getattr(settings, name) for name in values}
    try:
        for name, value in values.items():
            setattr(settings, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
