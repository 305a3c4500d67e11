"""A database as it stood at one moment, while the node goes on: SQLite by its online back-up, PostgreSQL by COPY.

Neither needs the database's own programs. A PostgreSQL dump is made in one repeatable-read transaction and taken in in
one, into an empty database that is first migrated to the schema of the dump.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from palermo.config.backup.content import SQLITE_FILE, Table
from palermo.sealing.errors import FormatError


@contextmanager
def snapshot(folder: Path) -> Iterator[tuple[Table, ...]]:
    """Write the database as it stands into a folder; what the tables of a dump are, none for SQLite's one file."""
    if connection.vendor == "sqlite":
        _copy_sqlite(Path(str(connection.settings_dict["NAME"])), folder / SQLITE_FILE)
        yield ()
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield tuple(_dump(folder))


def _copy_sqlite(source: Path, target: Path) -> None:
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=20) as live, sqlite3.connect(target) as copy:
        live.backup(copy)  # in one step: one moment, and writers only append to their journal meanwhile
    copy.close()
    live.close()


def check_sqlite(path: Path) -> None:
    """Raises FormatError for a database file that is damaged."""
    with sqlite3.connect(path) as database:
        found = [row[0] for row in database.execute("PRAGMA integrity_check")]
    database.close()
    if found != ["ok"]:
        raise FormatError("back-up", f"holds a damaged database: {found[0]}")


def _dump(folder: Path) -> Iterator[Table]:
    with connection.cursor() as cursor:
        for name in sorted(connection.introspection.table_names(cursor)):
            described = connection.introspection.get_table_description(cursor, name)
            table = Table(name, tuple(column.name for column in described))
            with (folder / name).open("wb") as file, cursor.copy(_copy(table, "TO STDOUT")) as rows:
                for chunk in rows:
                    file.write(chunk)
            yield table


def load(folder: Path, tables: tuple[Table, ...], migrations: tuple[str, ...]) -> None:
    """Take a PostgreSQL dump into the empty database of the settings. Raises FormatError for one that is not empty."""
    with connection.cursor() as cursor:
        if connection.introspection.table_names(cursor):
            raise FormatError("DATABASE_URL", "names a database that is not empty: restore into a new one")
    _migrate(migrations)
    with transaction.atomic(), connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        if missing := {table.name for table in tables} - present:
            raise FormatError("back-up", f"has tables that this version does not know: {', '.join(sorted(missing))}")
        names = ", ".join(connection.ops.quote_name(name) for name in sorted(present))
        cursor.execute(f"TRUNCATE {names} CASCADE")
        for table in tables:
            _fill(cursor, table, folder / table.name)
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True)):
            cursor.execute(statement)


def _fill(cursor: Any, table: Table, path: Path) -> None:
    with path.open("rb") as file, cursor.copy(_copy(table, "FROM STDIN")) as rows:
        while chunk := file.read(1 << 20):
            rows.write(chunk)


def _copy(table: Table, where: str) -> str:
    quote = connection.ops.quote_name
    return f"COPY {quote(table.name)} ({', '.join(map(quote, table.columns))}) {where} (FORMAT binary)"


def applied() -> tuple[str, ...]:
    """The migrations that the database has seen, as ``app.name``."""
    return tuple(sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()))


def _migrate(recorded: tuple[str, ...]) -> None:
    """Bring an empty database to exactly the recorded migrations."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    names = {(app, name) for app, _, name in (text.partition(".") for text in recorded)}
    if unknown := names - graph.nodes.keys():
        raise FormatError("back-up", f"is of a newer version: it has seen {min(unknown)}. Update this software first.")
    targets = [key for key in names if not any(child.key in names for child in graph.node_map[key].children)]
    executor.migrate(sorted(targets))
