"""Frozen rows that queries and actions of the ledger return."""

from dataclasses import dataclass, replace
from datetime import datetime

from palermo.node.directory import queries as directory
from palermo.node.ledger.models import Entry, Witnessed
from palermo.sealing.leaf import LeafField
from palermo.sealing.new_log import NewLog

FOR_AUDITORS = frozenset({"kind", "counterparty", "recorded_at", "message"})


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry. ``leaf_hash`` in hex; ``fields``: name and value of all fields, in the leaf's order.

    ``withheld``: names of the fields of which the reader is shown the commitment, in hex, in place of the value.
    ``destroyed_at``, ``destroyed_under``: when, and by which rule, its fields were destroyed; it has none since then.
    """

    index: int
    kind: str
    counterparty: str
    recorded_at: datetime
    leaf_hash: str
    fields: tuple[tuple[str, str], ...]
    withheld: frozenset[str] = frozenset()
    destroyed_at: datetime | None = None
    destroyed_under: str = ""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That ``leaf`` stands at ``index`` of the log of ``size`` entries, which ``checkpoint`` signs; both from 0 on.

    ``new_logs``: where a log was lost, what traces this one back to the name that the directory lists.
    ``hashes``: the audit path of RFC 9162 section 2.1.3, nearest sibling first, 32 bytes each.
    """

    leaf: bytes
    index: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    new_logs: tuple[NewLog, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the log of ``new_size`` begins with all of the log of ``old_size`` (RFC 9162 section 2.1.4)."""

    old_size: int
    new_size: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class WitnessedRow:
    """A partner's checkpoint that was seen here. ``root`` in hex. ``conflicts``: it belongs to a second history.

    ``proven``: it was seen to continue those before it.
    """

    partner: str
    size: int
    root: str
    text: str
    seen_at: datetime
    conflicts: bool
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Something stored that does not fit. ``what``: the kind of thing; ``where``: which; ``detail``: how it differs.

    ``entry``: the first entry of the log that it touches, None where it touches none of this log.
    """

    what: str
    where: str
    detail: str
    entry: int | None = None


def entry_row(entry: Entry) -> EntryRow:
    """The row of a model instance."""
    return EntryRow(
        index=entry.index,
        kind=entry.kind,
        counterparty=entry.counterparty,
        recorded_at=entry.recorded_at,
        leaf_hash=bytes(entry.leaf_hash).hex(),
        fields=tuple((name, value) for name, value, _ in entry.fields),
        destroyed_at=entry.destroyed_at,
        destroyed_under=entry.destroyed_under,
    )


def committed_row(entry: Entry) -> EntryRow:
    """The row as an auditor sees it: what, to whom, when and in which message; of the rest the commitments alone."""
    fields = [LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in entry.fields]
    withheld = frozenset(field.name for field in fields) - FOR_AUDITORS
    shown = ((field.name, field.commitment.hex() if field.name in withheld else field.value) for field in fields)
    return replace(entry_row(entry), fields=tuple(shown), withheld=withheld)


def witnessed_row(row: Witnessed) -> WitnessedRow:
    """The row of a model instance."""
    return WitnessedRow(
        row.partner,
        row.size,
        bytes(row.root).hex(),
        row.text,
        row.seen_at,
        conflicts=row.conflicts_with_id is not None or row.partner == directory.own_code(),
        proven=row.proven,
    )
