"""Reads of the ledger, and its proofs."""

from collections.abc import Callable
from datetime import datetime

from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions.appending import PADDING
from palermo.node.ledger.beginnings import Begun, begun
from palermo.node.ledger.checking import check
from palermo.node.ledger.cosigned import (
    Cosigned,
    WitnessRow,
    cosigned,
    newest_cosigned,
    own_checkpoints,
    quorum_possible,
    witness_rows,
)
from palermo.node.ledger.disclosures import Disclosed, disclosed, listed, period, shown
from palermo.node.ledger.kept import kept_logs, newest_held
from palermo.node.ledger.logs import of_entry as log_of
from palermo.node.ledger.models import Entry, Log, Witnessed
from palermo.node.ledger.rows import (
    ConsistencyProof,
    EntryRow,
    Fault,
    InclusionProof,
    WitnessedRow,
    committed_row,
    entry_row,
    witnessed_row,
)
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError, NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing.leaf import LeafField
from palermo.sealing.merkle import consistency_proof, inclusion_proof

__all__ = [
    "PAGE",
    "Begun",
    "ConsistencyProof",
    "Cosigned",
    "Disclosed",
    "EntryRow",
    "Fault",
    "InclusionProof",
    "WitnessRow",
    "WitnessedRow",
    "begun",
    "check",
    "consistency",
    "cosigned",
    "disclosed",
    "entries",
    "entry",
    "inclusion",
    "kept_logs",
    "listed",
    "log_of",
    "newest_checkpoint",
    "newest_cosigned",
    "newest_held",
    "opened",
    "period",
    "quorum_possible",
    "shown",
    "size",
    "witness_rows",
    "witnessed",
]

PAGE = 50


def entries(
    officer: Actor,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: str | None = None,
    counterparty: str | None = None,
    exactly: bool = False,
    page: int = 1,
) -> list[EntryRow]:
    """A page of entries, newest first; padding only for that ``kind``.

    ``kind`` also finds its sub-kinds ("sent" finds "sent.palermo/…") unless ``exactly`` this kind and this counterparty
    are meant; the empty counterparty is nobody.
    """
    policy.require(officer, "ledger.read")
    rows = Entry.objects.order_by("-index")
    if since is not None:
        rows = rows.filter(recorded_at__gte=since)
    if until is not None:
        rows = rows.filter(recorded_at__lt=until)
    if exactly:
        rows = rows.filter(kind=kind or "", counterparty=counterparty or "")
    elif kind:
        rows = rows.filter(kind__startswith=kind)
    else:
        rows = rows.exclude(kind=PADDING)
    if counterparty:
        rows = rows.filter(counterparty=counterparty)
    start = (page - 1) * PAGE
    shown = _shown_to(officer)
    return [shown(row) for row in rows[start : start + PAGE]]


def entry(officer: Actor, index: int) -> EntryRow:
    """One entry."""
    policy.require(officer, "ledger.read")
    return _shown_to(officer)(_entry(index))


def _shown_to(officer: Actor) -> Callable[[Entry], EntryRow]:
    """How this officer sees an entry: whole, or with commitments for all but kind, counterparty, time and message."""
    return entry_row if policy.allows(officer, "ledger.read_fields") else committed_row


def opened(index: int) -> tuple[LeafField, ...]:
    """An entry's fields with their salts, in the leaf's order. Internal: the caller decides which of them to show.

    Raises ``NotFoundError`` without that entry, and when its fields were destroyed.
    """
    row = _entry(index)
    if row.destroyed_at is not None:
        raise NotFoundError
    return tuple(LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in row.fields)


def size() -> int:
    """How many entries the ledger has counted: the number of the next one."""
    return Log.objects.filter(pk=1).values_list("size", flat=True).first() or 0


def newest_checkpoint() -> str:
    """The newest signed checkpoint's text; "" before the first."""
    return own_checkpoints().values_list("text", flat=True).first() or ""


def inclusion(index: int, size: int | None = None) -> InclusionProof:
    """Proof that an entry is in its log, under the newest checkpoint of that or under that of ``size``.

    Raises ``NotFoundError`` without that entry, ``ConflictError`` when the checkpoint does not exist or is older than
    the entry: make one first with ``actions.checkpoint``.
    """
    leaf, log = bytes(_entry(index).leaf), logs.of_entry(index)
    place, signed = index - log.first, own_checkpoints(log)
    newest = (signed if size is None else signed.filter(size=size)).first()
    if newest is None or newest.size <= place:
        raise ConflictError("No signed checkpoint covers this entry yet. Sign one, then ask for the proof again.")
    hashes = inclusion_proof(tree.own(log.number).nodes(), place, newest.size)
    return InclusionProof(leaf, place, newest.size, hashes, newest.text, logs.beginnings(log))


def consistency(old: int, new: int) -> ConsistencyProof:
    """Proof that the log of ``new`` entries continues that of ``old``. Raises ``ProofError`` for sizes it never had."""
    return ConsistencyProof(old, new, consistency_proof(tree.own(logs.own().number).nodes(), old, new))


def witnessed(officer: Actor, partner: str, *, page: int = 1) -> list[WitnessedRow]:
    """A page of a partner's checkpoints as seen here, newest first."""
    policy.require(officer, "partners.read")
    start = (page - 1) * PAGE
    rows = Witnessed.objects.filter(partner=partner).order_by("-size", "-pk")[start : start + PAGE]
    return [witnessed_row(row) for row in rows]


def _entry(index: int) -> Entry:
    found = Entry.objects.filter(index=index).first()
    if found is None:
        raise NotFoundError
    return found
