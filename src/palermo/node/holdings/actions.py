"""Writes of holdings: what is held, for whom, how long. Loads, protection, and the end of retention."""

import shutil
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

from django.db import transaction

from palermo.intake import format_of
from palermo.intake.errors import IntakeError
from palermo.lake import LakeError
from palermo.node import home
from palermo.node.holdings import loading, queries
from palermo.node.holdings.drafts import Draft, check
from palermo.node.holdings.models import Holding, LoadRecord, ProtectedItem
from palermo.node.holdings.rows import HoldingRow, LoadReportRow
from palermo.node.holdings.states import (
    HOLDING_MOVES,
    LOAD_MOVES,
    HitReveals,
    HoldingState,
    LoadState,
    ProtectionReason,
    Tlp,
)
from palermo.node.ledger import actions as ledger
from palermo.node.office import jobs, policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

LOAD_JOB = "holdings.load"


@transaction.atomic
def create(
    officer: Actor,
    *,
    code: str,
    name: str,
    source: str,
    purpose: str,
    retention_date: date,
    contact_point: str,
    partners: Collection[str] = (),
    handling_code: str = "H1",
    tlp: str = Tlp.AMBER,
    hit_reveals: str = HitReveals.EXISTENCE,
    caveats: str = "",
    duty_unit: str = "",
    now: datetime,
) -> HoldingRow:
    """Make a holding; nobody may match against it unless `partners` says so."""
    policy.require(officer, "holding.edit")
    draft = Draft(
        code,
        name,
        source,
        handling_code,
        tlp,
        purpose,
        retention_date,
        partners,
        hit_reveals,
        contact_point,
        caveats,
        duty_unit,
    )
    check(draft, today=now.date())
    if Holding.objects.filter(code=code).exists():
        raise InvalidError(f"There is a holding {code}. Choose another code.")
    found = Holding.objects.create(code=code, created_by_id=officer.pk, created_at=now, **draft.fields())
    audit(officer, "holding.created", code, now=now, detail={"partners": found.partners})
    return queries.holding_row(found)


@transaction.atomic
def edit(
    officer: Actor,
    code: str,
    *,
    name: str,
    source: str,
    purpose: str,
    retention_date: date,
    contact_point: str,
    partners: Collection[str],
    handling_code: str,
    tlp: str,
    hit_reveals: str,
    caveats: str,
    duty_unit: str = "",
    now: datetime,
) -> HoldingRow:
    """Change a holding. Striking a partner ends its confirmations at once; a new one is served from the next epoch."""
    policy.require(officer, "holding.edit")
    found = _kept(code)
    draft = Draft(
        code,
        name,
        source,
        handling_code,
        tlp,
        purpose,
        retention_date,
        partners,
        hit_reveals,
        contact_point,
        caveats,
        duty_unit,
    )
    check(draft, today=now.date())
    changed = {key: value for key, value in draft.fields().items() if getattr(found, key) != value}
    for key, value in changed.items():
        setattr(found, key, value)
    found.save(update_fields=list(changed))
    audit(officer, "holding.edited", code, now=now, detail={"changed": sorted(changed), "partners": found.partners})
    return queries.holding_row(found)


@transaction.atomic
def protect(officer: Actor, code: str, *, entity_ids: Collection[str], reason: str, now: datetime) -> int:
    """Mark items as never to be published or confirmed, from now on; returns how many were not protected before."""
    policy.require(officer, "holding.protect")
    found = _kept(code)
    if reason not in list(ProtectionReason):
        raise InvalidError("Choose the reason: covert, witness protection, or owned by a third party.")
    wanted = set(entity_ids)
    missing = sorted(wanted - set(queries.entities(code, wanted)) - _protected_ids(found))
    if missing or not wanted:
        raise InvalidError([f"{code} holds no {entity_id}." for entity_id in missing] or "Name at least one item.")
    fresh = wanted - _protected_ids(found)
    ProtectedItem.objects.bulk_create(
        ProtectedItem(holding=found, entity_id=entity_id, reason=reason, protected_by_id=officer.pk, protected_at=now)
        for entity_id in sorted(fresh)
    )
    audit(officer, "holding.protected", code, now=now, detail={"items": len(fresh), "reason": reason})
    return len(fresh)


@transaction.atomic
def unprotect(officer: Actor, code: str, *, entity_id: str, now: datetime) -> None:
    """End the protection of an item: it is published with the next epoch."""
    policy.require(officer, "holding.protect")
    removed, _ = _kept(code).protected_items.filter(entity_id=entity_id).delete()
    if not removed:
        raise ConflictError("This item is not protected.")
    audit(officer, "holding.unprotected", code, now=now)


def load(officer: Actor, code: str, *, format: str, paths: Sequence[Path], now: datetime) -> LoadReportRow:
    """Load files into a holding now, for the command line; the files replace what the holding held.

    Raises `IntakeError` or `LakeError` if they cannot be used at all: the record says why, the holding is as before.
    """
    record = _open_load(officer, code, format, [path.name for path in paths], now)
    return perform_load(record.reference, paths, lambda _: None, now)


def queue_load(
    officer: Actor, code: str, *, format: str, files: Iterable[tuple[str, Iterable[bytes]]], now: datetime
) -> LoadReportRow:
    """Keep uploaded files, each a name and its chunks of bytes, and load them in a job; the record shows progress."""
    policy.require(officer, "holding.load")
    reference = uuid4().hex
    folder = home.uploads_folder() / reference
    names = _keep(folder, files)
    try:
        with transaction.atomic():
            record = _open_load(officer, code, format, names, now, reference)
            jobs.enqueue(LOAD_JOB, f"{LOAD_JOB}:{reference}", {"load": reference}, now=now)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return queries.load_row(record)


def run_queued_load(reference: str, heartbeat: jobs.Heartbeat, now: datetime) -> None:
    """Do a queued load and remove the uploaded files; a load that has ended stays as it is."""
    record = LoadRecord.objects.get(reference=reference)
    folder = home.uploads_folder() / reference / "files"
    if record.state in (LoadState.QUEUED, LoadState.LOADING):
        paths = [folder / _stored_name(number, name) for number, name in enumerate(record.file_names)]
        with suppress(IntakeError, LakeError):  # the record says why; the job itself is done
            perform_load(reference, paths, heartbeat, now)
    shutil.rmtree(folder, ignore_errors=True)


def perform_load(reference: str, paths: Sequence[Path], heartbeat: jobs.Heartbeat, now: datetime) -> LoadReportRow:
    """Read the files of a load into the lake and keep the report. Not one transaction: reading takes minutes."""
    record = _move(reference, LoadState.LOADING)
    rejects = loading.Rejects(queries.rejects_file(reference))

    def progress(share: float) -> None:
        heartbeat(share)
        LoadRecord.objects.filter(reference=reference).update(progress=share)

    try:
        report = loading.read_into_lake(
            record.holding.code, format_code=record.format, paths=paths, rejects=rejects, progress=progress
        )
    except (IntakeError, LakeError) as error:
        failure = error.fault if isinstance(error, IntakeError) else str(error)
        _move(reference, LoadState.FAILED, failure=failure, rejected=rejects.count, ended_at=now)
        raise
    counts = {name: getattr(report, name) for name in ("added", "changed", "removed", "unchanged")}
    with transaction.atomic():
        record = _move(reference, LoadState.DONE, rejected=rejects.count, progress=1.0, ended_at=now, **counts)
        detail = {"load": reference, "rejected": rejects.count, **counts}
        audit(None, "holding.loaded", record.holding.code, now=now, detail=detail)
    return queries.load_row(record)


def expire_due(now: datetime) -> int:
    """End every holding whose retention date has passed; returns how many.

    The data goes first: if the node dies before the commit, the next turn of the clock finds nothing left to drop and
    writes the statement. What stays is the statement: which holding, how much, when; never what.
    """
    due = Holding.objects.filter(state=HoldingState.KEPT, retention_date__lt=now.date())
    codes = list(due.values_list("code", flat=True))
    for code in codes:
        _expire(code, now)
    return len(codes)


@transaction.atomic
def _expire(code: str, now: datetime) -> None:
    found = Holding.objects.select_for_update().get(code=code)
    if HoldingState.EXPIRED not in HOLDING_MOVES[HoldingState(found.state)]:
        return
    entities = queries.counts(code).entities
    queries.lake().drop(code)
    for reference in found.loads.values_list("reference", flat=True):
        shutil.rmtree(home.uploads_folder() / reference, ignore_errors=True)
    found.protected_items.all().delete()
    found.state, found.expired_at = HoldingState.EXPIRED, now
    found.save(update_fields=["state", "expired_at"])
    audit(None, "holding.expired", code, now=now, detail={"entities": entities})
    fields = {"holding": code, "entities": str(entities), "retention_date": found.retention_date.isoformat()}
    ledger.append(kind="holding.expired", counterparty="", fields=fields, now=now)


def _kept(code: str) -> Holding:
    found = queries.get(code)
    if found.state != HoldingState.KEPT:
        raise ConflictError("The retention of this holding has ended. Make a new holding.")
    return found


@transaction.atomic
def _open_load(
    officer: Actor, code: str, format_code: str, names: Sequence[str], now: datetime, reference: str = ""
) -> LoadRecord:
    policy.require(officer, "holding.load")
    try:
        format_of(format_code)
    except IntakeError as error:
        raise InvalidError(error.fault) from error
    if not names:
        raise InvalidError("Choose at least one file.")
    record = LoadRecord.objects.create(
        reference=reference or uuid4().hex,
        holding=_kept(code),
        format=format_code,
        file_names=list(names),
        loaded_by_id=officer.pk,
        queued_at=now,
    )
    audit(officer, "holding.load_started", code, now=now, detail={"load": record.reference, "format": format_code})
    return record


@transaction.atomic
def _move(reference: str, state: LoadState, **fields: object) -> LoadRecord:
    record = LoadRecord.objects.select_for_update().select_related("holding").get(reference=reference)
    if state not in LOAD_MOVES[LoadState(record.state)]:
        raise ConflictError(f"This load is {record.state} already.")
    record.state = state
    for name, value in fields.items():
        setattr(record, name, value)
    record.save()
    return record


def _keep(folder: Path, files: Iterable[tuple[str, Iterable[bytes]]]) -> list[str]:
    """Write uploads under names of our own making; an officer's file name is never used as a path."""
    (folder / "files").mkdir(mode=0o700, parents=True)
    names = []
    for number, (given, chunks) in enumerate(files):
        name = Path(given).name[:200]
        with (folder / "files" / _stored_name(number, name)).open("wb") as file:
            file.writelines(chunks)
        names.append(name)
    return names


def _stored_name(number: int, name: str) -> str:
    """A safe name that keeps the suffix, since some formats read it."""
    suffix = "".join(c for c in Path(name).suffix if c.isalnum() or c == ".")[:10]
    return f"{number:03d}{suffix}"


def _protected_ids(found: Holding) -> set[str]:
    return set(found.protected_items.values_list("entity_id", flat=True))
