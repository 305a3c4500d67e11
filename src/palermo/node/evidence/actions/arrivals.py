"""Take in a package that a partner sealed for our request: verified first, then kept, then its items."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, chain, queries, signing
from palermo.node.evidence.actions.items import new_reference
from palermo.node.evidence.errors import EvidenceChangedError, PackageRefusedError
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import PackageRow
from palermo.node.home import packages_folder
from palermo.sealing import package as sealing
from palermo.sealing.archive import ZipTree
from palermo.sealing.bagit import digest_of
from palermo.sealing.custody import Verb
from palermo.sealing.durable import sync_folder
from palermo.sealing.manifest import Manifest, ManifestItem
from palermo.sealing.verify import Report, Verdict, verify_package


@dataclass(frozen=True, slots=True)
class Examined:
    """A package that holds, with the originals in it kept by digest. ``size`` (bytes) and ``sha256``: of its file.

    ``lacking``: names of the checks that it cannot show.
    """

    manifest: Manifest
    blobs: tuple[blobs.Blob, ...]
    size: int
    sha256: str
    lacking: str


@transaction.atomic
def receive_package(
    *, case: str, partner: str, request_reference: str, data: bytes, ledger_index: int, now: datetime
) -> PackageRow:
    """Take in a partner's package that came within a message, in the transaction that receives it.

    Raises :class:`PackageRefusedError` with what does not hold.
    """
    staged = packages_folder() / f".{secrets.token_hex(16)}"
    try:
        blobs.write_synced(staged, [data])
        examined = examine_package(staged, partner=partner, request_reference=request_reference, now=now)
        return take_package(
            staged,
            examined,
            case=case,
            partner=partner,
            request_reference=request_reference,
            ledger_index=ledger_index,
            now=now,
        )
    finally:
        staged.unlink(missing_ok=True)


def examine_package(path: Path, *, partner: str, request_reference: str, now: datetime) -> Examined:
    """Verify a partner's package under this node's own trust root, then keep the originals in it by their digests.

    It reads the file piece by piece, whatever its size, and needs no transaction. Raises :class:`PackageRefusedError`.
    """
    report, manifest = _verified(path, partner, request_reference, now)
    tree = ZipTree(path)
    try:
        kept = []
        for stated in manifest.items:
            blob = blobs.store_chunks(tree.chunks(stated.path))
            if blob.sha256 != stated.sha256:
                raise EvidenceChangedError(stated.path, str(path))
            kept.append(blob)
    finally:
        tree.close()
    digest = digest_of(path)
    lacking = ", ".join(check.name for check in report.checks if check.lacking)
    return Examined(manifest, tuple(kept), digest.size, digest.sha256, lacking)


@transaction.atomic
def take_package(
    staged: Path,
    examined: Examined,
    *,
    case: str,
    partner: str,
    request_reference: str,
    ledger_index: int,
    now: datetime,
) -> PackageRow:
    """Take in a package that was examined: its file is moved from ``staged`` to where packages lie."""
    manifest = examined.manifest
    if Package.objects.filter(reference=manifest.package_id).exists():
        raise PackageRefusedError("A package of this id was received before.")
    path = packages_folder() / f"{manifest.package_id}{sealing.SUFFIX}"
    staged.chmod(0o400)
    staged.replace(path)  # at most the leftover of a killed attempt: a package that was kept is refused above
    sync_folder(path.parent)
    package = Package.objects.create(
        reference=manifest.package_id,
        direction="in",
        case_id=case,
        partner=partner,
        request_reference=request_reference,
        file_name=path.name,
        size=examined.size,
        sha256=examined.sha256,
        manifest_digest=_manifest_digest(path),
        use_limit=manifest.marks.use_limit[:2000],
        ledger_index=ledger_index,
        made_at=now,
        lacking=examined.lacking,
    )
    signing.keep(manifest.officers)
    items = zip(manifest.items, examined.blobs, strict=True)
    package.items.set(
        _take_item(package, manifest, stated, number, blob, now) for number, (stated, blob) in enumerate(items, start=1)
    )
    return queries.package_row(package)


def _verified(path: Path, partner: str, request_reference: str, now: datetime) -> tuple[Report, Manifest]:
    """The report on a package in which no step fails and that is meant for this request.

    Witnesses, time stamp or signed steps may be lacking: that is no reason to refuse what a partner gives. It is shown.
    """
    report = verify_package(path, directory.trust(), now)
    if report.verdict is Verdict.REFUSED or report.manifest is None:
        failed = report.first_failure
        raise PackageRefusedError(
            f"The package was refused at check {failed.number}, {failed.name}: {failed.detail}"
            if failed
            else "The package could not be proven under our trust root.",
            report,
        )
    manifest = report.manifest
    expected = {
        "provider": (manifest.provider, partner),
        "recipient": (manifest.recipient, directory.own_code()),
        "request": (manifest.request_reference, request_reference),
    }
    problems = [
        f"The package names another {what}: {said[:80]}, not {wanted}."
        for what, (said, wanted) in expected.items()
        if said != wanted
    ]
    if not manifest.package_id.startswith(f"{partner}-PKG-"):
        problems.append(f"The package's id has to begin with {partner}-PKG-.")
    if Package.objects.filter(reference=manifest.package_id).exists():
        problems.append("A package of this id was received before.")
    if problems:
        raise PackageRefusedError(problems, report)
    return report, manifest


def _manifest_digest(path: Path) -> str:
    tree = ZipTree(path)
    try:
        return digest_of(b"".join(tree.chunks(sealing.MANIFEST))).sha256
    finally:
        tree.close()


def _take_item(
    package: Package,
    manifest: Manifest,
    stated: ManifestItem,
    number: int,
    blob: blobs.Blob,
    now: datetime,
) -> Item:
    custody = [event for event in manifest.custody if event.item == number]
    first = custody[0]
    item = Item.objects.create(
        reference=new_reference(now),
        case_id=package.case_id,
        what=stated.description[:300],
        collected_by=first.by[:200],
        how=first.how[:500],
        collected_at=first.at,
        where=first.where[:200],
        name=stated.name[:120],
        media_type=stated.media_type[:100],
        size=blob.size,
        sha256=blob.sha256,
        sha512=blob.sha512,
        origin=Origin.RECEIVED,
        tlp=_known(Tlp, stated.marks.tlp, Tlp.RED),
        handling_code=_known(HandlingCode, stated.marks.handling_code, HandlingCode.H3),
        source_grade=_known(SourceGrade, stated.marks.source_grade, SourceGrade.X),
        information_grade=_known(InformationGrade, stated.marks.information_grade, InformationGrade.UNKNOWN),
        use_limit=stated.marks.use_limit[:1000],
        package=package,
        added_at=now,
    )
    chain.take_over(item, custody)
    chain.record(item, Verb.RECEIVED, None, now=now, how=f"in package {package.reference}", package=package.reference)
    return item


def _known(scale: type[Tlp | HandlingCode | SourceGrade | InformationGrade], mark: str, strictest_mark: str) -> str:
    """The mark, or the strictest of its scale where the provider's is one that we do not know."""
    return mark if mark in list(scale) else strictest_mark
