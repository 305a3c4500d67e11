"""Seal items for a partner's request into a package that verifies offline."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, limits, queries
from palermo.node.evidence.actions.items import record_custody, require_open
from palermo.node.evidence.errors import EvidenceChangedError
from palermo.node.evidence.marks import HandlingCode, Tlp, strictest
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import PackageRow
from palermo.node.evidence.uses import Intent, Use
from palermo.node.home import packages_folder
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import queries as ledger_queries
from palermo.node.office import policy
from palermo.node.office.actions import audit, next_reference
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing import package as sealing
from palermo.sealing.leaf import open_fields

SHOWN = ("kind", "counterparty", "recorded_at", sealing.MANIFEST_FIELD)


@transaction.atomic
def seal_package(
    officer: Actor, *, case: str, items: Sequence[str], recipient: str, request_reference: str, now: datetime
) -> PackageRow:
    """Seal items (by reference) for one partner's request into a package that verifies offline.

    Refuses items of another case, what a partner gave without its consent to this very use, and changed bytes. The
    ledger commits to the manifest; its signed checkpoint and inclusion proof go into the package.
    """
    policy.require(officer, "evidence.seal", cases.members(case))
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    require_open(case)
    chosen = _chosen(case, items, Intent(Use.SHARE, recipient, request_reference), now)
    if not request_reference.strip() or recipient not in {row.code for row in directory.partners()}:
        raise InvalidError("A package is sealed for the request of another authority of the directory: name both.")
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


def use_limit_of(request_reference: str) -> str:
    """What evidence sealed for a request may be used for."""
    return (
        f"Only for the proceedings stated in request {request_reference}. "
        "Any other use needs the provider's prior consent (UNTOC Art. 18(19))."
    )


def _chosen(case: str, items: Sequence[str], intent: Intent, now: datetime) -> list[Item]:
    """The items, locked, in the order given; refused where any may not be sealed."""
    found = {
        item.reference: item for item in Item.objects.select_for_update().filter(case_id=case, reference__in=items)
    }
    if not items or len(set(items)) != len(items) or set(items) != set(found):
        raise InvalidError("Choose the items of this case to be sealed, each once.")
    for item in found.values():
        limits.require(item, intent, now=now)
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
        trust_root=directory.directory_root(),
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
