"""Rows that belong together, and ids already seen, kept on disk: a list larger than memory still groups.

Both use SQLite's private temporary database, which spills to an unlinked file: nothing is left after a kill.
"""

import json
import sqlite3
from collections.abc import Iterator

from palermo.intake.errors import RowError

_CACHE_KIBIBYTES = 8_192


def _temporary_database() -> sqlite3.Connection:
    connection = sqlite3.connect("", isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    connection.execute("BEGIN")
    return connection


class SeenIds:
    """Ids of the entities yielded so far, with the line each came from."""

    def __init__(self) -> None:
        self._connection = _temporary_database()
        self._connection.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")

    def add(self, entity_id: str, line: int) -> None:
        """Record an id. Raises `RowError` if it was seen before."""
        try:
            self._connection.execute("INSERT INTO seen VALUES (?, ?)", (entity_id, line))
        except sqlite3.IntegrityError:
            query = "SELECT line FROM seen WHERE id = ?"
            (first,) = self._connection.execute(query, (entity_id,)).fetchone()
            raise RowError(f"a second entity with the id {entity_id!r}; the first is on line {first}") from None

    def close(self) -> None:
        """Give the space back."""
        self._connection.close()


class RowGroups:
    """Rows by key: put in as they come, taken out a group at a time in the order in which the keys first came."""

    def __init__(self) -> None:
        self._connection = _temporary_database()
        self._connection.execute("CREATE TABLE rows (key TEXT, number INTEGER PRIMARY KEY, line INTEGER, row TEXT)")
        self._connection.execute("CREATE INDEX by_key ON rows (key, number)")

    def add(self, key: str, line: int, row: list[str]) -> None:
        """Put a row under a key."""
        self._connection.execute("INSERT INTO rows (key, line, row) VALUES (?, ?, ?)", (key, line, json.dumps(row)))

    def take(self, key: str) -> list[list[str]]:
        """Take out the rows of a key, in the order they came."""
        query = "DELETE FROM rows WHERE key = ? RETURNING number, row"
        taken = sorted(self._connection.execute(query, (key,)).fetchall())
        return [json.loads(row) for _, row in taken]

    def left(self) -> Iterator[tuple[int, list[str]]]:
        """Rows that nobody took, with their lines."""
        for line, row in self._connection.execute("SELECT line, row FROM rows ORDER BY number"):
            yield line, json.loads(row)

    def groups(self) -> Iterator[tuple[int, list[list[str]]]]:
        """Each group's first line and its rows, in order of first appearance."""
        query = "SELECT key, line FROM rows WHERE number IN (SELECT min(number) FROM rows GROUP BY key) ORDER BY number"
        for key, line in self._connection.execute(query):
            rows = self._connection.execute("SELECT row FROM rows WHERE key = ? ORDER BY number", (key,))
            yield line, [json.loads(row) for (row,) in rows]

    def close(self) -> None:
        """Give the space back."""
        self._connection.close()
