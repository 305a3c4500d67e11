"""What an auditor asks of the log: what was disclosed to whom in a period, and proof that nothing is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet

from palermo.node.directory import queries as directory
from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions.appending import PADDING
from palermo.node.ledger.cosigned import Cosigned, as_cosigned, newest_cosigned, own_checkpoints
from palermo.node.ledger.models import Entry
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.cosignature import verify_cosignature
from palermo.sealing.errors import SealingError
from palermo.sealing.leaf import LeafField, open_fields
from palermo.sealing.ledger_export import SHOWN, Heading, ShownLeaf, export_lines
from palermo.sealing.merkle import range_proof
from palermo.sealing.new_log import LogIdentity
from palermo.sealing.quorum import Cosignature
from palermo.sealing.records import format_time


@dataclass(frozen=True, slots=True)
class Disclosed:
    """How many entries of one kind there are with one partner, and when the first and the last were made.

    ``kind`` is "destroyed" for those whose retention has ended: what they were is gone, that they were is not.
    """

    kind: str
    counterparty: str
    number: int
    first_at: datetime
    last_at: datetime


def disclosed(officer: Actor, *, since: datetime, until: datetime) -> list[Disclosed]:
    """What was entered from ``since`` until before ``until``, by partner and kind; without padding."""
    policy.require(officer, "ledger.read")
    rows = _within(since, until).exclude(kind=PADDING).values("kind", "counterparty")
    counted = rows.annotate(number=Count("index"), first_at=Min("recorded_at"), last_at=Max("recorded_at"))
    return [Disclosed(**row) for row in counted.order_by("counterparty", "kind")]


def listed(officer: Actor, *, since: datetime, until: datetime) -> Iterator[tuple[int, str, str, datetime]]:
    """Number, kind, counterparty and time of each of these entries, in the log's order."""
    policy.require(officer, "ledger.read")
    rows = _within(since, until).exclude(kind=PADDING).order_by("index")
    return rows.values_list("index", "kind", "counterparty", "recorded_at").iterator(500)


def period(officer: Actor, *, since: datetime, until: datetime) -> tuple[int, int] | None:
    """The part of the log that holds every entry of a period: from a number up to a higher one; None for none."""
    policy.require(officer, "ledger.read")
    ends = _within(since, until).aggregate(first=Min("index"), last=Max("index"))
    return None if ends["first"] is None else (ends["first"], ends["last"] + 1)


def shown(officer: Actor, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """Entries from ``start`` up to ``end`` (not included), for an auditor: kind, recipient and time, and their proof.

    Lines of a file that ``palermo ledger verify`` checks; nothing else of an entry can be read from it. The newest
    checkpoint that a quorum of witnesses cosigned proves them, or the newest of all where that does not reach so far.
    Raises ``ConflictError`` where no signed checkpoint covers the entries, ``InvalidError`` for none.
    """
    policy.require(officer, "ledger.read")
    log = logs.of_entry(max(start, 0))
    if end is not None and end > start and logs.of_entry(end - 1) != log:
        raise InvalidError(f"These entries are of two logs: {log.origin} and one that followed. Export each by itself.")
    covering = _covering(log, end)
    if covering is None:
        raise ConflictError("No signed checkpoint covers these entries yet. Sign one, then export them.")
    last = log.first + covering.size
    end = last if end is None else end
    if not log.first <= start < end <= last:
        raise InvalidError(
            f"Choose entries that the log has, from a number up to a higher one: {log.origin} has those from "
            f"{log.first} to {last - 1} signed."
        )
    heading = Heading(
        authority=directory.own_code(),
        start=start - log.first,
        end=end - log.first,
        size=covering.size,
        checkpoint=covering.checkpoint,
        proof=range_proof(tree.own(log.number).nodes(), start - log.first, end - log.first, covering.size),
        directory=directory.directory_bytes(),
        trust_root=directory.directory_root().to_bytes(),
        cosignatures=tuple(one for one in covering.cosignatures if _in_force(covering.checkpoint, one)),
        new_logs=logs.beginnings(log),
    )
    return export_lines(heading, _shown_leaves(start, end, log.first))


def _in_force(checkpoint: str, one: Cosignature) -> bool:
    """Whether whoever checks the file can check it: by the key that the directory in it lists."""
    try:
        key = directory.cosigner_key(one.witness)
        verify_cosignature(checkpoint, one.lines, directory.log_origin(one.witness), key)
    except (SealingError, directory.DirectoryError):
        return False
    return True


def _within(since: datetime, until: datetime) -> QuerySet[Entry]:
    return Entry.objects.filter(recorded_at__gte=since, recorded_at__lt=until)


def _covering(log: LogIdentity, end: int | None) -> Cosigned | None:
    """The checkpoint of a log to prove entries up to ``end`` by; all that is signed for None."""
    cosigned, size = newest_cosigned(log), (end or 0) - log.first
    if cosigned is not None and end is not None and size <= cosigned.size:
        return cosigned
    newest = own_checkpoints(log).prefetch_related("cosignatures").first()
    return as_cosigned(newest, log) if newest is not None and size <= newest.size else None


def _shown_leaves(start: int, end: int, first: int) -> Iterator[ShownLeaf]:
    rows = Entry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    rows = rows.only("fields", "leaf", "leaf_hash", "destroyed_at", "destroyed_under")
    for row in rows.iterator(chunk_size=500):
        place = row.index - first
        if row.destroyed_at is not None:
            expired = f"{format_time(row.destroyed_at)}, {row.destroyed_under}"
            leaf = bytes(row.leaf)
            yield ShownLeaf(place, leaf, (), expired, b"" if leaf else bytes(row.leaf_hash))
            continue
        fields = [LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in row.fields]
        yield ShownLeaf(place, bytes(row.leaf), open_fields(fields, SHOWN))
