"""Cite an item in a request to another authority, or in an answer to one: it is named and described, never enclosed.

To cite what a partner gave is to transmit of it, and to use it in what the request is for (UNTOC 18(19)): its provider
consents first, to this item in this request to this authority. Intelligence is cited with its originator's consent
alone (18(5)). Who gave an item may be told of it.

Internal: the caller has decided access to the case, and calls :func:`require_citable` before anything leaves.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from palermo.node.evidence import limits
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.models import Item, Package
from palermo.node.evidence.rows import CitationRow
from palermo.node.evidence.uses import Intent, Use
from palermo.node.office.errors import ConflictError, InvalidError


def citations(
    case: str, items: Sequence[str], *, recipient: str, request_reference: str, now: datetime
) -> list[CitationRow]:
    """The chosen items (by reference) of a case as they would be cited, in the order added, each with what is wrong.

    Raises ``InvalidError`` for a reference that is none of an item of this case.
    """
    found = list(Item.objects.filter(case_id=case, reference__in=items).order_by("pk"))
    if {item.reference for item in found} != set(items):
        raise InvalidError("Choose items of this case to be cited.")
    intent = Intent(Use.CITE, recipient, request_reference)
    return [_citation(item, intent, now) for item in found]


def citable(case: str, *, recipient: str, request_reference: str, now: datetime) -> list[CitationRow]:
    """Every item of a case that is still here and was not recalled, as it would be cited."""
    living = Item.objects.filter(case_id=case, destroyed_at=None, recall=None).order_by("pk")
    return [_citation(item, Intent(Use.CITE, recipient, request_reference), now) for item in living]


def require_citable(rows: Iterable[CitationRow]) -> None:
    """Refuse what the gate refuses. Raises ``InvalidError`` with every item's sentence."""
    if problems := [row.problem for row in rows if row.problem]:
        raise InvalidError(problems)


def bound_items_named(case: str, texts: Iterable[str], *, but: Iterable[str]) -> list[str]:
    """References of a partner's items that texts name by their reference or SHA-256 without citing them."""
    said = " ".join(texts)
    bound = Item.objects.filter(case_id=case).exclude(origin=Origin.OWN).exclude(reference__in=list(but)).order_by("pk")
    named = bound.values_list("reference", "sha256")
    return [reference for reference, sha256 in named if reference in said or sha256 in said.lower()]


def was_given_to(partner: str, sha256: str) -> bool:
    """Whether we gave a partner an item of this digest."""
    return Package.objects.filter(direction="out", partner=partner, items__sha256=sha256).exists()


def _citation(item: Item, intent: Intent, now: datetime) -> CitationRow:
    consent = limits.consent_in_force(item, intent, now)
    source = (consent.question.reference if consent.question else consent.document) if consent else ""
    return CitationRow(
        pk=item.pk,
        reference=item.reference,
        what=item.what,
        sha256=item.sha256,
        origin=Origin(item.origin),
        provider=limits.provider_of(item),
        consent=source,
        conditions=consent.conditions if consent else "",
        problem=_problem(item, intent, now),
        gone=item.destroyed_at is not None or item.recall is not None,
    )


def _problem(item: Item, intent: Intent, now: datetime) -> str:
    try:
        limits.require(item, intent, now=now)
    except ConflictError as refused:
        return refused.sentence
    return ""
