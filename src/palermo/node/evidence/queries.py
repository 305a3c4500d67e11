"""Reads of evidence. The officer comes first; without need to know there is nothing."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, completing, limits
from palermo.node.evidence.checking import custody_faults
from palermo.node.evidence.errors import EvidenceChangedError
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.models import CustodyEvent, Item, Package, UseConsent
from palermo.node.evidence.reading import READ, readable
from palermo.node.evidence.rows import ConsentRow, CustodyRow, Fault, ItemRow, PackageFile, PackageRow
from palermo.node.evidence.states import PackageState
from palermo.node.evidence.uses import FOR_THE_STATED_PROCEEDINGS, Intent, Use
from palermo.node.home import packages_folder
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing.custody import Verb
from palermo.sealing.verification_certificate import Examined
from palermo.sealing.verification_certificate import certificate as certificate_of
from palermo.sealing.verify import Report, verify_package


def items(officer: Actor, case: str) -> list[ItemRow]:
    """The items of a case, in the order added."""
    policy.require(officer, READ, cases.members(case))
    return [item_row(item) for item in Item.objects.filter(case_id=case).order_by("pk")]


def item(officer: Actor, reference: str) -> ItemRow:
    """One item with its custody."""
    return item_row(readable_item(officer, reference))


def content(
    officer: Actor, reference: str, intent: Intent = FOR_THE_STATED_PROCEEDINGS, *, now: datetime | None = None
) -> Path:
    """Where an item's bytes lie, for one use, their digest checked now.

    Raises what the gate (``limits.require``) raises, and :class:`EvidenceChangedError`.
    """
    found = readable_item(officer, reference)
    limits.require(found, intent, now=now or timezone.now())
    path = blobs.path_of(found.sha256)
    if not blobs.intact(path, found.sha256):
        raise changed(found)
    return path


def packages(officer: Actor, case: str) -> list[PackageRow]:
    """The packages of a case, in and out, in the order made."""
    policy.require(officer, READ, cases.members(case))
    return [package_row(package) for package in Package.objects.filter(case_id=case).order_by("pk")]


def package(officer: Actor, reference: str) -> PackageRow:
    """One package with its items."""
    return package_row(readable_package(officer, reference))


def package_path(officer: Actor, reference: str, *, now: datetime | None = None) -> Path:
    """The package's file, as it is, for the proceedings it was sealed for: whoever gets it checks it.

    Raises ``NotFoundError``, and what the gate (``limits.require``) raises for any item in it.
    """
    found = readable_package(officer, reference)
    if found.state == PackageState.WAITING:
        raise NotFoundError("The package is not sealed yet: there is no file.")
    for item in found.items.order_by("pk"):
        limits.require(item, FOR_THE_STATED_PROCEEDINGS, now=now or timezone.now())
    return packages_folder() / found.file_name


def verify(officer: Actor, reference: str) -> Report:
    """The numbered checks of a package's file under this node's own trust root, made now."""
    path = packages_folder() / readable_package(officer, reference).file_name
    return verify_package(path, directory.trust(), timezone.now())


def certificate(officer: Actor, reference: str, *, now: datetime) -> tuple[str, bytes]:
    """The name and the bytes of a one-page PDF with these checks, made now."""
    path = packages_folder() / readable_package(officer, reference).file_name
    report = verify_package(path, directory.trust(), now)
    return f"{reference}.certificate.pdf", certificate_of(report, Examined.of(path), now)


def package_for(reference: str, *, request_reference: str, partner: str) -> PackageFile:
    """Our package for one request of one partner. Internal: the caller has decided access.

    Raises ``NotFoundError`` for any other package. Whether its file is still what was sealed, whoever reads it sees.
    """
    found = Package.objects.filter(
        reference=reference, direction="out", request_reference=request_reference, partner=partner
    ).first()
    if found is None:
        raise NotFoundError("There is no package sealed for this request. Seal one for it first.")
    for item in found.items.order_by("pk"):  # what was sealed with consent may have been recalled since
        limits.require(item, Intent(Use.SHARE, partner, request_reference), now=timezone.now())
    if found.state == PackageState.WAITING:
        raise NotFoundError(f"The package {reference} still waits for {' and '.join(completing.waits_for(found))}.")
    return PackageFile(
        reference, found.case_id, packages_folder() / found.file_name, size=found.size, sha256=found.sha256
    )


def package_bytes(file: PackageFile) -> bytes:
    """All of a small package. Raises :class:`EvidenceChangedError` when its file is not what was sealed."""
    if not blobs.intact(file.path, file.sha256):
        raise EvidenceChangedError(file.reference, str(file.path))
    return file.path.read_bytes()


def court_copies(officer: Actor, reference: str) -> list[CustodyRow]:
    """The court copies of a package that were recorded, by the custody of its first item; the oldest first."""
    first = readable_package(officer, reference).items.order_by("pk").first()
    if first is None:
        return []
    steps = first.custody.filter(verb=Verb.COPIED.value, package=reference).order_by("pk")
    return [custody_row(row) for row in steps]


def package_destroyed(reference: str) -> bool:
    """Whether a package was destroyed with all its copies. Internal: the caller has decided access."""
    return Package.objects.filter(reference=reference, destroyed_at__isnull=False).exists()


def consents(officer: Actor, item: str) -> list[ConsentRow]:
    """Recorded consents to use an item elsewhere."""
    return [consent_row(row) for row in readable_item(officer, item).consents.order_by("pk")]


def check() -> list[Fault]:
    """Blobs and package files whose bytes changed or are gone, and custody that does not verify. For the node alone."""
    return [*_blob_faults(), *_package_faults(), *custody_faults()]


def _blob_faults() -> Iterator[Fault]:
    kept = Item.objects.filter(destroyed_at=None).order_by("sha256").values_list("sha256", flat=True).distinct()
    for sha256 in kept.iterator():
        if not blobs.intact(blobs.path_of(sha256), sha256):
            yield Fault("evidence item", str(blobs.path_of(sha256)), _difference(blobs.path_of(sha256)))


def _package_faults() -> Iterator[Fault]:
    for package in Package.objects.filter(state=PackageState.SEALED, destroyed_at=None).order_by("pk").iterator():
        path = packages_folder() / package.file_name
        if not blobs.intact(path, package.sha256):
            yield Fault("evidence package", str(path), _difference(path))


def _difference(path: Path) -> str:
    return "its bytes are not those that were kept" if path.exists() else "the file is gone"


def changed(item: Item) -> EvidenceChangedError:
    """The error for an item whose bytes are not those that were kept."""
    return EvidenceChangedError(item.reference, str(blobs.path_of(item.sha256)))


def readable_item(officer: Actor, reference: str) -> Item:
    """An item, if the officer has need to know. For this room alone."""
    return readable(Item.objects.all(), officer, reference, lambda row: [row.case_id])


def readable_package(officer: Actor, reference: str) -> Package:
    """A package, if the officer has need to know. For this room alone."""
    return readable(Package.objects.all(), officer, reference, lambda row: [row.case_id])


def item_row(item: Item) -> ItemRow:
    """The row of a model instance."""
    return ItemRow(
        reference=item.reference,
        case=item.case_id,
        what=item.what,
        collected_by=item.collected_by,
        how=item.how,
        collected_at=item.collected_at,
        where=item.where,
        name=item.name,
        media_type=item.media_type,
        size=item.size,
        sha256=item.sha256,
        sha512=item.sha512,
        origin=Origin(item.origin),
        tlp=Tlp(item.tlp),
        handling_code=HandlingCode(item.handling_code),
        source_grade=SourceGrade(item.source_grade),
        information_grade=InformationGrade(item.information_grade),
        use_limit=item.use_limit,
        package=item.package.reference if item.package else "",
        added_at=item.added_at,
        provider=limits.provider_of(item),
        given_for=limits.given_for(item),
        article="" if item.origin == Origin.OWN else limits.article_of(item),
        copy_of=item.copy_of.reference if item.copy_of else "",
        recall=item.recall.reference if item.recall else "",
        hold=item.hold,
        retention_date=item.retention_date,
        retention_rule=item.retention_rule,
        destroyed_at=item.destroyed_at,
        custody=tuple(custody_row(row) for row in item.custody.order_by("pk")),
    )


def custody_row(row: CustodyEvent) -> CustodyRow:
    """The row of a model instance."""
    return CustodyRow(
        verb=row.verb,
        by=row.by,
        at=row.at,
        where=row.where,
        detail=row.detail,
        sha256=row.sha256,
        recorded_by=row.officer,
        authority=row.authority,
        recorded_at=row.recorded_at,
        digest=row.digest,
        package=row.package,
    )


def package_row(package: Package) -> PackageRow:
    """The row of a model instance."""
    return PackageRow(
        reference=package.reference,
        direction=package.direction,
        case=package.case_id,
        partner=package.partner,
        request_reference=package.request_reference,
        file_name=package.file_name,
        size=package.size,
        sha256=package.sha256,
        manifest_digest=package.manifest_digest,
        use_limit=package.use_limit,
        ledger_index=package.ledger_index,
        made_at=package.made_at,
        state=PackageState(package.state),
        waits_for=tuple(completing.waits_for(package)) if package.state == PackageState.WAITING else (),
        wait_until=package.wait_until,
        lacking=package.lacking,
        items=tuple(item_row(item) for item in package.items.order_by("pk")),
    )


def consent_row(consent: UseConsent) -> ConsentRow:
    """The row of a model instance."""
    return ConsentRow(
        pk=consent.pk,
        item=consent.item.reference,
        use=Use(consent.use),
        recipient=consent.recipient,
        target=limits.target_of(consent),
        given_by=consent.given_by,
        statement=consent.statement,
        conditions=consent.conditions,
        question=consent.question.reference if consent.question else "",
        document=consent.document,
        reason=consent.reason,
        recorded_by=consent.recorded_by.get_full_name() if consent.recorded_by else "",
        recorded_at=consent.recorded_at,
        expires_at=consent.expires_at,
        withdrawn_at=consent.withdrawn_at,
        withdrawn_because=consent.withdrawn_because,
    )
