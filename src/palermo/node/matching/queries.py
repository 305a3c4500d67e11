"""Reads of blind match. Runs and hits are their case's: only its team, and whom the policy exempts, sees them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from palermo.node.cases import queries as cases
from palermo.node.matching.models import Epoch, HeldHit, HeldRun, Hit, PartnerManifest, Run
from palermo.node.matching.rows import (
    CompareLine,
    EpochRow,
    HeldHitRow,
    HeldRunRow,
    HitPage,
    HitRow,
    JudgementRow,
    ManifestRow,
    RunRow,
)
from palermo.node.matching.shapes import epoch_row, held_hit_row, held_run_row, hit_row, manifest_row, run_row
from palermo.node.matching.states import Verdict
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor

RUN_READ = "run.read"
EPOCH_READ = "epoch.read"
PAGE = 50
CHUNK = 500


def epochs(officer: Actor) -> list[EpochRow]:
    """Our epochs with what each published, newest first."""
    policy.require(officer, EPOCH_READ)
    return [epoch_row(epoch) for epoch in Epoch.objects.prefetch_related("publications")]


def manifests(officer: Actor, *, now: datetime) -> list[ManifestRow]:
    """The partners' manifests that this node was given, newest first; `live` ones can be run against now."""
    policy.require(officer, EPOCH_READ)
    return [manifest_row(manifest, now) for manifest in PartnerManifest.objects.all()]


def live_manifests(officer: Actor, case: str, *, now: datetime) -> list[ManifestRow]:
    """What a run of this case can be started against: the newest live manifest of each partner and tier."""
    policy.require(officer, "run.start", cases.members(case))
    newest: dict[tuple[str, str], ManifestRow] = {}
    for manifest in PartnerManifest.objects.filter(valid_from__lte=now, valid_until__gt=now):
        newest.setdefault((manifest.partner, manifest.tier), manifest_row(manifest, now))
    return sorted(newest.values(), key=lambda row: (row.partner, row.tier))


def runs(officer: Actor, case: str) -> list[RunRow]:
    """The runs of a case, newest first."""
    policy.require(officer, RUN_READ, cases.members(case))
    return [run_row(run) for run in counted(Run.objects.filter(case_id=case))]


def run(officer: Actor, run_id: str) -> RunRow:
    """One run."""
    return run_row(_run(officer, run_id))


def hits(officer: Actor, run_id: str, *, page: int = 1, verdict: Verdict | None = None) -> HitPage:
    """A page of a run's hits in the order found, all or those of one verdict (`Verdict.WAITING`: not yet judged)."""
    found = Hit.objects.filter(run=_run(officer, run_id)).select_related("run")
    if verdict is not None:
        found = found.filter(verdict=verdict)
    total = found.count()
    pages = max(-(-total // PAGE), 1)
    if not 1 <= page <= pages:
        raise NotFoundError
    start = (page - 1) * PAGE
    return HitPage(tuple(hit_row(hit) for hit in found[start : start + PAGE]), page, pages, total)


def hit(officer: Actor, hit_id: str) -> HitRow:
    """One hit."""
    return hit_row(_hit(officer, hit_id))


def judgements(officer: Actor, hit_id: str) -> list[JudgementRow]:
    """The history of a hit's judgements, oldest first; the last one stands."""
    return [
        JudgementRow(judgement.officer_id, Verdict(judgement.verdict), judgement.reason, judgement.judged_at)
        for judgement in _hit(officer, hit_id).judgements.all()
    ]


def confirmed_hits(officer: Actor, case: str) -> list[HitRow]:
    """The hits of a case that a person judged the same, newest run first: intelligence, to be asked about."""
    policy.require(officer, RUN_READ, cases.members(case))
    found = Hit.objects.filter(run__case_id=case, verdict=Verdict.SAME).select_related("run")
    return [hit_row(hit) for hit in found.order_by("-run__started_at", "pk")]


def compare_report(officer: Actor, run_id: str) -> Iterator[CompareLine]:
    """A line for each hit of a run, streamed: our id, the id the partner disclosed or its reference, what both hold."""
    found = Hit.objects.filter(run=_run(officer, run_id)).select_related("run")
    return map(_compare_line, found.iterator(CHUNK))


def held_runs(officer: Actor, *, partner: str = "") -> list[HeldRunRow]:
    """What partners asked of us, newest first, for those who read the exchange's messages; never what they met."""
    policy.require(officer, "message.read")
    found = HeldRun.objects.all()
    if partner:
        found = found.filter(partner=partner)
    rows = [held_run_row(run) for run in found]
    if policy.allows(officer, "message.read_case"):
        return rows
    return [replace(row, case_reference="", purpose="", legal_basis="", asked_by="", withheld=True) for row in rows]


def held_hits(officer: Actor, case: str) -> list[HeldHitRow]:
    """What partners met of ours in a case, in the order found."""
    policy.require(officer, RUN_READ, cases.members(case))
    return [held_hit_row(hit) for hit in HeldHit.objects.filter(case_id=case).select_related("run")]


def held_hit(partner: str, reference: str) -> HeldHitRow:
    """What a reference that we gave to this partner stands for. Internal: for answering that partner's requests."""
    found = HeldHit.objects.filter(reference=reference, run__partner=partner).select_related("run").first()
    if found is None:
        raise NotFoundError
    return held_hit_row(found)


def counted(found: QuerySet[Run]) -> QuerySet[Run]:
    """Runs with the number of their hits and of those judged. For this room alone."""
    return found.select_related("manifest").annotate(
        hit_count=Count("hits"), judged_count=Count("hits", filter=~Q(hits__verdict=Verdict.WAITING))
    )


def _run(officer: Actor, run_id: str) -> Run:
    """The run, if the officer needs to know; the team of no case is empty, so that nobody learns whether it exists."""
    found = counted(Run.objects.filter(run_id=run_id)).first()
    policy.require(officer, RUN_READ, cases.members(found.case_id) if found else ())
    if found is None:
        raise NotFoundError
    return found


def _hit(officer: Actor, hit_id: str) -> Hit:
    found = Hit.objects.filter(hit_id=hit_id).select_related("run").first()
    policy.require(officer, RUN_READ, cases.members(found.run.case_id) if found else ())
    if found is None:
        raise NotFoundError
    return found


def _compare_line(found: Hit) -> CompareLine:
    row = hit_row(found)
    theirs = row.disclosure.entity
    return CompareLine(row.our_id, theirs.id if theirs else row.partner_reference, row.selectors, row.verdict)
