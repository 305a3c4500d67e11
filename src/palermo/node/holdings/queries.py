"""Reads of holdings. Who may read them is the policy's; what may be published or revealed is decided here alone."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from palermo.blind import Item
from palermo.lake import HoldingCounts, Lake, UnknownHoldingError
from palermo.node import home
from palermo.node.holdings.models import Holding, LoadRecord, ProtectedItem
from palermo.node.holdings.rows import Disclosure, HoldingRow, LoadReportRow, ProtectedRow, TierRow
from palermo.node.holdings.states import HitReveals, HoldingState, LoadState, ProtectionReason
from palermo.node.holdings.tiers import tier_code
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.subjects.entities import Entity

READ = "holding.read"
MOST_NAMESAKES = 50
"""A name key that more entities of one holding share tells nobody apart: every pair of namesakes would be a hit."""
_NAME_KIND = "person"
_FEW = 32
"""Up to so many entities are looked up one by one; more are picked out of one pass over the holding."""


def lake() -> Lake:
    """The lake of this node."""
    return Lake(home.lake_folder())


def holdings(officer: Actor) -> list[HoldingRow]:
    """Every holding of this authority, by code."""
    policy.require(officer, READ)
    return [holding_row(found) for found in Holding.objects.all()]


def holding(officer: Actor, code: str) -> HoldingRow:
    """One holding."""
    policy.require(officer, READ)
    return holding_row(get(code))


def loads(officer: Actor, code: str) -> list[LoadReportRow]:
    """The loads of a holding, newest first."""
    policy.require(officer, READ)
    return [load_row(record) for record in get(code).loads.select_related("holding")]


def load(officer: Actor, reference: str) -> LoadReportRow:
    """One load: where it stands and what it changed."""
    policy.require(officer, READ)
    return load_row(_record(reference))


def rejects_path(officer: Actor, reference: str) -> Path:
    """The file of a load's rejected rows (JSON lines: file, line, reason, row); for those who may load."""
    policy.require(officer, "holding.load")
    path = rejects_file(_record(reference).reference)
    if not path.is_file():
        raise NotFoundError("This load rejected no row.")
    return path


def protected(officer: Actor, code: str) -> list[ProtectedRow]:
    """The protected items of a holding; for those who may protect, since the list itself endangers people."""
    policy.require(officer, "holding.protect")
    return [
        ProtectedRow(code, item.entity_id, ProtectionReason(item.reason), item.protected_by_id, item.protected_at)
        for item in get(code).protected_items.all()
    ]


def entity(officer: Actor, code: str, entity_id: str) -> Entity:
    """One entity of a holding. A protected one is not there for whoever may not protect."""
    policy.require(officer, READ)
    found = get(code)
    hidden = not policy.allows(officer, "holding.protect") and entity_id in _protected_ids(found)
    with suppress(UnknownHoldingError):
        if not hidden and (stored := lake().entity(found.code, entity_id)):
            return stored
    raise NotFoundError


def codes() -> list[str]:
    """Codes of the holdings that are kept. Internal: for checking their files."""
    return list(Holding.objects.filter(state=HoldingState.KEPT).order_by("code").values_list("code", flat=True))


def was_loaded(code: str) -> bool:
    """Whether a load into the holding has ended well: then the lake must know it. Internal."""
    return LoadRecord.objects.filter(holding__code=code, state=LoadState.DONE).exists()


def tiers() -> list[TierRow]:
    """The sharing tiers of all kept holdings that name a partner. Internal: for publishing."""
    circles: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for found in Holding.objects.filter(state=HoldingState.KEPT):
        if found.partners:
            circles[tuple(found.partners)].append(found.code)
    return [TierRow(tier_code(partners), partners, tuple(codes)) for partners, codes in sorted(circles.items())]


def publishable(tier: TierRow) -> Iterator[Item]:
    """What may be tokenised for a tier: every selector of its holdings but those of protected items. Internal."""
    for code in tier.holdings:
        for entity_id, kind, value in matchable(code):
            yield Item(kind, value, reference(code, entity_id))


def matchable(code: str) -> Iterator[tuple[str, str, str]]:
    """(entity id, kind, value) of a kept holding, for publishing and runs. Internal.

    Left out are protected items, and names that more than `MOST_NAMESAKES` entities share.
    """
    found = get(code)
    if found.state != HoldingState.KEPT:
        return
    hidden = _protected_ids(found)
    with suppress(UnknownHoldingError):  # nothing was loaded yet
        rows = (row for row in lake().selectors(code) if row[0] not in hidden)
        for (kind, _), group in groupby(rows, key=itemgetter(1, 2)):
            sharing = list(group)
            if kind != _NAME_KIND or len(sharing) <= MOST_NAMESAKES:
                yield from sharing


def entities(code: str, wanted: Collection[str]) -> dict[str, Entity]:
    """Entities of a holding by id; protected ones are left out. Internal: the caller has decided access."""
    ids = set(wanted) - _protected_ids(get(code))
    with suppress(UnknownHoldingError):
        if len(ids) > _FEW:
            return {stored.id: stored for stored in lake().entities(code) if stored.id in ids}
        return {entity_id: stored for entity_id in ids if (stored := lake().entity(code, entity_id))}
    return {}


def counts(code: str) -> HoldingCounts:
    """What the lake holds now; zeros before the first load and after the end. Internal."""
    try:
        return lake().counts(code)
    except UnknownHoldingError:
        return HoldingCounts(version="", entities=0, selectors=0, by_schema={}, by_kind={})


def protected_among(entity_ids: Collection[str]) -> set[str]:
    """Which of these ids some holding protects. Internal: for runs, which ask about none of them."""
    protected = ProtectedItem.objects.values_list("entity_id", flat=True).distinct()
    return set(entity_ids).intersection(protected.iterator())


def names_partner(codes: Collection[str], partner: str) -> bool:
    """Whether one of these holdings is still kept and still names the partner. Internal: for runs."""
    kept = Holding.objects.filter(code__in=list(codes), state=HoldingState.KEPT)
    return any(partner in found.partners for found in kept)


def duty_officers(codes: Collection[str]) -> list[int]:
    """Who learns of hits on these holdings: officers of their duty units who may judge hits. Internal: for runs.

    A holding without a duty unit, or with an empty one, has the supervisors instead: they decide who needs to know.
    """
    units = Holding.objects.filter(code__in=list(codes)).values_list("duty_unit", flat=True)
    return sorted({pk for unit in set(units) for pk in _on_duty(unit)})


def _on_duty(unit: str) -> list[int]:
    on_duty = office.officers_of_unit(unit, "hit.judge") if unit else []
    return on_duty or office.officers_with("case.review")


def expired() -> list[str]:
    """Codes of the holdings whose retention has ended. Internal: for the rooms that keep copies."""
    return list(Holding.objects.filter(state=HoldingState.EXPIRED).values_list("code", flat=True))


def origin(code: str) -> str:
    """How a copy says that it came from a holding."""
    return f"holding {code}"


def gone(code: str) -> str:
    """What stands in the place of a copy's caption once the holding's retention has ended."""
    return f"(removed: the retention of holding {code} has ended)"


def reference(code: str, entity_id: str) -> str:
    """The name of a holding's entity inside a publication."""
    return f"{code}/{entity_id}"


def disclosures(references: Collection[str], partner: str) -> dict[str, tuple[Entity, Disclosure]]:
    """What a hit reveals to `partner`, by reference, with the entity for our own officers. Internal.

    Decided now, not when it was published: a reference is absent if since then its item was protected or removed, its
    holding ended, or the partner was struck from it.
    """
    by_holding: dict[str, list[str]] = defaultdict(list)
    for name in references:
        code, _, entity_id = name.partition("/")
        by_holding[code].append(entity_id)
    revealed = {}
    for found in Holding.objects.filter(code__in=list(by_holding), state=HoldingState.KEPT):
        if partner in found.partners:
            for entity_id, stored in entities(found.code, by_holding[found.code]).items():
                revealed[reference(found.code, entity_id)] = (stored, _disclosure(found, stored))
    return revealed


def get(code: str) -> Holding:
    """The holding of that code. For this room alone."""
    found = Holding.objects.filter(code=code).first()
    if found is None:
        raise NotFoundError
    return found


def rejects_file(load_reference: str) -> Path:
    """Where the rejected rows of a load are kept."""
    return home.uploads_folder() / load_reference / "rejects.jsonl"


def holding_row(found: Holding) -> HoldingRow:
    """The row of a model instance, with what the lake counts now."""
    held = counts(found.code)
    return HoldingRow(
        code=found.code,
        name=found.name,
        source=found.source,
        handling_code=found.handling_code,
        tlp=found.tlp,
        purpose=found.purpose,
        retention_date=found.retention_date,
        partners=tuple(found.partners),
        tier=tier_code(found.partners),
        hit_reveals=HitReveals(found.hit_reveals),
        contact_point=found.contact_point,
        caveats=found.caveats,
        state=HoldingState(found.state),
        created_at=found.created_at,
        entities=held.entities,
        selectors=dict(held.by_kind),
        protected=found.protected_items.count(),
        duty_unit=found.duty_unit,
    )


def load_row(record: LoadRecord) -> LoadReportRow:
    """The row of a model instance."""
    return LoadReportRow(
        reference=record.reference,
        holding=record.holding.code,
        format=record.format,
        file_names=tuple(record.file_names),
        state=LoadState(record.state),
        progress=record.progress,
        added=record.added,
        changed=record.changed,
        removed=record.removed,
        unchanged=record.unchanged,
        rejected=record.rejected,
        failure=record.failure,
        loaded_by=record.loaded_by_id,
        queued_at=record.queued_at,
        ended_at=record.ended_at,
    )


def _disclosure(found: Holding, stored: Entity) -> Disclosure:
    reveals = HitReveals(found.hit_reveals)
    return Disclosure(
        holding=found.code,
        reveals=reveals,
        contact_point=found.contact_point,
        handling_code=found.handling_code,
        tlp=found.tlp,
        caveats=found.caveats,
        entity=stored if reveals is HitReveals.DATA else None,
    )


def _record(load_reference: str) -> LoadRecord:
    record = LoadRecord.objects.select_related("holding").filter(reference=load_reference).first()
    if record is None:
        raise NotFoundError
    return record


def _protected_ids(found: Holding) -> set[str]:
    return set(ProtectedItem.objects.filter(holding=found).values_list("entity_id", flat=True))
