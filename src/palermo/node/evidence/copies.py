"""Where the bytes of an item lie besides its row, and how all of them go: "deletions travel" begins at home.

An original lies once under its digest, however many items name it: it goes when none of them is left. A stored package
holds the bytes too, and goes as a whole; what else was in it stays as items of their own. Other rooms keep copies as
well (the message that brought a package): they register here how to erase theirs.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.db.models import Q

from palermo.node.evidence import blobs
from palermo.node.evidence.models import Item, Package
from palermo.node.home import packages_folder
from palermo.sealing.durable import sync_folder


class Eraser(Protocol):
    """Erases what another room keeps of a package, in the caller's transaction; says how many copies there were."""

    def __call__(self, package: str, *, now: datetime) -> int:
        """Erase it; again is no fault."""


_erasers: dict[str, Eraser] = {}


def register(room: str, eraser: Eraser) -> None:
    """Say how a room erases what it keeps of a package; the later registration counts."""
    _erasers[room] = eraser


def family(item: Item) -> list[Item]:
    """An item with all that came of it here: copies that consent brought into other cases, and copies of these."""
    found, wave = {item.pk: item}, [item.pk]
    while wave:
        children = [row for row in Item.objects.filter(copy_of__in=wave).order_by("pk") if row.pk not in found]
        found |= {row.pk: row for row in children}
        wave = [row.pk for row in children]
    return list(found.values())


def packages_with(items: Iterable[Item]) -> list[Package]:
    """Every stored package, received or sealed here, that holds the bytes of one of these items."""
    holding = Q(items__in=list(items))
    return list(Package.objects.filter(holding).distinct().order_by("pk"))


def unlink_files(items: Iterable[Item]) -> int:
    """Remove the files of destroyed items that nothing living needs any more; returns how many were there.

    Run it as often as you like: what is gone stays gone. Outside a transaction, before the statement is signed.
    """
    items = list(items)
    paths = [packages_folder() / package.file_name for package in packages_with(items)]
    digests = {item.sha256 for item in items if item.destroyed_at is not None}
    living = set(Item.objects.filter(sha256__in=digests, destroyed_at=None).values_list("sha256", flat=True))
    paths += [blobs.path_of(digest) for digest in sorted(digests - living)]
    return sum(_unlink(path) for path in paths)


def erase_elsewhere(packages: Iterable[Package], now: datetime) -> int:
    """Let every other room erase what it keeps of these packages; returns how many copies there were."""
    return sum(eraser(package.reference, now=now) for package in packages for eraser in _erasers.values())


def _unlink(path: Path) -> int:
    if not path.exists():
        return 0
    path.unlink()
    sync_folder(path.parent)
    return 1
