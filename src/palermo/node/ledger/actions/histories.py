"""Checkpoints that were seen: kept, held against one another, and a log that shows two histories named.

Two signed checkpoints of one log cannot both be right when they are of one size and have two roots, when the tiles that
this node keeps as a witness give another root at that size, or when the log proves with hashes of its own that the
smaller does not lead to the larger. A log that nobody opened (:mod:`.new_logs`) is a second history as well. Then both
are kept, an entry is made, and an auditor is told who showed them.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions.appending import append, hold
from palermo.node.ledger.models import Log, NewLog, Witnessed, WitnessedLog
from palermo.node.ledger.rows import WitnessedRow, witnessed_row
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor, Role
from palermo.sealing import new_log as sealed
from palermo.sealing.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from palermo.sealing.errors import ProofError, TrustError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.merkle import verify_consistency
from palermo.sealing.witnessing import ProofAnswer

UNANNOUNCED = (
    "is of the log {}, and no opening of it that the directory's recovery key signed has come: it is a second history"
)


def witness(partner: str, checkpoint_text: str, *, now: datetime) -> WitnessedRow:
    """Keep a partner's checkpoint. One that cannot be of the log seen before is kept too, as proof, and a person told.

    Raises ``SealingError`` for a text that is not this partner's checkpoint; and, after it was kept and named,
    ``TrustError`` for one of a log for which no opening has come.
    """
    with transaction.atomic():
        logs.number_of(partner, checkpoint_text)
        seen = verify_checkpoint(checkpoint_text, *directory.verify_keys(partner, now))
        row = keep(partner, seen, now)
        unannounced = is_unannounced(row)
    if unannounced:
        raise TrustError("checkpoint", UNANNOUNCED.format(seen.origin))
    return witnessed_row(row)


@transaction.atomic
def witness_own(holder: str, checkpoint_text: str, *, now: datetime) -> None:
    """Hold a checkpoint of this node's own log, which a partner showed, against the log.

    One that is not of this log is kept as proof and told to a person: the node was restored from a copy, or others sign
    with its key. Raises ``SealingError`` for a text that this authority did not sign.
    """
    code = directory.own_code()
    number = logs.number_of(code, checkpoint_text)
    seen = verify_checkpoint(checkpoint_text, *own_verify_keys())
    if Witnessed.objects.filter(partner=code, log=number, size=seen.size, root=seen.root).exists():
        return
    log = hold()
    if _is_ours(seen, number, log):
        return
    row = _create(code, seen, now)
    size = log.length if seen.size > log.length else seen.size
    append(kind="witness.own_second_history", counterparty=holder, fields={"size": str(seen.size)}, now=now)
    office.audit(None, "ledger.own_second_history", f"{holder} at size {row.size}", now=now)
    office.add_task(
        key=_task_key(row),
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
    of_log = _seen(partner, logs.of(partner).number)
    rows = {size: list(of_log.filter(size=size)) for size in (answer.old, answer.new)}
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
        key=_task_key(row),
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
    keys = sorted({_task_key(row) for row in shown})
    if not keys:
        raise NotFoundError
    for key in keys:
        office.finish_task(key, now=now)
    office.audit(officer, "ledger.second_history_acknowledged", partner, now=now)


def own_verify_keys() -> list[VerifyKey]:
    """Every key with which this authority ever signed its log."""
    return [own_keys.signing_key().public, *directory.verify_keys(directory.own_code())]


def keep(partner: str, seen: Checkpoint, now: datetime) -> Witnessed:
    """Keep a verified checkpoint of a partner's log, once; say so if it makes two histories."""
    number = logs.number_of(partner, seen.text)
    known = list(Witnessed.objects.filter(partner=partner, log=number, size=seen.size).order_by("pk"))
    for row in known:
        if bytes(row.root) == seen.root:
            return row
    hold()
    row = _create(partner, seen, now)
    if is_unannounced(row):
        _name_unannounced(row, now)
    elif known:
        accuse(row, known[0], now)
    else:
        _place(row, now)
    return row


def is_unannounced(row: Witnessed) -> bool:
    """Whether a checkpoint is of a log for which no opening has come."""
    return row.log > logs.of(row.partner).number


def _name_unannounced(row: Witnessed, now: datetime) -> None:
    """A log that nobody opened: it is a second history beside the one that is known."""
    present = logs.of(row.partner)
    other = _seen(row.partner, present.number).order_by("-size").first()
    said = f"it signs {parse_checkpoint(row.text).origin} beside {present.origin}, which the recovery key did not open"
    accuse(row, other, now, said)


def compare(partner: str, rows: Iterable[Witnessed], now: datetime) -> None:
    """Hold checkpoints against the tiles that this node keeps as the log's witness, as far as they reach."""
    held = WitnessedLog.objects.filter(partner=partner).first()
    if held is None:
        return
    number = logs.number_of(partner, held.text)
    kept = tree.of(partner, number)
    for row in rows:
        if row.log != number or row.size > held.size:
            continue
        if kept.root(row.size) == bytes(row.root):
            row.proven = True
            row.save(update_fields=["proven"])
        elif row.conflicts_with_id is None:
            accuse(row, row_of(held, now), now)


def accuse(row: Witnessed, other: Witnessed | None, now: datetime, said: str = "") -> None:
    """Two signed checkpoints that cannot both be right: keep them as proof, enter it, tell an auditor.

    ``said``: in what way, where it is not one log that gives two roots. ``other``: None where nothing else was seen.
    """
    row.conflicts_with, row.proven = other, False
    row.save(update_fields=["conflicts_with", "proven"])
    sizes = said or f"two signed roots for its first {row.size} entries"
    if not said and other is not None and row.size != other.size:
        sizes = f"its signed checkpoints of {other.size} and {row.size} entries are not of one log"
    append(kind="witness.second_history", counterparty=row.partner, fields={"size": str(row.size)}, now=now)
    office.audit(None, "ledger.second_history", f"{row.partner} at size {row.size}", now=now)
    office.add_task(
        key=_task_key(row),
        title=f"The log of {row.partner} shows two histories: {sizes}.",
        link=f"/partners/{row.partner}/",
        role=Role.AUDITOR,
        now=now,
    )


def withdraw(row: Witnessed, now: datetime) -> None:
    """Take back that a checkpoint is of a second history: the opening of its log has come after it."""
    row.conflicts_with, row.proven, row.asked_at = None, False, None
    row.save(update_fields=["conflicts_with", "proven", "asked_at"])
    office.finish_task(_task_key(row), now=now)
    office.audit(None, "ledger.second_history_withdrawn", f"{row.partner} at size {row.size}", now=now)


def row_of(held: WitnessedLog, now: datetime) -> Witnessed:
    """The checkpoint that this node last cosigned of a log, among those seen."""
    cosigned = parse_checkpoint(held.text)
    of_log = Witnessed.objects.filter(partner=held.partner, log=logs.number_of(held.partner, held.text))
    seen = of_log.filter(size=cosigned.size, root=cosigned.root).first()
    return seen or _create(held.partner, cosigned, now, proven=True)


def _place(row: Witnessed, now: datetime) -> None:
    """Put a checkpoint among those seen: each is to continue the one before it, unless tiles say more."""
    compare(row.partner, [row], now)
    if row.conflicts_with_id is not None:
        return
    if _before(row) is None and not row.proven:
        row.proven = True  # the first: there is nothing yet that it could contradict
        row.save(update_fields=["proven"])
    after = _seen(row.partner, row.log).filter(size__gt=row.size).order_by("size").first()
    if after is not None and after.proven:
        after.proven, after.asked_at = False, None
        after.save(update_fields=["proven", "asked_at"])
        compare(row.partner, [after], now)


def _seen(partner: str, log: int) -> QuerySet[Witnessed]:
    """Checkpoints of a log that may all be of one history; that of the empty log says nothing."""
    return Witnessed.objects.filter(partner=partner, log=log, conflicts_with__isnull=True, size__gt=0)


def _before(row: Witnessed) -> Witnessed | None:
    return _seen(row.partner, row.log).filter(size__lt=row.size).order_by("-size").first()


def _is_ours(seen: Checkpoint, number: int, log: Log) -> bool:
    """Whether a checkpoint signed with our key is of our log of that number, as far as that is here or is cited."""
    if number >= log.number:
        fits = number == log.number and seen.size <= log.length
        return fits and tree.own(number).root(seen.size) == seen.root
    followed = NewLog.objects.get(authority=directory.own_code(), number=number + 1)
    first = next(one.identity.first for one in logs.all_own() if one.identity.number == number)
    if seen.size <= followed.kept - first:
        return tree.own(number).root(seen.size) == seen.root
    opening = sealed.claimed_opening(logs.read(followed).statement)
    cited = parse_checkpoint(opening.checkpoint) if opening.checkpoint else None
    return cited is not None and (seen.size < cited.size or (seen.size, seen.root) == (cited.size, cited.root))


def _create(partner: str, seen: Checkpoint, now: datetime, *, proven: bool = False) -> Witnessed:
    return Witnessed.objects.create(
        partner=partner,
        log=logs.number_of(partner, seen.text),
        size=seen.size,
        root=seen.root,
        text=seen.text,
        seen_at=now,
        proven=proven,
    )


def _task_key(row: Witnessed) -> str:
    of_log = f":{row.log}" if row.log > 1 else ""
    return f"ledger.second_history:{row.partner}:{row.size}{of_log}"
