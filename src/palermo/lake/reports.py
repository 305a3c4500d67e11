"""What a load did, and what a holding holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Change(StrEnum):
    """How an entity of the new version stands to the version before."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The outcome of a load: the version that counts now, and what differs from the one before.

    The ids are read from disk when asked for, in order, and stay until two more versions have been loaded.
    """

    version: str
    added: int
    changed: int
    removed: int
    unchanged: int
    entities: int
    selectors: int
    changes_file: Path | None = None

    @property
    def added_ids(self) -> Iterator[str]:
        """Ids that weren't there before."""
        return self._ids(Change.ADDED)

    @property
    def changed_ids(self) -> Iterator[str]:
        """Ids whose entity reads otherwise than before."""
        return self._ids(Change.CHANGED)

    @property
    def removed_ids(self) -> Iterator[str]:
        """Ids that are no longer there."""
        return self._ids(Change.REMOVED)

    def _ids(self, change: Change) -> Iterator[str]:
        from palermo.lake.tables import rows

        if self.changes_file is None:
            return
        query = "SELECT id FROM read_parquet(?) WHERE change = ? ORDER BY id"
        for (entity_id,) in rows(query, [str(self.changes_file), change.value]):
            yield entity_id


@dataclass(frozen=True, slots=True)
class HoldingCounts:
    """Sizes of a holding's current version; `protected` entities are among `entities`, their selectors in no count."""

    version: str
    entities: int
    selectors: int
    by_schema: Mapping[str, int]
    by_kind: Mapping[str, int]
    protected: int = 0


@dataclass(frozen=True, slots=True)
class HoldingVersion:
    """One version on disk."""

    version: str
    is_current: bool
    entities: int
    selectors: int
