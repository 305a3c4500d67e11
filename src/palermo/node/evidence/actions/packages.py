"""Seal items for a partner's request into a package that verifies offline.

Signing the manifest and its ledger entry are one transaction. Where the network has witnesses, or this node a
time-stamping authority, the package then *waits* for them (:mod:`palermo.node.evidence.completing`).
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, chain, completing, limits, queries, signing
from palermo.node.evidence.actions.items import require_open
from palermo.node.evidence.errors import EvidenceChangedError
from palermo.node.evidence.marks import combined
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import PackageRow
from palermo.node.evidence.states import PackageState
from palermo.node.evidence.uses import Intent, Use
from palermo.node.ledger import actions as ledger
from palermo.node.office import jobs, policy
from palermo.node.office.actions import audit, next_reference
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing import package as sealing
from palermo.sealing.custody import Verb
from palermo.sealing.manifest import Marks


@transaction.atomic
def seal_package(
    officer: Actor, *, case: str, items: Sequence[str], recipient: str, request_reference: str, now: datetime
) -> PackageRow:
    """Seal items (by reference) for one partner's request into a package that verifies offline.

    Refuses items of another case, what a partner gave without its consent to this very use, and changed bytes. The
    ledger commits to the manifest. What comes back is sealed, or waits for witnesses and time stamp.
    """
    policy.require(officer, "evidence.seal", cases.members(case))
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    require_open(case)
    chosen = _chosen(case, items, Intent(Use.SHARE, recipient, request_reference), now)
    if not request_reference.strip() or recipient not in {row.code for row in directory.partners()}:
        raise InvalidError("A package is sealed for the request of another authority of the directory: name both.")
    reference = next_reference(f"{directory.own_code()}-PKG", now=now)
    for item in chosen:
        chain.record(item, Verb.SEALED, officer, now=now, how=f"for {recipient}", package=reference)
    limit = use_limit_of(request_reference)
    draft = _draft(reference, chosen, case, recipient, request_reference, limit, now)
    entry = ledger.append(
        kind="evidence.sealed",
        counterparty=recipient,
        fields={sealing.MANIFEST_FIELD: draft.manifest_digest, "package": reference, "request": request_reference},
        now=now,
    )
    ledger.checkpoint(now=now)
    package = Package.objects.create(
        reference=reference,
        direction="out",
        case_id=case,
        partner=recipient,
        request_reference=request_reference,
        file_name=f"{reference}{sealing.SUFFIX}",
        size=0,
        sha256="",
        manifest_digest=draft.manifest_digest,
        use_limit=limit,
        ledger_index=entry.index,
        made_at=now,
        made_by_id=officer.pk,
        state=PackageState.WAITING,
        wait_until=now + completing.WAIT,
        draft=draft.manifest,
        draft_directory=draft.directory,
        draft_trust_root=draft.trust_root,
    )
    package.items.set(chosen)
    audit(officer, "evidence.sealed", reference, now=now, detail={"request": request_reference})
    if completing.nothing_to_wait_for():
        completing.complete(package, now=now)
    else:
        jobs.enqueue(completing.JOB, f"{completing.JOB}:{reference}", {"package": reference}, now=now)
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
    custody = [event for number, item in enumerate(items, start=1) for event in chain.stated(item, number)]
    return sealing.draft_package(
        package_id=reference,
        items=[_package_item(item, limit) for item in items],
        custody=custody,
        officers=signing.certificates(chain.signers(items)),
        marks=_marks(items, limit),
        provider=directory.own_code(),
        recipient=recipient,
        case_reference=facts.partner_case if facts.partner == recipient else case,
        request_reference=request,
        directory=directory.directory_bytes(),
        trust_root=directory.directory_root(),
        signing_key=own_keys.signing_key(),
        created_at=max([now, *(event.at for event in custody)]),
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


def _marks(items: list[Item], limit: str) -> Marks:
    """The strictest of each scale; for the grades, the least certain; every use limit after that of the request."""
    marks = combined([limits.marks_of(item) for item in items])
    return Marks(
        tlp=marks.tlp,
        handling_code=marks.handling_code,
        source_grade=marks.source_grade,
        information_grade=marks.information_grade,
        use_limit=" ".join(part for part in (limit, marks.use_limit) if part),
    )
