"""Complete packages that are signed and in the ledger: wait for witnesses and time stamp, then seal the file.

A package waits until a quorum of the network's witnesses cosigned a checkpoint of our log that covers its entry, and
until the time-stamping authority answered, where one is configured; but no longer than :data:`WAIT`. Then it is sealed
with what there is: it verifies, and says what it lacks. Everything is in the package's row, so that a stop in between
loses nothing, and doing it again changes nothing.
"""

import logging
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, proving, stamping
from palermo.node.evidence.models import Package
from palermo.node.evidence.states import PackageState
from palermo.node.home import packages_folder
from palermo.node.ledger import queries as ledger
from palermo.node.office.actions import add_task
from palermo.node.office.jobs import Heartbeat
from palermo.sealing import package as sealing
from palermo.sealing.bagit import digest_of
from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import SealingError
from palermo.sealing.manifest import read_manifest
from palermo.sealing.verify import Report, Verdict, verify_package

WAIT = timedelta(hours=24)
"""How long a package waits for witnesses and time stamp at most."""

JOB = "evidence.complete"
_log = logging.getLogger(__name__)


def nothing_to_wait_for() -> bool:
    """Whether this network has no quorum of witnesses to wait for, and this node no time-stamping authority."""
    return not settings.PALERMO_TIME_STAMPS and not ledger.quorum_possible()


def complete_job(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Try at once what :func:`complete_waiting` tries again and again."""
    complete_one(payload["package"], now=now)


def complete_waiting(now: datetime) -> int:
    """Try each waiting package; returns how many were sealed. One that fails does not keep the others."""
    return _complete_each([package.reference for package in _waiting()], now)


def complete_ready(now: datetime) -> int:
    """Seal each package that waits for nothing any more, without asking anyone; returns how many were sealed."""
    return _complete_each([package.reference for package in _waiting() if not waits_for(package)], now)


def _waiting() -> QuerySet[Package]:
    return Package.objects.filter(state=PackageState.WAITING, destroyed_at=None)


def _complete_each(references: list[str], now: datetime) -> int:
    done = 0
    for reference in references:
        try:
            done += complete_one(reference, now=now)
        except (SealingError, OSError):
            _log.exception("package %s cannot be sealed; trying again", reference)
    return done


def complete_one(reference: str, *, now: datetime) -> bool:
    """Seal a package if what it waits for is there, or its time is over; whether it was sealed now."""
    package = _waiting().filter(reference=reference).first()
    if package is None:
        return False
    if settings.PALERMO_TIME_STAMPS and not package.time_stamp:
        _fetch_stamp(package)
    if waits_for(package) and now < (package.wait_until or now):
        return False
    return complete(package, now=now)


def waits_for(package: Package) -> list[str]:
    """What a package still waits for, in words."""
    waiting = []
    if settings.PALERMO_TIME_STAMPS and not package.time_stamp:
        waiting.append("a time stamp")
    quorum = proving.quorum(package)
    if quorum.possible and not quorum.reached:
        waiting.append(f"witnesses ({quorum})")
    return waiting


def complete(package: Package, *, now: datetime) -> bool:
    """Write the sealed file beside its place, verify it as a court would, and put it in its place.

    False when another process was faster, or when it does not hold; then a person is told.
    """
    beside = packages_folder() / f".{package.reference}.{secrets.token_hex(8)}"
    try:
        sealing.seal_package(
            _draft(package),
            beside,
            ledger=proving.proof(package),
            signing_key=own_keys.signing_key(),
            sealed_at=now,
            time_stamp=bytes(package.time_stamp),
        )
        report = verify_package(beside, directory.trust(), now)
        if report.verdict is Verdict.REFUSED:
            _tell(package, report, now)
            return False
        return _put_in_place(package, beside, report)
    finally:
        beside.unlink(missing_ok=True)


def _put_in_place(package: Package, beside: Path, report: Report) -> bool:
    with transaction.atomic():
        row = Package.objects.select_for_update().get(pk=package.pk)
        if row.state != PackageState.WAITING:
            return False
        package.size, package.sha256 = beside.stat().st_size, digest_of(beside).sha256
        package.state, package.wait_until = PackageState.SEALED, None
        package.lacking = ", ".join(check.name for check in report.checks if check.lacking)
        package.draft = package.draft_directory = package.draft_trust_root = package.time_stamp = b""
        package.save()
        beside.replace(packages_folder() / package.file_name)
        sync_folder(packages_folder())
    return True


def _draft(package: Package) -> sealing.Draft:
    manifest = bytes(package.draft)
    contents = tuple(blobs.path_of(item.sha256) for item in read_manifest(manifest).items)
    return sealing.Draft(manifest, contents, bytes(package.draft_directory), bytes(package.draft_trust_root))


def _fetch_stamp(package: Package) -> None:
    """Ask for a time stamp and keep it, if it is one that the network's directory lets anyone verify."""
    manifest = bytes(package.draft)
    try:
        stamp = stamping.fetch(settings.PALERMO_TIME_STAMPS, manifest, proving.listed(package).timestamp_authorities)
    except stamping.TimeStampingError as error:
        _log.warning("package %s has no time stamp yet: %s", package.reference, error)
        return
    package.time_stamp = stamp
    package.save(update_fields=["time_stamp"])


def _tell(package: Package, report: Report, now: datetime) -> None:
    failed = report.first_failure
    why = f"check {failed.number}, {failed.name}" if failed else "not proven"
    add_task(
        key=f"evidence.unsealable:{package.reference}",
        title=f"The package {package.reference} does not hold ({why}): seal its items again.",
        link=f"/packages/{package.reference}/",
        officers=[package.made_by_id] if package.made_by_id else [],
        now=now,
    )
