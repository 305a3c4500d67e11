"""Publishing for one epoch and tier: items in, manifest and filters out, and what the holder keeps to confirm later.

On disk a publication is a folder: ``manifest.json``, ``<kind>.filter`` (both go out), ``<kind>.tokens`` and
``commitments.secret`` (never do). Its caller decides what may be published: covert, protected or third-party-owned
holdings must not be among the items. When the epoch ends, destroy the seed and this folder.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from palermo.blind import commitments, filters, keys, token_table, tokens, voprf
from palermo.blind.errors import InputError, ManifestError
from palermo.blind.group import Random
from palermo.blind.items import Item, by_kind
from palermo.blind.manifest import KindEntry, Manifest
from palermo.blind.token_table import TokenRecord, TokenTable
from palermo.blind.tokens import Token

Progress = Callable[[int, int], None]
"""Called with the values tokenised so far and in all."""

_TOKENISE_AT_ONCE = 8192
_MANIFEST = "manifest.json"
_SECRET = "commitments.secret"


@dataclass(frozen=True)
class Publication:
    """What :func:`publish` made: ``manifest`` and ``filters`` for the tier's partners, the rest for the holder only."""

    manifest: bytes
    filters: Mapping[str, bytes]
    tables: Mapping[str, TokenTable]
    commitment_secret: bytes

    @property
    def manifest_digest(self) -> bytes:
        """SHA-256 of the manifest."""
        return hashlib.sha256(self.manifest).digest()

    def find(self, locator: bytes) -> tuple[str, TokenRecord] | None:
        """The kind and record published under ``locator``."""
        for kind, table in self.tables.items():
            if (record := table.find(locator)) is not None:
                return kind, record
        return None

    def save(self, folder: Path) -> None:
        """Write the publication as a new folder, complete or not at all. Raises ``FileExistsError`` if it exists."""
        if folder.exists():
            raise FileExistsError(f"{folder} exists; a publication is never overwritten")
        growing = folder.with_name(folder.name + ".partial")
        shutil.rmtree(growing, ignore_errors=True)  # what a killed process left half done
        growing.mkdir(mode=0o700, parents=True)
        (growing / _MANIFEST).write_bytes(self.manifest)
        (growing / _SECRET).write_bytes(self.commitment_secret)
        for kind, data in self.filters.items():
            (growing / f"{kind}.filter").write_bytes(data)
            (growing / f"{kind}.tokens").write_bytes(bytes(self.tables[kind]))
        growing.rename(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Open a saved publication; filters are checked against the manifest, token tables stay on disk."""
        manifest = Manifest.parse((folder / _MANIFEST).read_bytes())
        kinds = [entry.kind for entry in manifest.kinds]
        loaded = {kind: (folder / f"{kind}.filter").read_bytes() for kind in kinds}
        open_filters(manifest, loaded)
        tables = {kind: TokenTable.open(folder / f"{kind}.tokens") for kind in kinds}
        return cls(manifest.to_bytes(), loaded, tables, (folder / _SECRET).read_bytes())


def open_filters(manifest: Manifest, encoded: Mapping[str, bytes]) -> dict[str, filters.Filter]:
    """The manifest's filters, one a kind. Raises :class:`ManifestError` on a missing, foreign or altered one."""
    opened = {}
    for entry in manifest.kinds:
        data = encoded.get(entry.kind)
        if data is None or hashlib.sha256(data).digest() != entry.filter_digest:
            raise ManifestError(f"the filter of {entry.kind} is not the one that the manifest names; ask for it again")
        opened[entry.kind] = filters.Filter.parse(data)
        if opened[entry.kind].count != entry.count:
            raise ManifestError(f"the filter of {entry.kind} does not hold the manifest's count; ask for it again")
    return opened


class _PublishedKind(NamedTuple):
    entry: KindEntry
    filter: bytes
    tokens: list[Token]
    refs: list[tuple[str, ...]]


def publish(
    *,
    seed: bytes,
    holder: str,
    epoch: str,
    tier: str,
    valid_from: datetime,
    valid_until: datetime,
    items: Iterable[Item],
    rng: Random,
    progress: Progress | None = None,
) -> Publication:
    """Step 0: tokenise each distinct value once under the tier's keys, build the filters, commit, write the manifest.

    ``valid_from`` and ``valid_until`` carry a time zone and whole seconds, at most 30 days apart. Raises
    :class:`InputError`.
    """
    valid_from, valid_until = (_whole_seconds(moment) for moment in (valid_from, valid_until))
    values = by_kind(items)
    secret = rng(commitments.SECRET_BYTES)
    manifest = Manifest(
        holder=holder,
        epoch=epoch,
        tier=tier,
        valid_from=valid_from,
        valid_until=valid_until,
        commitment_root=commitments.holding_root(
            secret, ((kind, v) for kind, listed in values.items() for v in listed)
        ),
        kinds=(),
    )
    manifest.require_sound()
    published = _publish_kinds(seed, manifest, values, rng, progress or _silent)
    manifest = replace(manifest, kinds=tuple(kind.entry for kind in published))
    digest = manifest.digest
    return Publication(
        manifest=manifest.to_bytes(),
        filters={kind.entry.kind: kind.filter for kind in published},
        tables={kind.entry.kind: _table(kind, digest) for kind in published},
        commitment_secret=secret,
    )


def _publish_kinds(
    seed: bytes,
    manifest: Manifest,
    values: Mapping[str, Mapping[str, tuple[str, ...]]],
    rng: Random,
    progress: Progress,
) -> list[_PublishedKind]:
    done, total = 0, sum(map(len, values.values()))
    published = []
    for kind, listed in values.items():
        key = keys.kind_key(seed, holder=manifest.holder, epoch=manifest.epoch, tier=manifest.tier, kind=kind)
        inputs = [keys.oprf_input(kind, value) for value in listed]
        made: list[Token] = []
        for start in range(0, len(inputs), _TOKENISE_AT_ONCE):
            part = inputs[start : start + _TOKENISE_AT_ONCE]
            made += [tokens.token(output) for output in voprf.evaluate(key, part)]
            done += len(part)
            progress(done, total)
        data = filters.build(*filter_columns(made), rng)
        entry = KindEntry(kind, key.public, filters.padded_count(len(made)), hashlib.sha256(data).digest())
        published.append(_PublishedKind(entry, data, made, list(listed.values())))
    return published


def filter_columns(of: Sequence[Token]) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
    """The tokens' slot bits and fingerprints, as :mod:`palermo.blind.filters` takes them."""
    rows = np.frombuffer(b"".join(map(tokens.fingerprint, of)), np.dtype([("where", ">u8"), ("what", ">u4")]))
    return rows["where"].astype(np.uint64), rows["what"].astype(np.uint32)


def _table(kind: _PublishedKind, manifest_digest: bytes) -> TokenTable:
    records = (
        TokenRecord(tokens.locator(one, manifest_digest), tokens.querier_key(one), tokens.holder_key(one), refs)
        for one, refs in zip(kind.tokens, kind.refs, strict=True)
    )
    return TokenTable(token_table.encode(records))


def _whole_seconds(moment: datetime) -> datetime:
    if moment.tzinfo is None or moment.microsecond:
        raise InputError(f"{moment.isoformat()} must have a time zone and whole seconds; drop its fraction")
    return moment.astimezone(UTC)


def _silent(done: int, total: int) -> None:
    """Report nothing."""
