"""One load: entities arrive in any order and leave as a sorted, digested version in a staging folder.

Nothing is held whole in memory: rows go to Parquet as they arrive, DuckDB sorts them out of core, and the version's
digest is taken from the sorted stream, so that the same content always has the same version.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from palermo.lake.errors import RepeatedEntityError
from palermo.lake.files import flush, sha256_of
from palermo.lake.paths import CHANGES, ENTITIES, MANIFEST, SELECTORS, arrivals_file, spill_folder
from palermo.lake.reports import Change
from palermo.lake.tables import TableWriter, connect, rows, write_rows
from palermo.subjects.entities import Entity

if TYPE_CHECKING:
    import duckdb

MANIFEST_FORMAT = 1
_SHOWN_REPEATED = 5
Selectors = Callable[[Entity], Iterable[tuple[str, str]]]
"""The (kind, value) pairs of an entity."""


@dataclass(slots=True)
class Manifest:
    """What a version consists of. Sorted, without time or place: the same load writes the same bytes."""

    version: str
    previous: str | None
    entities: int
    selectors: int
    protected: int
    by_schema: dict[str, int]
    by_kind: dict[str, int]
    changes: dict[str, int]
    files: dict[str, dict[str, str | int]] = field(default_factory=dict)
    format: int = MANIFEST_FORMAT

    def to_bytes(self) -> bytes:
        """The manifest as it is written."""
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> "Manifest":
        """Read a manifest that `to_bytes` wrote. Raises `ValueError` for anything else."""
        try:
            manifest = cls(**json.loads(content))
        except TypeError as error:
            raise ValueError(f"not a manifest: {error}") from error
        if manifest.format != MANIFEST_FORMAT or manifest.to_bytes() != content:
            raise ValueError("a manifest of another format, or changed by hand")
        return manifest


def stage(
    staging: Path,
    holding: str,
    entities: Iterable[Entity],
    selectors: Selectors,
    protected: Callable[[Entity], bool] | None,
    previous: tuple[str, Path] | None,
) -> Manifest:
    """Write a whole version into `staging`, flushed to disk, and return its manifest.

    `previous` is the version that counts now and its folder. Raises `RepeatedEntityError` if an id came twice.
    """
    spill_folder(staging).mkdir(parents=True)
    _write_arrivals(staging, entities, selectors, protected)
    connection = connect(spill_folder(staging))
    try:
        _refuse_repetition(connection, staging, holding)
        manifest = _write_sorted(connection, staging)
        _write_changes(connection, staging, manifest, previous)
    finally:
        connection.close()
    _finish(staging, manifest)
    return manifest


def _write_arrivals(
    staging: Path, entities: Iterable[Entity], selectors: Selectors, protected: Callable[[Entity], bool] | None
) -> None:
    with (
        TableWriter(arrivals_file(staging, ENTITIES), ENTITIES) as entity_rows,
        TableWriter(arrivals_file(staging, SELECTORS), SELECTORS) as selector_rows,
    ):
        for entity in entities:
            is_protected = bool(protected and protected(entity))
            entity_rows.add((entity.id, entity.schema, entity.caption, is_protected, entity.to_json()))
            for kind, value in selectors(entity):
                selector_rows.add((kind, value, entity.id, is_protected))


def _refuse_repetition(connection: "duckdb.DuckDBPyConnection", staging: Path, holding: str) -> None:
    query = "SELECT id FROM read_parquet(?) GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT ?"
    arrived = str(arrivals_file(staging, ENTITIES))
    if repeated := [entity_id for (entity_id,) in rows(query, [arrived, _SHOWN_REPEATED], connection)]:
        raise RepeatedEntityError(holding, repeated)


def _write_sorted(connection: "duckdb.DuckDBPyConnection", staging: Path) -> Manifest:
    digest = hashlib.sha256()
    schemas: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    guarded = 0

    def entity_rows() -> Iterator[Any]:
        nonlocal guarded
        query = "SELECT id, schema, caption, protected, json FROM read_parquet(?) ORDER BY id"
        for row in rows(query, [str(arrivals_file(staging, ENTITIES))], connection):
            schemas[row[1]] += 1
            guarded += row[3]
            digest.update(_framed(row[3], row[4]))
            yield row

    def selector_rows() -> Iterator[Any]:
        query = "SELECT DISTINCT kind, value, entity_id, protected FROM read_parquet(?) ORDER BY kind, value, entity_id"
        for row in rows(query, [str(arrivals_file(staging, SELECTORS))], connection):
            if not row[3]:
                kinds[row[0]] += 1
            digest.update(_framed(row[3], row[0], row[1], row[2]))
            yield row

    entity_count = write_rows(staging / ENTITIES, ENTITIES, entity_rows())
    digest.update(b"selectors")
    write_rows(staging / SELECTORS, SELECTORS, selector_rows())
    return Manifest(
        version=digest.hexdigest(),
        previous=None,
        entities=entity_count,
        selectors=kinds.total(),
        protected=guarded,
        by_schema=dict(sorted(schemas.items())),
        by_kind=dict(sorted(kinds.items())),
        changes={},
    )


def _framed(flag: bool, *texts: str) -> bytes:
    """Length-prefixed, so that no two rows read alike."""
    parts = [b"\x01" if flag else b"\x00"]
    for text in texts:
        encoded = text.encode()
        parts += (len(encoded).to_bytes(4, "big"), encoded)
    return b"".join(parts)


_CHANGES = """
SELECT coalesce(new.id, old.id) AS id,
       CASE WHEN old.id IS NULL THEN $added WHEN new.id IS NULL THEN $removed ELSE $changed END AS change
FROM read_parquet($new) AS new FULL JOIN read_parquet($old) AS old ON new.id = old.id
WHERE old.id IS NULL OR new.id IS NULL OR new.json <> old.json OR new.protected <> old.protected
ORDER BY id
"""


def _write_changes(
    connection: "duckdb.DuckDBPyConnection", staging: Path, manifest: Manifest, previous: tuple[str, Path] | None
) -> None:
    names = {change.value: change.value for change in Change}
    if previous is None:
        query, parameters = "SELECT id, $added FROM read_parquet($new) ORDER BY id", {"added": Change.ADDED.value}
    else:
        query, parameters = _CHANGES, {**names, "old": str(previous[1] / ENTITIES)}
        manifest.previous = previous[0]
    counts: Counter[str] = Counter()

    def change_rows() -> Iterator[Any]:
        for row in rows(query, {**parameters, "new": str(staging / ENTITIES)}, connection):
            counts[row[1]] += 1
            yield row

    write_rows(staging / CHANGES, CHANGES, change_rows())
    manifest.changes = {change.value: counts[change.value] for change in Change}


def _finish(staging: Path, manifest: Manifest) -> None:
    """Drop what was only needed on the way, digest the files, and wait until all is on disk."""
    for table in (ENTITIES, SELECTORS):
        arrivals_file(staging, table).unlink()
    for left in spill_folder(staging).iterdir():
        left.unlink()
    spill_folder(staging).rmdir()
    for name in (ENTITIES, SELECTORS, CHANGES):
        path = staging / name
        manifest.files[name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        flush(path)
    (staging / MANIFEST).write_bytes(manifest.to_bytes())
    flush(staging / MANIFEST)
    flush(staging)
