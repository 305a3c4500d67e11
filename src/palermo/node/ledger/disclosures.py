"""What an auditor asks of the log: what was disclosed to whom in a period, and proof that nothing is left out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet

from palermo.node.directory import queries as directory
from palermo.node.ledger import tree
from palermo.node.ledger.actions.appending import PADDING
from palermo.node.ledger.cosigned import Cosigned, as_cosigned, newest_cosigned, own_checkpoints
from palermo.node.ledger.models import Entry
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.leaf import LeafField, open_fields
from palermo.sealing.ledger_export import SHOWN, Heading, ShownLeaf, export_lines
from palermo.sealing.merkle import range_proof
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
    covering = _covering(end)
    if covering is None:
        raise ConflictError("No signed checkpoint covers these entries yet. Sign one, then export them.")
    end = covering.size if end is None else end
    if not 0 <= start < end:
        raise InvalidError("Choose entries that the log has: from a number up to a higher one.")
    heading = Heading(
        authority=directory.own_code(),
        start=start,
        end=end,
        size=covering.size,
        checkpoint=covering.checkpoint,
        proof=range_proof(tree.own().nodes(), start, end, covering.size),
        directory=directory.directory_bytes(),
        trust_root=directory.directory_root().to_bytes(),
        cosignatures=covering.cosignatures,
    )
    return export_lines(heading, _shown_leaves(start, end))


def _within(since: datetime, until: datetime) -> QuerySet[Entry]:
    return Entry.objects.filter(recorded_at__gte=since, recorded_at__lt=until)


def _covering(end: int | None) -> Cosigned | None:
    """The checkpoint to prove entries up to ``end`` by; all that is signed for None."""
    cosigned = newest_cosigned()
    if cosigned is not None and end is not None and end <= cosigned.size:
        return cosigned
    newest = own_checkpoints().prefetch_related("cosignatures").first()
    return as_cosigned(newest) if newest is not None and (end or 0) <= newest.size else None


def _shown_leaves(start: int, end: int) -> Iterator[ShownLeaf]:
    rows = Entry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    rows = rows.only("fields", "leaf", "leaf_hash", "destroyed_at", "destroyed_under")
    for row in rows.iterator(chunk_size=500):
        if row.destroyed_at is not None:
            expired = f"{format_time(row.destroyed_at)}, {row.destroyed_under}"
            leaf = bytes(row.leaf)
            yield ShownLeaf(row.index, leaf, (), expired, b"" if leaf else bytes(row.leaf_hash))
            continue
        fields = [LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in row.fields]
        yield ShownLeaf(row.index, bytes(row.leaf), open_fields(fields, SHOWN))
