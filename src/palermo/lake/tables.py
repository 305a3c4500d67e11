"""Parquet in and out: pyarrow writes in bounded batches, DuckDB reads, sorts and joins, spilling to disk.

Everything here is SQL with parameters; DuckDB never loads an extension, so nothing is ever fetched.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palermo.lake.paths import CHANGES, ENTITIES, SELECTORS

if TYPE_CHECKING:
    import duckdb

Parameters = Sequence[Any] | dict[str, Any]
MEMORY_LIMIT = "512MB"
BATCH_ROWS = 4_096
BATCH_CHARACTERS = 16 << 20
ROW_GROUP_ROWS = {ENTITIES: 4_096, SELECTORS: 65_536, CHANGES: 65_536}
"""Rows that Parquet keeps together: a lookup reads one such group."""


@cache
def schema_of(table: str) -> Any:
    """The Arrow schema of a table."""
    import pyarrow as pa

    text, flag = pa.string(), pa.bool_()
    columns = {
        ENTITIES: [("id", text), ("schema", text), ("caption", text), ("protected", flag), ("json", text)],
        SELECTORS: [("kind", text), ("value", text), ("entity_id", text), ("protected", flag)],
        CHANGES: [("id", text), ("change", text)],
    }
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in columns[table]])


class TableWriter:
    """Writes rows to a Parquet file, a bounded batch in memory at a time. A context manager."""

    def __init__(self, path: Path, table: str) -> None:
        import pyarrow.parquet as pq

        self.rows = 0
        self._schema = schema_of(table)
        self._group = ROW_GROUP_ROWS[table]
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._batch: list[Sequence[Any]] = []
        self._characters = 0

    def __enter__(self) -> "TableWriter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._flush()
        finally:
            self._writer.close()

    def add(self, row: Sequence[Any]) -> None:
        """Add one row, in the order of the schema's columns."""
        self._batch.append(row)
        self._characters += sum(len(value) for value in row if isinstance(value, str))
        if len(self._batch) >= self._group or self._characters >= BATCH_CHARACTERS:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._batch:
            return
        columns = [
            pa.array(column, kind)
            for column, kind in zip(zip(*self._batch, strict=True), self._schema.types, strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=self._group)
        self.rows += len(self._batch)
        self._batch, self._characters = [], 0


def connect(spill: Path | None = None) -> "duckdb.DuckDBPyConnection":
    """An in-memory DuckDB that spills to `spill` and refuses to load extensions."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(spill) if spill else "",
    }
    return duckdb.connect(config=settings)


def rows(query: str, parameters: Parameters, connection: "duckdb.DuckDBPyConnection | None" = None) -> Iterator[Any]:
    """Stream a query's rows as tuples, in the query's order."""
    own = connection or connect()
    try:
        for batch in own.sql(query, params=parameters).to_arrow_reader(BATCH_ROWS):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    finally:
        if connection is None:
            own.close()


def write_rows(path: Path, table: str, source: Iterable[Sequence[Any]]) -> int:
    """Write all rows to a Parquet file and say how many."""
    with TableWriter(path, table) as writer:
        for row in source:
            writer.add(row)
    return writer.rows
