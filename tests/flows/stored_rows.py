"""The rows of a node that is another process, read and changed behind its back, whichever database it keeps them in."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from palermo.cli.demo import databases
from palermo.config import node_file


class Books:
    """One node's database."""

    def __init__(self, home: Path) -> None:
        self.code = home.name
        self._home = home

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """What a query finds. A row is a tuple whose columns have names as well."""
        with opened(self._home) as execute:
            return execute(sql, *values)

    def column(self, sql: str, *values: Any) -> list[Any]:
        """The first column of what a query finds."""
        return [row[0] for row in self.rows(sql, *values)]

    def count(self, sql: str, *values: Any) -> int:
        """The one number that a query finds."""
        (number,) = self.column(sql, *values)
        return int(number)

    def tables(self) -> list[str]:
        """The names of all tables."""
        if on_postgresql(self._home):
            return self.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return self.column("SELECT name FROM sqlite_master WHERE type = 'table'")


def on_postgresql(home: Path) -> bool:
    """Whether a node keeps its rows in PostgreSQL."""
    return (home / node_file.DATABASE_URL).exists()


@contextmanager
def opened(home: Path) -> Iterator[Any]:
    """A function that runs one statement (with ``?`` for values) and gives its rows; all commit together."""
    if on_postgresql(home):
        address = (home / node_file.DATABASE_URL).read_text()
        with psycopg.connect(address, row_factory=_rows_with_names) as connection:
            yield lambda sql, *values: _fetched(connection.execute(sql.replace("?", "%s"), values or None))
        return
    with closing(sqlite3.connect(home / "db.sqlite3")) as connection, connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA ignore_check_constraints = ON")
        yield lambda sql, *values: connection.execute(sql, values).fetchall()


def copy_database(home: Path, copied: Path) -> None:
    """Give the copy of a home a database of its own; SQLite's file came along with the home."""
    if on_postgresql(home):
        databases.drop(copied)
        template, name = (databases.url_of(folder).rpartition("/")[2].partition("?")[0] for folder in (home, copied))
        with psycopg.connect(databases.server(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        (copied / node_file.DATABASE_URL).write_text(databases.url_of(copied))


def copy_home(home: Path, copied: Path) -> None:
    """A node's home once more, with its rows."""
    shutil.copytree(home, copied)
    copy_database(home, copied)


class _Row(tuple[Any, ...]):
    """As SQLite's row: by place or by name."""

    names: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


def _rows_with_names(cursor: psycopg.Cursor[Any]) -> Any:
    names = tuple(column.name for column in cursor.description or ())

    def make(values: Any) -> _Row:
        row = _Row(values)
        row.names = names
        return row

    return make


def _fetched(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall() if cursor.description else []
