"""Appending: an entry, or padding, at the end of the log, in the caller's transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

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


class Disclosure(NamedTuple):
    """What an entry is to say: ``fields`` are digests and references, never content."""

    kind: str
    counterparty: str
    fields: Mapping[str, str]


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


def append(*, kind: str, counterparty: str, fields: Mapping[str, str], now: datetime) -> EntryRow:
    """Add one entry, in the caller's transaction: :func:`append_all` of one."""
    return append_all([Disclosure(kind, counterparty, fields)], now=now)[0]


@transaction.atomic
def append_all(disclosures: Sequence[Disclosure], *, now: datetime) -> list[EntryRow]:
    """Add entries in this order, in the caller's transaction: if that fails, none is there and no index is used up.

    Kind, counterparty and the time become each leaf's first three fields, then its ``fields`` in their order, each with
    a fresh salt. The log's row and each tile that grows are written once, however many entries there are. Raises
    ``ValueError`` for a name taken, and :class:`RestoredError`.
    """
    if any(not disclosure.fields.keys().isdisjoint(SEARCHED) for disclosure in disclosures):
        raise ValueError(f"the ledger writes the fields {', '.join(SEARCHED)} itself")
    require_whole()
    return append_to(hold(), disclosures, now=now)


def append_to(log: Log, disclosures: Sequence[Disclosure], *, now: datetime) -> list[EntryRow]:
    """The same at the end of a log that is locked already."""
    entries = [_entry(index, disclosure, now) for index, disclosure in enumerate(disclosures, start=log.size)]
    _write(log, entries)
    return [entry_row(entry) for entry in entries]


def pad(log: Log, number: int, now: datetime) -> None:
    """Add entries that disclose nothing and look, to whoever sees leaf hashes alone, like all others."""
    _write(log, [_entry(log.size + place, Disclosure(PADDING, "", {}), now) for place in range(number)])


def _entry(index: int, disclosure: Disclosure, now: datetime) -> Entry:
    kind, counterparty, fields = disclosure
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


def _write(log: Log, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    Entry.objects.bulk_create(entries)
    hashes = [bytes(entry.leaf_hash) for entry in entries]
    tree.own(log.number).grow(log.length, hashes)
    log.size += len(hashes)
    log.save(update_fields=["size"])
