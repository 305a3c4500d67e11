"""Migrated databases of a test's own, of the run's kind: for tests in which several nodes are one process."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management import call_command
from django.db import connection, connections

QUICK = {"init_command": "PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;", "transaction_mode": "IMMEDIATE"}


@contextmanager
def acting_on(database: Any) -> Iterator[None]:
    """Let everything within use this database."""
    before, connections["default"] = connections["default"], database
    try:
        yield
    finally:
        connections["default"] = before


class SqliteDatabases:
    """Files, each a copy of one that was migrated."""

    def __init__(self, folder: Path) -> None:
        self._empty = folder / "empty.sqlite3"
        _migrate(self._open(self._empty))

    def new(self, home: Path) -> Any:
        """An empty database in a node's home."""
        shutil.copy(self._empty, home / "db.sqlite3")
        return self._open(home / "db.sqlite3")

    def restored(self, home: Path) -> Any:
        """The database that a back-up brought into a home."""
        return self._open(home / "db.sqlite3")

    def drop(self, database: Any) -> None:
        """Close it; the file goes with the test's folder."""
        database.close()

    def close(self) -> None:
        """Nothing is left over."""

    def _open(self, path: Path) -> Any:
        return _connection(NAME=str(path), OPTIONS=QUICK)


class PostgresqlDatabases:
    """Databases on the run's server, each made from one that was migrated."""

    def __init__(self) -> None:
        self._empty = f"empty_{uuid4().hex}"
        self._server = _connection(NAME="postgres")
        self._say(f"CREATE DATABASE {self._empty}")
        _migrate(_connection(NAME=self._empty))

    def new(self, home: Path) -> Any:
        """An empty database for the node of that home."""
        return self._made_from(self._empty)

    def restored(self, home: Path) -> Any:
        """A database without tables: a back-up's dump brings them."""
        return self._made_from("template0")

    def _made_from(self, template: str) -> Any:
        name = f"node_{uuid4().hex}"
        self._say(f"CREATE DATABASE {name} TEMPLATE {template}")
        return _connection(NAME=name)

    def drop(self, database: Any) -> None:
        """Close and remove it."""
        database.close()
        self._say(f"DROP DATABASE {database.settings_dict['NAME']}")

    def close(self) -> None:
        """Remove the one that all were made from."""
        self._say(f"DROP DATABASE {self._empty}")
        self._server.close()

    def _say(self, sql: str) -> None:
        with self._server.cursor() as cursor:
            cursor.execute(sql)


def of_this_run(folder: Path) -> SqliteDatabases | PostgresqlDatabases:
    """Where new databases come from."""
    return SqliteDatabases(folder) if connection.vendor == "sqlite" else PostgresqlDatabases()


def _connection(**settings: object) -> Any:
    made = connections.create_connection("default")
    made.settings_dict = {**made.settings_dict, **settings}
    return made


def _migrate(database: Any) -> None:
    with acting_on(database):
        call_command("migrate", verbosity=0)
        database.close()
