"""Keep an item, and bring what a partner gave into another case."""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import blobs, chain, limits, queries
from palermo.node.evidence.errors import BoundBytesError
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.models import Item
from palermo.node.evidence.rows import ItemRow
from palermo.node.evidence.uses import Intent, Use
from palermo.node.office import policy
from palermo.node.office.actions import audit, next_reference
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.archive import Content
from palermo.sealing.custody import Verb

_CHOICES: dict[str, list[str]] = {
    "tlp": list(Tlp),
    "handling_code": list(HandlingCode),
    "source_grade": list(SourceGrade),
    "information_grade": list(InformationGrade),
    "origin": [Origin.OWN, Origin.INTELLIGENCE],
}
_LIMITS = {
    "what": 300,
    "collected_by": 200,
    "how": 500,
    "where": 200,
    "name": 120,
    "media_type": 100,
    "use_limit": 1000,
    "originator": 200,
}
_OPTIONAL = frozenset({"use_limit", "originator"})


def add_item(
    officer: Actor,
    *,
    case: str,
    content: Content,
    name: str,
    media_type: str,
    what: str,
    collected_by: str,
    how: str,
    collected_at: datetime,
    where: str,
    origin: str,
    tlp: str = Tlp.AMBER,
    handling_code: str = HandlingCode.H1,
    source_grade: str = SourceGrade.A,
    information_grade: str = InformationGrade.CERTAIN,
    use_limit: str = "",
    originator: str = "",
    now: datetime,
) -> ItemRow:
    """Keep an item: its bytes under their SHA-256, its marks, and its collection, which begins its custody.

    ``content``: bytes, or a file that is copied. ``origin``: "own", or "intelligence" for what came by police
    or FIU channels; then ``originator`` names who gave it, without whose consent it is neither sealed nor cited. There
    is no default: a person says which it is. Raises :class:`BoundBytesError` for bytes that a partner gave.
    The bytes are stored before the transaction: a large file is copied while everybody else goes on writing.
    """
    policy.require(officer, "evidence.add", cases.members(case))
    require_open(case)
    texts = {
        "what": what,
        "collected_by": collected_by,
        "how": how,
        "where": where,
        "name": name,
        "media_type": media_type,
        "use_limit": use_limit,
        "originator": originator if origin == Origin.INTELLIGENCE else "",
    }
    marks = {
        "tlp": tlp,
        "handling_code": handling_code,
        "source_grade": source_grade,
        "information_grade": information_grade,
        "origin": origin,
    }
    if problems := _problems(texts, marks) + _time_problems(collected_at, now):
        raise InvalidError(problems)
    return _keep(officer, case, blobs.store(content), collected_at, texts, marks, now)


@transaction.atomic
def _keep(
    officer: Actor,
    case: str,
    blob: blobs.Blob,
    collected_at: datetime,
    texts: dict[str, str],
    marks: dict[str, str],
    now: datetime,
) -> ItemRow:
    """The item of bytes that are stored, with its collection."""
    require_open(case)
    _refuse_bound(blob.sha256, marks["origin"])
    item = Item.objects.create(
        reference=new_reference(now),
        case_id=case,
        collected_at=collected_at,
        size=blob.size,
        sha256=blob.sha256,
        sha512=blob.sha512,
        added_by_id=officer.pk,
        added_at=now,
        **{key: value.strip() for key, value in texts.items()},
        **marks,
    )
    chain.record(
        item,
        Verb.COLLECTED,
        officer,
        now=now,
        by=item.collected_by,
        at=collected_at,
        where=item.where,
        how=item.how,
    )
    audit(officer, "evidence.added", item.reference, now=now, detail={"case": case, "sha256": item.sha256})
    return queries.item_row(item)


@transaction.atomic
def use_in_case(officer: Actor, *, item: str, case: str, now: datetime) -> ItemRow:
    """Bring what a partner gave into another case; refused without the provider's consent to its use in that case."""
    found = queries.readable_item(officer, item)
    policy.require(officer, "evidence.add", cases.members(case))
    require_open(case)
    intent = Intent(Use.CASE, target=case)
    limits.require(found, intent, now=now)
    consent = limits.consent_in_force(found, intent, now)
    if not blobs.intact(blobs.path_of(found.sha256), found.sha256):
        raise queries.changed(found)
    fields = {field.attname: getattr(found, field.attname) for field in Item._meta.concrete_fields}
    copy = Item.objects.create(
        **{
            **fields,
            "id": None,
            "reference": new_reference(now),
            "case_id": case,
            "copy_of_id": found.pk,
            "under_consent_id": consent.pk if consent else None,
            "retention_date": None,
            "retention_rule": "",
            "added_by_id": officer.pk,
            "added_at": now,
        }
    )
    chain.record(found, Verb.COPIED, officer, now=now, how=f"by consent, into another case, as {copy.reference}")
    chain.copy(found, copy)
    audit(officer, "evidence.used", copy.reference, now=now, detail={"from": item, "case": case})
    return queries.item_row(copy)


def require_open(case: str) -> None:
    """Refuse a case that is closed: nothing is added to it or leaves it."""
    if cases.facts(case).state != "open":
        raise ConflictError("This case is closed. Open a new one for what comes now.")


def new_reference(now: datetime) -> str:
    """The next reference of an item, which says whose it is."""
    return next_reference(f"{directory.own_code()}-ITEM", now=now)


def _problems(texts: dict[str, str], marks: dict[str, str]) -> list[str]:
    problems = [
        f"Fill in '{name.replace('_', ' ')}'."
        for name, text in texts.items()
        if not text.strip() and name not in _OPTIONAL
    ]
    problems += [
        f"Shorten '{name.replace('_', ' ')}' to {_LIMITS[name]} characters."
        for name, text in texts.items()
        if len(text) > _LIMITS[name]
    ]
    problems += [
        f"Choose '{name.replace('_', ' ')}' from: {', '.join(_CHOICES[name])}."
        for name, mark in marks.items()
        if mark not in _CHOICES[name]
    ]
    if marks["origin"] == Origin.INTELLIGENCE and not texts["originator"].strip():
        problems.append("Say who gave the intelligence: nothing is done with it without that authority's consent.")
    return problems


def _refuse_bound(sha256: str, origin: str) -> None:
    """What a partner gave does not become our own by being added again: it stays bound by its terms."""
    given = Item.objects.filter(sha256=sha256).exclude(origin=Origin.OWN).values_list("origin", flat=True)
    if set(given) - {origin}:
        raise BoundBytesError


def _time_problems(collected_at: datetime, now: datetime) -> list[str]:
    return ["The time of collection lies ahead. Correct it."] if collected_at > now else []
