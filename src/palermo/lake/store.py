"""The lake: entities and their selectors, a folder of Parquet files a holding, replaced whole by each load.

A load writes a new version in a staging folder, moves it to its place, then replaces the small file CURRENT: a reader
sees the old version or the new one, and a process killed at any point leaves the old one in force. What it left
behind is swept by the next load. The version before the current one is kept, so that a reader who has just looked
CURRENT up still finds his files.
"""

import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from palermo.lake import paths
from palermo.lake.errors import DamagedHoldingError, UnknownHoldingError
from palermo.lake.files import locked, move, sha256_of, write_whole
from palermo.lake.loading import Manifest, Selectors, stage
from palermo.lake.reports import HoldingCounts, HoldingVersion, LoadReport
from palermo.lake.tables import rows
from palermo.subjects.entities import Entity


class Lake:
    """All holdings below one folder, which is made by the first load."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def load(
        self,
        holding: str,
        entities: Iterable[Entity],
        *,
        protected: Callable[[Entity], bool] | None = None,
        selectors: Selectors | None = None,
    ) -> LoadReport:
        """Replace a holding's content; the same content again changes nothing.

        `protected` says which entities are never published (covert, witness protection, owned by a third party): they
        are kept and found here, and `Lake.selectors` leaves theirs out. `selectors` takes an entity's (kind, value)
        pairs, by default all that `palermo.subjects.selectors` knows.

        Raises `RepeatedEntityError` if two entities have one id, and lets through what `entities` raises; the holding
        is then as it was.
        """
        with locked(paths.lock_file(self.root, holding)):
            self._sweep(holding)
            current = self._current(holding)
            staging = paths.staging_folder(self.root, holding, secrets.token_hex(8))
            previous = current and (current.version, self._version_folder(holding, current))
            try:
                manifest = stage(staging, holding, entities, selectors or _all_selectors(), protected, previous or None)
                if current is not None and manifest.version == current.version:
                    return _unchanged(current)
                return self._publish(holding, staging, manifest)
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def entity(self, holding: str, entity_id: str) -> Entity | None:
        """The entity of that id, or None."""
        query = "SELECT json FROM read_parquet(?) WHERE id = ?"
        found = next(rows(query, [self._table(holding, paths.ENTITIES), entity_id]), None)
        return None if found is None else Entity.from_json(found[0])

    def entities(self, holding: str) -> Iterator[Entity]:
        """Every entity, protected ones too, sorted by id."""
        query = "SELECT json FROM read_parquet(?) ORDER BY id"
        for (line,) in rows(query, [self._table(holding, paths.ENTITIES)]):
            yield Entity.from_json(line)

    def is_protected(self, holding: str, entity_id: str) -> bool:
        """Whether the entity is there and was loaded as protected."""
        query = "SELECT protected FROM read_parquet(?) WHERE id = ?"
        return any(flag for (flag,) in rows(query, [self._table(holding, paths.ENTITIES), entity_id]))

    def selectors(self, holding: str) -> Iterator[tuple[str, str, str]]:
        """What may be published: (entity id, kind, value), distinct, sorted by kind, value, id; nothing protected."""
        query = "SELECT entity_id, kind, value FROM read_parquet(?) WHERE NOT protected ORDER BY kind, value, entity_id"
        yield from rows(query, [self._table(holding, paths.SELECTORS)])

    def find(self, holding: str, kind: str, value: str) -> list[str]:
        """Ids, sorted, of all entities that carry a selector in canonical form, protected ones too."""
        query = "SELECT entity_id FROM read_parquet(?) WHERE kind = ? AND value = ? ORDER BY entity_id"
        return [entity_id for (entity_id,) in rows(query, [self._table(holding, paths.SELECTORS), kind, value])]

    def counts(self, holding: str) -> HoldingCounts:
        """Sizes of the current version."""
        manifest = self._manifest(holding)
        return HoldingCounts(
            version=manifest.version,
            entities=manifest.entities,
            selectors=manifest.selectors,
            by_schema=manifest.by_schema,
            by_kind=manifest.by_kind,
            protected=manifest.protected,
        )

    def holdings(self) -> list[str]:
        """Names of the holdings that have been loaded, sorted."""
        folder = paths.holdings_folder(self.root)
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        return [name for name in names if paths.current_file(self.root, name).exists()]

    def versions(self, holding: str) -> list[HoldingVersion]:
        """The versions on disk: the current one, then the one before it if there was one."""
        current = self._manifest(holding)
        found = [current]
        if current.previous is not None:
            before = paths.version_folder(self.root, holding, current.previous) / paths.MANIFEST
            if before.exists():
                found.append(Manifest.from_bytes(before.read_bytes()))
        return [HoldingVersion(m.version, m is current, m.entities, m.selectors) for m in found]

    def verify(self, holding: str) -> list[str]:
        """Names of the current version's files that aren't what was written; none if all is well.

        Raises `UnknownHoldingError` if there is no such holding.
        """
        try:
            manifest = self._manifest(holding)
        except DamagedHoldingError as error:
            return list(error.files)
        folder = self._version_folder(holding, manifest)
        return [
            name
            for name, expected in sorted(manifest.files.items())
            if not (folder / name).is_file() or sha256_of(folder / name) != expected["sha256"]
        ]

    def drop(self, holding: str) -> None:
        """Remove a holding and all its versions; dropping what isn't there does nothing."""
        with locked(paths.lock_file(self.root, holding)):
            folder = paths.holding_folder(self.root, holding)
            if folder.exists():
                move(folder, paths.trash_folder(self.root, secrets.token_hex(8)))
            self._empty_trash()

    def _publish(self, holding: str, staging: Path, manifest: Manifest) -> LoadReport:
        folder = self._version_folder(holding, manifest)
        folder.parent.mkdir(exist_ok=True)
        if folder.exists():  # an earlier version's content has come back; its list of changes is another
            shutil.rmtree(folder)
        move(staging, folder)
        pointer = f"{manifest.version} {hashlib.sha256(manifest.to_bytes()).hexdigest()}\n"
        write_whole(paths.current_file(self.root, holding), pointer.encode())
        self._sweep(holding)
        return LoadReport(
            version=manifest.version,
            added=manifest.changes["added"],
            changed=manifest.changes["changed"],
            removed=manifest.changes["removed"],
            unchanged=manifest.entities - manifest.changes["added"] - manifest.changes["changed"],
            entities=manifest.entities,
            selectors=manifest.selectors,
            changes_file=folder / paths.CHANGES,
        )

    def _sweep(self, holding: str) -> None:
        """Remove what a killed load or drop left, and versions before the previous one."""
        self._empty_trash()
        folder = paths.holding_folder(self.root, holding)
        folder.mkdir(parents=True, exist_ok=True)
        for left in (*folder.glob(f"{paths.STAGING_PREFIX}*"), *folder.glob(f".{paths.CURRENT}.*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        current = self._current(holding)
        kept = {current.version, current.previous} if current else set()
        versions = paths.versions_folder(self.root, holding)
        for version in versions.iterdir() if versions.exists() else ():
            if version.name not in kept:
                shutil.rmtree(version)

    def _empty_trash(self) -> None:
        for trash in self.root.glob(f"{paths.TRASH_PREFIX}*"):
            shutil.rmtree(trash, ignore_errors=True)  # another process may be emptying it too

    def _current(self, holding: str) -> Manifest | None:
        try:
            return self._manifest(holding)
        except UnknownHoldingError:
            return None

    def _manifest(self, holding: str) -> Manifest:
        """The current version's manifest, checked against CURRENT."""
        try:
            pointer = paths.current_file(self.root, holding).read_text(encoding="ascii").split()
        except FileNotFoundError:
            raise UnknownHoldingError(holding) from None
        except UnicodeDecodeError:
            raise DamagedHoldingError(holding, [paths.CURRENT]) from None
        if len(pointer) != 2 or any(len(part) != 64 or not part.isalnum() for part in pointer):
            raise DamagedHoldingError(holding, [paths.CURRENT])
        version, digest = pointer
        try:
            content = (paths.version_folder(self.root, holding, version) / paths.MANIFEST).read_bytes()
        except FileNotFoundError:
            raise DamagedHoldingError(holding, [paths.CURRENT]) from None
        if hashlib.sha256(content).hexdigest() != digest:
            raise DamagedHoldingError(holding, [paths.MANIFEST])
        return Manifest.from_bytes(content)

    def _version_folder(self, holding: str, manifest: Manifest) -> Path:
        return paths.version_folder(self.root, holding, manifest.version)

    def _table(self, holding: str, name: str) -> str:
        return str(self._version_folder(holding, self._manifest(holding)) / name)


def _all_selectors() -> Selectors:
    from palermo.subjects.selectors import selectors_of

    return lambda entity: ((selector.kind, selector.value) for selector in selectors_of(entity))


def _unchanged(manifest: Manifest) -> LoadReport:
    return LoadReport(manifest.version, 0, 0, 0, manifest.entities, manifest.entities, manifest.selectors)
