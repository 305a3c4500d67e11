"""Appending: an entry, or padding, at the end of the log, in the caller's transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from palermo.node import restored
from palermo.node.ledger import tree
from palermo.node.ledger.models import Entry, Log
from palermo.node.ledger.rows import EntryRow, entry_row
from palermo.node.office.errors import NodeError
from palermo.sealing.leaf import leaf_bytes, salt_fields
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.records import format_time

SEARCHED = ("kind", "counterparty", "recorded_at")
PADDING = "padding"


class RestoredError(NodeError):
    """The node was restored from a back-up, and others have seen entries of its log that it lacks."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            "This node was restored from a back-up. It appends and sends nothing until its log was recovered from its "
            "witnesses: palermo node recover --home HOME says how far that is."
        )


def hold() -> Log:
    """Lock the log until the caller's transaction ends, so that what is locked after it is locked in one order."""
    return Log.objects.select_for_update().get_or_create(pk=1)[0]


def require_whole() -> None:
    """Raises :class:`RestoredError` where the log is not what others know: to go on would show them two histories."""
    if restored.log_is_behind():
        raise RestoredError


@transaction.atomic
def append(*, kind: str, counterparty: str, fields: Mapping[str, str], now: datetime) -> EntryRow:
    """Add one entry, in the caller's transaction: if that fails, there is no entry and no index is used up.

    ``kind``, ``counterparty`` and the time become the leaf's first three fields, then ``fields`` in their order, each
    with a fresh salt. ``fields`` are digests and references, never content. Raises ``ValueError`` for a name taken, and
    :class:`RestoredError`.
    """
    if not fields.keys().isdisjoint(SEARCHED):
        raise ValueError(f"the ledger writes the fields {', '.join(SEARCHED)} itself")
    require_whole()
    return append_to(hold(), kind=kind, counterparty=counterparty, fields=fields, now=now)


def append_to(log: Log, *, kind: str, counterparty: str, fields: Mapping[str, str], now: datetime) -> EntryRow:
    """The same at the end of a log that is locked already."""
    entry = _entry(log.size, kind, counterparty, fields, now)
    entry.save(force_insert=True)
    _grow(log, [entry])
    return entry_row(entry)


def pad(log: Log, number: int, now: datetime) -> None:
    """Add entries that disclose nothing and look, to whoever sees leaf hashes alone, like all others."""
    entries = [_entry(log.size + place, PADDING, "", {}, now) for place in range(number)]
    Entry.objects.bulk_create(entries)
    _grow(log, entries)


def _entry(index: int, kind: str, counterparty: str, fields: Mapping[str, str], now: datetime) -> Entry:
    values = [("kind", kind), ("counterparty", counterparty), ("recorded_at", format_time(now)), *fields.items()]
    salted = salt_fields(values)
    leaf = leaf_bytes(salted)
    return Entry(
        index=index,
        kind=kind,
        counterparty=counterparty,
        recorded_at=now,
        fields=[[field.name, field.value, field.salt.hex()] for field in salted],
        leaf=leaf,
        leaf_hash=leaf_hash(leaf),
    )


def _grow(log: Log, entries: Iterable[Entry]) -> None:
    hashes = [bytes(entry.leaf_hash) for entry in entries]
    tree.own().grow(log.size, hashes)
    log.size += len(hashes)
    log.save(update_fields=["size"])
