"""End the life of items: closed for every use, their custody ended, what described them taken away."""

from collections.abc import Iterable
from datetime import datetime

from palermo.node.evidence import chain
from palermo.node.evidence.models import Item
from palermo.node.office.policy import Actor
from palermo.sealing.custody import Verb

GONE = "Destroyed"
"""What stands in place of an item's description: the digests, the custody and the reason stay."""


def close_items(items: Iterable[Item], officer: Actor | None, why: str, now: datetime) -> None:
    """Close items that are to be destroyed, in the caller's transaction; those closed already stay as they are."""
    for item in items:
        if item.destroyed_at is not None:
            continue
        chain.record(item, Verb.DESTROYED, officer, now=now, how=why)
        item.what, item.name, item.how, item.where, item.collected_by = GONE, "", "", "", ""
        item.destroyed_at, item.hold = now, ""
        item.save()
