"""Steps of custody that an officer takes: opening an item, imaging, handing over, and copying a package for a court."""

from datetime import datetime
from pathlib import Path

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import blobs, chain, limits, queries
from palermo.node.evidence.errors import EvidenceChangedError
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import ItemRow, PackageRow
from palermo.node.evidence.uses import FOR_THE_STATED_PROCEEDINGS, Intent, Use
from palermo.node.home import packages_folder
from palermo.node.office import policy
from palermo.node.office.actions import audit
from palermo.node.office.errors import InvalidError, NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing.custody import Verb

COPY = "evidence.copy"

BY_HAND = (Verb.IMAGED, Verb.OPENED, Verb.COPIED, Verb.TRANSFERRED, Verb.RETURNED, Verb.RECEIVED)
"""What an officer records in words. Collecting, sealing and destroying are recorded by what does them."""

_LONGEST = {"by": 200, "where": 200, "how": 500}


@transaction.atomic
def open_item(officer: Actor, reference: str, *, now: datetime) -> Path:
    """Where an item's bytes lie, for the proceedings it is for; that it was opened is a step of its custody.

    Raises what the gate (``limits.require``) raises, and ``EvidenceChangedError``.
    """
    path = queries.content(officer, reference, FOR_THE_STATED_PROCEEDINGS, now=now)
    chain.record(_locked(reference), Verb.OPENED, officer, now=now)
    return path


@transaction.atomic
def record_step(
    officer: Actor, reference: str, *, verb: str, by: str, at: datetime, where: str, how: str, now: datetime
) -> ItemRow:
    """Record what was done with an item outside the node, by whom, when, where and how; the officer signs it.

    Raises ``InvalidError`` for what is missing or dated out of order, ``ConflictError`` for what cannot follow.
    """
    found = queries.readable_item(officer, reference)
    policy.require(officer, "evidence.add", cases.members(found.case_id))
    item = _locked(reference)
    last = item.custody.order_by("-pk").first()
    problems = [f"Fill in '{name}'." for name, text in (("by", by), ("where", where), ("how", how)) if not text.strip()]
    problems += [
        f"Shorten '{name}' to {longest} characters."
        for (name, longest), text in zip(_LONGEST.items(), (by, where, how), strict=True)
        if len(text) > longest
    ]
    if verb not in BY_HAND:
        problems.append(f"Choose what was done: {', '.join(BY_HAND)}.")
    if at > now or (last is not None and at < last.at):
        problems.append("A step is neither ahead of now nor before the step that it follows. Correct its time.")
    if problems:
        raise InvalidError(problems)
    chain.record(item, Verb(verb), officer, now=now, by=by.strip(), at=at, where=where.strip(), how=how.strip())
    audit(officer, "evidence.step", reference, now=now, detail={"verb": verb})
    return queries.item_row(item)


@transaction.atomic
def copy_for_court(officer: Actor, reference: str, *, court: str, proceedings: str, now: datetime) -> PackageRow:
    """Let the officer have a package in clear, to hand it to a court: each item in it has a step that says so.

    The copy is the sealed file as it is. Raises ``InvalidError`` without a court and proceedings, and what the gate
    raises for any item in it.
    """
    found = queries.readable_package(officer, reference)
    policy.require(officer, COPY, cases.members(found.case_id))
    if not court.strip() or not proceedings.strip() or len(court) > 200 or len(proceedings) > 200:
        raise InvalidError("Name the court, and the proceedings by their file number, each in up to 200 characters.")
    path = sealed_file(found)
    if not blobs.intact(path, found.sha256):
        raise EvidenceChangedError(reference, str(path))
    how = f"court copy in clear, for {proceedings.strip()}"
    for item in _items(found):
        limits.require(item, Intent(Use.COURT, target=proceedings.strip()), now=now)
        chain.record(item, Verb.COPIED, officer, now=now, where=court.strip(), how=how, package=reference)
    audit(officer, "evidence.copied", reference, now=now, detail={"court": court, "proceedings": proceedings})
    return queries.package_row(found)


def copied_file(officer: Actor, reference: str, *, now: datetime) -> Path:
    """The file of a package that this officer copied for a court. Raises ``NotFoundError`` before that."""
    found = queries.readable_package(officer, reference)
    policy.require(officer, COPY, cases.members(found.case_id))
    if not chain.copied_by(officer, [item.pk for item in _items(found)], reference):
        raise NotFoundError("There is no court copy of yours. Make one on the page of the package: it is recorded.")
    return queries.package_path(officer, reference, now=now)


@transaction.atomic
def transfer_package(officer: Actor, reference: str, *, now: datetime) -> None:
    """Record that a package of ours left for its recipient, sealed as a whole. The caller has decided access."""
    found = Package.objects.get(reference=reference)
    for item in _items(found):
        how = f"in package {reference}, sealed for {found.partner}, for request {found.request_reference}"
        chain.record(item, Verb.TRANSFERRED, officer, now=now, how=how[:500], package=reference)


def sealed_file(package: Package) -> Path:
    """Where a package's file lies. Raises ``NotFoundError`` while it is not sealed."""
    if not package.sha256:
        raise NotFoundError("The package is not sealed yet: there is no file.")
    return packages_folder() / package.file_name


def _items(package: Package) -> list[Item]:
    """The items of a package, locked, in one order."""
    return list(Item.objects.select_for_update().filter(pk__in=package.items.values("pk")).order_by("pk"))


def _locked(reference: str) -> Item:
    return Item.objects.select_for_update().get(reference=reference)
