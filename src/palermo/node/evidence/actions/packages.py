"""Seal items for a partner's request, and take in a package that a partner sealed for ours."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, queries
from palermo.node.evidence.actions.items import new_reference, record_custody, require_consent, require_open
from palermo.node.evidence.errors import EvidenceChangedError, IntelligenceError, PackageRefusedError
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp, strictest
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import PackageRow
from palermo.node.home import packages_folder
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import queries as ledger_queries
from palermo.node.office import policy
from palermo.node.office.actions import audit, next_reference
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing import package as sealing
from palermo.sealing.archive import ZipTree
from palermo.sealing.bagit import digest_of
from palermo.sealing.leaf import open_fields
from palermo.sealing.verify import Verdict, verify_package

SHOWN = ("kind", "counterparty", "recorded_at", sealing.MANIFEST_FIELD)


@transaction.atomic
def seal_package(
    officer: Actor, *, case: str, items: Sequence[str], recipient: str, request_reference: str, now: datetime
) -> PackageRow:
    """Seal items (by reference) for one partner's request into a package that verifies offline.

    Refuses intelligence, items of another case, received items without the provider's consent, and changed bytes. The
    ledger commits to the manifest; its signed checkpoint and inclusion proof go into the package.
    """
    policy.require(officer, "evidence.seal", cases.members(case))
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    require_open(case)
    chosen = _chosen(case, items)
    if not request_reference.strip() or directory.authority(recipient).is_self:
        raise InvalidError("A package is sealed for another authority's request: name both.")
    for item in chosen:
        record_custody(
            item, "sealed", by=officer.get_full_name(), at=now, where=directory.own_code(), detail=f"for {recipient}"
        )
    reference = next_reference(f"{directory.own_code()}-PKG", now=now)
    limit = use_limit_of(request_reference)
    draft = _draft(reference, chosen, case, recipient, request_reference, limit, now)
    entry = ledger.append(
        kind="evidence.sealed",
        counterparty=recipient,
        fields={sealing.MANIFEST_FIELD: draft.manifest_digest, "package": reference, "request": request_reference},
        now=now,
    )
    ledger.checkpoint(now=now)
    path = packages_folder() / f"{reference}{sealing.SUFFIX}"
    sha256 = sealing.seal_package(
        draft, path, ledger=_proof(entry.index), signing_key=own_keys.signing_key(), sealed_at=now
    )
    package = Package.objects.create(
        reference=reference,
        direction="out",
        case_id=case,
        partner=recipient,
        request_reference=request_reference,
        file_name=path.name,
        size=path.stat().st_size,
        sha256=sha256,
        manifest_digest=draft.manifest_digest,
        use_limit=limit,
        ledger_index=entry.index,
        made_at=now,
        made_by_id=officer.pk,
    )
    package.items.set(chosen)
    audit(officer, "evidence.sealed", reference, now=now, detail={"request": request_reference, "sha256": sha256})
    return queries.package_row(package)


@transaction.atomic
def receive_package(
    *, case: str, partner: str, request_reference: str, data: bytes, ledger_index: int, now: datetime
) -> PackageRow:
    """Take in a partner's package, verified under this node's own trust root before anything of it is kept.

    Runs in the transaction that receives the answer. Raises :class:`PackageRefusedError` with what does not hold.
    """
    staged = packages_folder() / f".{secrets.token_hex(16)}"
    try:
        blobs.write_synced(staged, [data])
        manifest = _verified(staged, partner, request_reference, now)
        path = packages_folder() / f"{manifest.package_id}{sealing.SUFFIX}"
        staged.chmod(0o400)
        staged.replace(path)  # at most the leftover of a killed attempt: a package that was kept is refused above
        blobs.sync_folder(path.parent)
    finally:
        staged.unlink(missing_ok=True)
    package = Package.objects.create(
        reference=manifest.package_id,
        direction="in",
        case_id=case,
        partner=partner,
        request_reference=request_reference,
        file_name=path.name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        manifest_digest=_manifest_digest(path),
        use_limit=manifest.marks.use_limit[:2000],
        ledger_index=ledger_index,
        made_at=now,
    )
    package.items.set(_take_items(package, manifest, path, now))
    return queries.package_row(package)


def use_limit_of(request_reference: str) -> str:
    """What evidence sealed for a request may be used for."""
    return (
        f"Only for the proceedings stated in request {request_reference}. "
        "Any other use needs the provider's prior consent (UNTOC Art. 18(19))."
    )


def _chosen(case: str, items: Sequence[str]) -> list[Item]:
    """The items, locked, in the order given; refused where any may not be sealed."""
    found = {
        item.reference: item for item in Item.objects.select_for_update().filter(case_id=case, reference__in=items)
    }
    if not items or len(set(items)) != len(items) or set(items) != set(found):
        raise InvalidError("Choose the items of this case to be sealed, each once.")
    for item in found.values():
        if item.origin == Origin.INTELLIGENCE:
            raise IntelligenceError(item.reference)
        require_consent(item, case)
        if not blobs.intact(blobs.path_of(item.sha256), item.sha256):
            raise EvidenceChangedError(item.reference, str(blobs.path_of(item.sha256)))
    return [found[reference] for reference in items]


def _draft(
    reference: str, items: list[Item], case: str, recipient: str, request: str, limit: str, now: datetime
) -> sealing.Draft:
    facts = cases.facts(case)
    return sealing.draft_package(
        package_id=reference,
        items=[_package_item(item, limit) for item in items],
        custody=[event for number, item in enumerate(items, start=1) for event in _custody(number, item)],
        marks=_marks(items, limit),
        provider=directory.own_code(),
        recipient=recipient,
        case_reference=facts.partner_case if facts.partner == recipient else case,
        request_reference=request,
        directory=directory.directory_bytes(),
        trust_root=directory.trust_root(),
        signing_key=own_keys.signing_key(),
        created_at=now,
    )


def _package_item(item: Item, limit: str) -> sealing.PackageItem:
    return sealing.PackageItem(
        content=blobs.path_of(item.sha256),
        name=item.name,
        description=item.what,
        media_type=item.media_type,
        marks=_marks([item], limit),
        reference=item.reference,
    )


def _marks(items: list[Item], limit: str) -> sealing.Marks:
    """The strictest of each scale; for the grades, the least certain."""
    return sealing.Marks(
        tlp=strictest([Tlp(item.tlp) for item in items]),
        handling_code=strictest([HandlingCode(item.handling_code) for item in items]),
        source_grade=max(item.source_grade for item in items),
        information_grade=max(item.information_grade for item in items),
        use_limit=" ".join(dict.fromkeys([limit, *(item.use_limit for item in items if item.use_limit)])),
    )


def _custody(number: int, item: Item) -> list[sealing.CustodyEvent]:
    return [
        sealing.CustodyEvent(
            item=number, verb=row.verb, by=row.by, at=row.at, where=row.where, how=row.detail, sha256=row.sha256
        )
        for row in item.custody.order_by("pk")
    ]


def _proof(index: int) -> sealing.LedgerProof:
    proof = ledger_queries.inclusion(index)
    return sealing.LedgerProof(
        leaf=proof.leaf,
        opened=open_fields(ledger_queries.opened(index), SHOWN),
        index=proof.index,
        size=proof.size,
        hashes=proof.hashes,
        checkpoint=proof.checkpoint,
    )


def _verified(path: Path, partner: str, request_reference: str, now: datetime) -> sealing.Manifest:
    """The manifest of a package that holds in every step and is meant for this request."""
    report = verify_package(path, directory.trust_root(), now)
    if report.verdict is not Verdict.PROVEN or report.manifest is None:
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
    return manifest


def _manifest_digest(path: Path) -> str:
    tree = ZipTree(path)
    try:
        return digest_of(b"".join(tree.chunks(sealing.MANIFEST))).sha256
    finally:
        tree.close()


def _take_items(package: Package, manifest: sealing.Manifest, path: Path, now: datetime) -> list[Item]:
    """Keep each item of a verified package under its digest, with the provider's custody and our receipt of it."""
    tree = ZipTree(path)
    try:
        taken = []
        for number, stated in enumerate(manifest.items, start=1):
            blob = blobs.store(b"".join(tree.chunks(stated.path)))
            if blob.sha256 != stated.sha256:
                raise EvidenceChangedError(stated.path, str(path))
            taken.append(_take_item(package, manifest, stated, number, blob, now))
        return taken
    finally:
        tree.close()


def _take_item(
    package: Package,
    manifest: sealing.Manifest,
    stated: sealing.ManifestItem,
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
    for event in custody:
        record_custody(item, event.verb[:40], by=event.by, at=event.at, where=event.where, detail=event.how)
    arrived = max(now, custody[-1].at)  # the provider's clock may be a little ahead of ours; custody stays in order
    record_custody(item, "received", by=directory.own_code(), at=arrived, detail=f"in package {package.reference}")
    return item


def _known(scale: type[Tlp | HandlingCode | SourceGrade | InformationGrade], mark: str, strictest_mark: str) -> str:
    """The mark, or the strictest of its scale where the provider's is one that we do not know."""
    return mark if mark in list(scale) else strictest_mark
