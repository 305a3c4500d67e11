"""What blind match keeps on disk: epoch seeds, our publications, and the filters that partners sent.

::

    epochs/EPOCH.seed                      32 bytes, mode 0600, written whole, destroyed when the epoch ends
    publications/own/EPOCH/TIER/           a publication of ours (``blind.Publication``), destroyed with the seed
    publications/received/DIGEST/KIND.filter   a partner's filters, by the digest of the manifest they belong to

Destroying is removal: on a disk that keeps old blocks only full-disk encryption makes it final (docs say so).
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from palermo.blind import Manifest, Publication
from palermo.node import home


class SeedGoneError(Exception):
    """The seed of an epoch has been destroyed, so that nothing more can be evaluated in it."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        super().__init__(f"the epoch {epoch} has ended and its seed is destroyed; start again under a newer manifest")


def write_seed(epoch: str, seed: bytes) -> None:
    """Keep the seed of a new epoch, once: an epoch that has one keeps it."""
    path = _seed_path(epoch)
    if not path.exists():
        _write_whole(path, seed)


def read_seed(epoch: str) -> bytes:
    """The seed of a running epoch. Raises `SeedGoneError`."""
    try:
        return _seed_path(epoch).read_bytes()
    except FileNotFoundError:
        raise SeedGoneError(epoch) from None


def destroy_epoch(epoch: str) -> None:
    """Remove the seed and the publications of an epoch; what is gone already stays gone."""
    with suppress(FileNotFoundError):
        _seed_path(epoch).unlink()
    shutil.rmtree(_own_folder(epoch), ignore_errors=True)


def epochs_on_disk() -> set[str]:
    """Codes of the epochs that have a seed or a publication here."""
    seeds = {path.stem for path in home.epoch_seeds_folder().glob("*.seed")}
    own = home.publications_folder() / "own"
    return seeds | ({path.name for path in own.iterdir()} if own.is_dir() else set())


def save_publication(epoch: str, tier: str, publication: Publication) -> None:
    """Keep a publication of ours; what a killed worker left half written is thrown away first."""
    folder = publication_folder(epoch, tier)
    shutil.rmtree(folder.with_name(folder.name + ".partial"), ignore_errors=True)
    publication.save(folder)


def discard_publication(epoch: str, tier: str) -> None:
    """Remove a publication of ours that was not offered yet."""
    shutil.rmtree(publication_folder(epoch, tier))


def publication_folder(epoch: str, tier: str) -> Path:
    """Where a publication of ours lies."""
    return _own_folder(epoch) / tier


def save_filters(manifest_digest: str, filters: Mapping[str, bytes]) -> None:
    """Keep a partner's filters; the digest names them, so writing them again changes nothing."""
    folder = _received_folder(manifest_digest)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for kind, data in filters.items():
        _write_whole(folder / f"{kind}.filter", data)


def read_filters(manifest: Manifest) -> dict[str, bytes]:
    """The filters of a partner's manifest, by kind; the blind library checks them against it."""
    folder = _received_folder(manifest.digest.hex())
    return {entry.kind: (folder / f"{entry.kind}.filter").read_bytes() for entry in manifest.kinds}


def destroy_filters(manifest_digest: str) -> None:
    """Remove a partner's filters once no run can use them."""
    shutil.rmtree(_received_folder(manifest_digest), ignore_errors=True)


def _seed_path(epoch: str) -> Path:
    return home.epoch_seeds_folder() / f"{epoch}.seed"


def _own_folder(epoch: str) -> Path:
    return home.publications_folder() / "own" / epoch


def _received_folder(manifest_digest: str) -> Path:
    return home.publications_folder() / "received" / manifest_digest


def _write_whole(path: Path, data: bytes) -> None:
    """Write under a temporary name, on disk, then rename: a reader sees all of it or nothing."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
