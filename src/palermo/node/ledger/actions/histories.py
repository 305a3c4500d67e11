"""Checkpoints that were seen: kept, held against one another, and a log that shows two histories named.

Two signed checkpoints of one log cannot both be right when they are of one size and have two roots, when the tiles that
this node keeps as a witness give another root at that size, or when the log proves with hashes of its own that the
smaller does not lead to the larger. Then both are kept, an entry is made, and an auditor is told who showed them.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.ledger import tree
from palermo.node.ledger.actions.appending import append, hold
from palermo.node.ledger.models import Witnessed, WitnessedLog
from palermo.node.ledger.rows import WitnessedRow, witnessed_row
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor, Role
from palermo.sealing.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from palermo.sealing.errors import ProofError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.merkle import verify_consistency
from palermo.sealing.witnessing import ProofAnswer


@transaction.atomic
def witness(partner: str, checkpoint_text: str, *, now: datetime) -> WitnessedRow:
    """Keep a partner's checkpoint. One that cannot be of the log seen before is kept too, as proof, and a person told.

    Raises ``SealingError`` for a text that is not this partner's checkpoint.
    """
    seen = verify_checkpoint(
        checkpoint_text, *directory.verify_keys(partner, now), origin=directory.log_origin(partner)
    )
    return witnessed_row(keep(partner, seen, now))


@transaction.atomic
def witness_own(holder: str, checkpoint_text: str, *, now: datetime) -> None:
    """Hold a checkpoint of this node's own log, which a partner showed, against the log.

    One that is not of this log is kept as proof and told to a person: the node was restored from a copy, or others sign
    with its key. Raises ``SealingError`` for a text that this authority did not sign.
    """
    code = directory.own_code()
    seen = verify_checkpoint(checkpoint_text, *own_verify_keys(), origin=directory.own_log_origin())
    if _is_kept(code, seen):
        return
    log = hold()
    if seen.size <= log.size and tree.own().root(seen.size) == seen.root:
        return
    row = _create(code, seen, now)
    size = log.size if seen.size > log.size else seen.size
    append(kind="witness.own_second_history", counterparty=holder, fields={"size": str(seen.size)}, now=now)
    office.audit(None, "ledger.own_second_history", f"{holder} at size {row.size}", now=now)
    office.add_task(
        key=_task_key(code, row.size),
        title=f"{holder} holds a checkpoint of {seen.size} entries, signed with this node's key, that is not of this "
        f"node's log (which has {size} entries to compare). Was the node restored, or is its key in other hands?",
        link=f"/partners/{code}/",
        role=Role.AUDITOR,
        now=now,
    )


@transaction.atomic
def asked_for_proof(keys: Iterable[int], *, now: datetime) -> None:
    """Note that the partner was asked to prove that these checkpoints (primary keys) are of one history."""
    Witnessed.objects.filter(pk__in=list(keys)).update(asked_at=now)


@transaction.atomic
def take_proof(partner: str, answer: ProofAnswer, *, now: datetime) -> None:
    """Check a partner's consistency proof between two checkpoints of its log that were seen here.

    Raises ``ProofError`` for a proof that does not hold: it proves nothing, for good or ill, and is asked for again.
    """
    hold()
    rows = {
        size: list(Witnessed.objects.filter(partner=partner, size=size, conflicts_with__isnull=True))
        for size in (answer.old, answer.new)
    }
    if not all(rows.values()):
        raise ProofError("consistency proof", "is between checkpoints that were not seen here")
    old, new = rows[answer.old][0], rows[answer.new][0]
    verify_consistency(old.size, new.size, bytes(old.root), bytes(new.root), answer.hashes)
    if _before(new) == old:
        Witnessed.objects.filter(pk=new.pk).update(proven=True)


@transaction.atomic
def name_unproven(key: int, *, now: datetime) -> None:
    """Tell an auditor of a checkpoint (by primary key) that its log did not prove to continue the one before it."""
    row = Witnessed.objects.get(pk=key)
    office.add_task(
        key=_task_key(row.partner, row.size),
        title=f"The log of {row.partner} was asked to prove that its checkpoint of {row.size} entries continues the "
        "one seen before, and did not: it may show two histories.",
        link=f"/partners/{row.partner}/",
        role=Role.AUDITOR,
        now=now,
    )


@transaction.atomic
def acknowledge_second_history(officer: Actor, partner: str, *, now: datetime) -> None:
    """Note that a person has looked into a log's second history and acted on it; the proof stays."""
    policy.require(officer, "ledger.read")
    shown = Witnessed.objects.filter(partner=partner)
    if partner != directory.own_code():
        shown = shown.filter(Q(conflicts_with__isnull=False) | Q(proven=False))
    sizes = sorted(set(shown.values_list("size", flat=True)))
    if not sizes:
        raise NotFoundError
    for size in sizes:
        office.finish_task(_task_key(partner, size), now=now)
    office.audit(officer, "ledger.second_history_acknowledged", partner, now=now)


def own_verify_keys() -> list[VerifyKey]:
    """Every key with which this authority ever signed its log."""
    return [own_keys.signing_key().public, *directory.verify_keys(directory.own_code())]


def keep(partner: str, seen: Checkpoint, now: datetime) -> Witnessed:
    """Keep a verified checkpoint of a partner's log, once; say so if it makes two histories."""
    known = list(Witnessed.objects.filter(partner=partner, size=seen.size).order_by("pk"))
    for row in known:
        if bytes(row.root) == seen.root:
            return row
    hold()
    row = _create(partner, seen, now)
    if known:
        accuse(row, known[0], now)
    else:
        _place(row, now)
    return row


def compare(partner: str, rows: Iterable[Witnessed], now: datetime) -> None:
    """Hold checkpoints against the tiles that this node keeps as the log's witness, as far as they reach."""
    held = WitnessedLog.objects.filter(partner=partner).first()
    kept = tree.of(partner)
    for row in rows:
        if held is None or row.size > held.size:
            continue
        if kept.root(row.size) == bytes(row.root):
            row.proven = True
            row.save(update_fields=["proven"])
        elif row.conflicts_with_id is None:
            accuse(row, row_of(held, now), now)


def accuse(row: Witnessed, other: Witnessed, now: datetime) -> None:
    """Two signed checkpoints of one log that cannot both be right: keep them as proof, enter it, tell an auditor."""
    row.conflicts_with, row.proven = other, False
    row.save(update_fields=["conflicts_with", "proven"])
    sizes = f"two signed roots for its first {row.size} entries"
    if row.size != other.size:
        sizes = f"its signed checkpoints of {other.size} and {row.size} entries are not of one log"
    append(kind="witness.second_history", counterparty=row.partner, fields={"size": str(row.size)}, now=now)
    office.audit(None, "ledger.second_history", f"{row.partner} at size {row.size}", now=now)
    office.add_task(
        key=_task_key(row.partner, row.size),
        title=f"The log of {row.partner} shows two histories: {sizes}.",
        link=f"/partners/{row.partner}/",
        role=Role.AUDITOR,
        now=now,
    )


def row_of(held: WitnessedLog, now: datetime) -> Witnessed:
    """The checkpoint that this node last cosigned of a log, among those seen."""
    cosigned = parse_checkpoint(held.text)
    seen = Witnessed.objects.filter(partner=held.partner, size=cosigned.size, root=cosigned.root).first()
    return seen or _create(held.partner, cosigned, now, proven=True)


def _place(row: Witnessed, now: datetime) -> None:
    """Put a checkpoint among those seen: each is to continue the one before it, unless tiles say more."""
    compare(row.partner, [row], now)
    if row.conflicts_with_id is not None:
        return
    if _before(row) is None and not row.proven:
        row.proven = True  # the first: there is nothing yet that it could contradict
        row.save(update_fields=["proven"])
    after = _seen(row.partner).filter(size__gt=row.size).order_by("size").first()
    if after is not None and after.proven:
        after.proven, after.asked_at = False, None
        after.save(update_fields=["proven", "asked_at"])
        compare(row.partner, [after], now)


def _seen(partner: str) -> QuerySet[Witnessed]:
    """Checkpoints of a log that may all be of one history; that of the empty log says nothing."""
    return Witnessed.objects.filter(partner=partner, conflicts_with__isnull=True, size__gt=0)


def _before(row: Witnessed) -> Witnessed | None:
    return _seen(row.partner).filter(size__lt=row.size).order_by("-size").first()


def _is_kept(partner: str, seen: Checkpoint) -> bool:
    return Witnessed.objects.filter(partner=partner, size=seen.size, root=seen.root).exists()


def _create(partner: str, seen: Checkpoint, now: datetime, *, proven: bool = False) -> Witnessed:
    return Witnessed.objects.create(
        partner=partner, size=seen.size, root=seen.root, text=seen.text, seen_at=now, proven=proven
    )


def _task_key(partner: str, size: int) -> str:
    return f"ledger.second_history:{partner}:{size}"
