"""Writes of the ledger: an entry, a signed checkpoint, a partner's checkpoint that was seen."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.ledger import tree
from palermo.node.ledger.models import Checkpoint, Entry, Log, Witnessed
from palermo.node.ledger.rows import EntryRow, WitnessedRow, entry_row, witnessed_row
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor, Role
from palermo.sealing.checkpoint import sign_checkpoint, verify_checkpoint
from palermo.sealing.leaf import leaf_bytes, salt_fields
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.records import format_time

SEARCHED = ("kind", "counterparty", "recorded_at")


def hold() -> Log:
    """Lock the log until the caller's transaction ends, so that what is locked after it is locked in one order."""
    return Log.objects.select_for_update().get_or_create(pk=1)[0]


@transaction.atomic
def append(*, kind: str, counterparty: str, fields: Mapping[str, str], now: datetime) -> EntryRow:
    """Add one entry, in the caller's transaction: if that fails, there is no entry and no index is used up.

    ``kind``, ``counterparty`` and the time become the leaf's first three fields, then ``fields`` in their order, each
    with a fresh salt. ``fields`` are digests and references, never content. Raises ``ValueError`` for a name taken.
    """
    if not fields.keys().isdisjoint(SEARCHED):
        raise ValueError(f"the ledger writes the fields {', '.join(SEARCHED)} itself")
    log = hold()
    values = [("kind", kind), ("counterparty", counterparty), ("recorded_at", format_time(now)), *fields.items()]
    salted = salt_fields(values)
    leaf = leaf_bytes(salted)
    entry = Entry.objects.create(
        index=log.size,
        kind=kind,
        counterparty=counterparty,
        recorded_at=now,
        fields=[[field.name, field.value, field.salt.hex()] for field in salted],
        leaf=leaf,
        leaf_hash=leaf_hash(leaf),
    )
    tree.grow(log.size, leaf_hash(leaf))
    log.size += 1
    log.save(update_fields=["size"])
    return entry_row(entry)


@transaction.atomic
def checkpoint(*, now: datetime) -> str:
    """Sign the log as it stands, once a size, and return the signed text (C2SP tlog-checkpoint)."""
    log = hold()
    origin = directory.own_log_origin()
    stored = Checkpoint.objects.filter(origin=origin, size=log.size).first()
    if stored is None:
        root = tree.root(log.size)
        text = sign_checkpoint(origin, log.size, root, own_keys.signing_key())
        stored = Checkpoint.objects.create(origin=origin, size=log.size, root=root, text=text, signed_at=now)
    return stored.text


@transaction.atomic
def witness(partner: str, checkpoint_text: str, *, now: datetime) -> WitnessedRow:
    """Keep a partner's checkpoint. A second root for one size is kept too, as proof, and a person is told.

    Raises ``SealingError`` for a text that is not this partner's checkpoint.
    """
    seen = verify_checkpoint(
        checkpoint_text, *directory.verify_keys(partner, now), origin=directory.log_origin(partner)
    )
    known = Witnessed.objects.filter(partner=partner, size=seen.size).order_by("pk")
    row = next((row for row in known if bytes(row.root) == seen.root), None)
    if row is None:
        row = Witnessed.objects.create(
            partner=partner,
            size=seen.size,
            root=seen.root,
            text=checkpoint_text,
            seen_at=now,
            conflicts_with=known.first(),
        )
        if row.conflicts_with_id is not None:
            _report_second_history(partner, seen.size, now)
    return witnessed_row(row)


@transaction.atomic
def acknowledge_second_history(officer: Actor, partner: str, *, now: datetime) -> None:
    """Note that a person has looked into a partner's second history and acted on it; the proof stays."""
    policy.require(officer, "ledger.read")
    conflicts = Witnessed.objects.filter(partner=partner, conflicts_with__isnull=False)
    sizes = sorted(set(conflicts.values_list("size", flat=True)))
    if not sizes:
        raise NotFoundError
    for size in sizes:
        office.finish_task(_second_history_key(partner, size), now=now)
    office.audit(officer, "ledger.second_history_acknowledged", partner, now=now)


def _second_history_key(partner: str, size: int) -> str:
    return f"ledger.second_history:{partner}:{size}"


def _report_second_history(partner: str, size: int, now: datetime) -> None:
    where = f"{partner} at size {size}"
    append(kind="witness.second_history", counterparty=partner, fields={"size": str(size)}, now=now)
    office.audit(None, "ledger.second_history", where, now=now)
    office.add_task(
        key=_second_history_key(partner, size),
        title=f"The log of {partner} shows two histories: two signed roots for its first {size} entries.",
        link=f"/partners/{partner}/",
        role=Role.AUDITOR,
        now=now,
    )
