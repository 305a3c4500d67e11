"""A person's judgement on a hit. Nothing moves without it; each one is kept, the last one stands."""

from datetime import datetime

from django.db import transaction

from palermo.node.cases import actions as case_actions
from palermo.node.cases import queries as cases
from palermo.node.cases.states import CaseState, EventKind
from palermo.node.matching.models import Hit, Judgement
from palermo.node.matching.rows import HitRow
from palermo.node.matching.shapes import hit_row
from palermo.node.matching.states import Verdict
from palermo.node.office import policy
from palermo.node.office.actions import audit, finish_task
from palermo.node.office.errors import ConflictError, InvalidError, NotFoundError
from palermo.node.office.policy import Actor

_GIVEN = (Verdict.SAME, Verdict.DIFFERENT, Verdict.UNSURE)


@transaction.atomic
def judge(officer: Actor, hit_id: str, *, verdict: str, reason: str, now: datetime) -> HitRow:
    """Say whether our entity and the partner's are the same, different, or that it is unsure, and why.

    A hit judged the same is intelligence from then on; a later judgement revises that, the history stays.
    """
    hit = Hit.objects.select_for_update(of=("self",)).select_related("run").filter(hit_id=hit_id).first()
    policy.require(officer, "hit.judge", cases.members(hit.run.case_id) if hit else ())
    if hit is None:
        raise NotFoundError
    _check(hit, verdict, reason)
    Judgement.objects.create(hit=hit, officer_id=officer.pk, verdict=verdict, reason=reason.strip(), judged_at=now)
    hit.verdict, hit.intelligence = verdict, verdict == Verdict.SAME
    hit.save(update_fields=["verdict", "intelligence"])
    text = f"Hit {hit.our_caption} with {hit.run.partner} judged {verdict}"
    link, case = f"/hits/{hit_id}/", hit.run.case_id
    case_actions.record(case, kind=EventKind.JUDGEMENT, text=text, link=link, officer=officer.pk, now=now)
    audit(officer, "hit.judged", hit_id, now=now, detail={"verdict": verdict})
    if not hit.run.hits.filter(verdict=Verdict.WAITING).exists():
        finish_task(f"run:{hit.run.run_id}", now=now)
    return hit_row(hit)


def _check(hit: Hit, verdict: str, reason: str) -> None:
    if cases.facts(hit.run.case_id).state != CaseState.OPEN:
        raise ConflictError("This case is closed: its hits stay as they were judged.")
    problems = []
    if verdict not in _GIVEN:
        problems.append("Choose same, different or unsure.")
    if not 0 < len(reason.strip()) <= 5000:
        problems.append("Give the reason for your judgement: it is kept with it.")
    if problems:
        raise InvalidError(problems)
