"""A run of ours from outside: an officer starts it, a second one may have to release it, and what gets stuck ends."""

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.blind.items import is_name
from palermo.node.cases import actions as case_actions
from palermo.node.cases import queries as cases
from palermo.node.cases.rows import CaseRow
from palermo.node.cases.states import CaseState, EventKind
from palermo.node.directory import queries as directory
from palermo.node.holdings import queries as holdings
from palermo.node.holdings.states import HoldingState
from palermo.node.matching import bases
from palermo.node.matching.actions.holder import settle_held_runs
from palermo.node.matching.actions.querier import SUBJECTS, fail
from palermo.node.matching.models import PartnerManifest, Run
from palermo.node.matching.queries import counted
from palermo.node.matching.rows import RunRow
from palermo.node.matching.shapes import run_row
from palermo.node.matching.states import RunState
from palermo.node.matching.steps import Step, enqueue, job_key, move_run
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.actions import ask_approval, audit
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

_ACTIVE = (RunState.PREPARING, RunState.ASKED, RunState.CONFIRMING)
_STEPS = (Step.PREPARE, Step.FINALIZE, Step.CONCLUDE)


@transaction.atomic
def start_run(
    officer: Actor,
    *,
    case: str,
    partner: str,
    inputs: str = SUBJECTS,
    kinds: Collection[str] | None = None,
    legal_basis: str,
    tier: str | None = None,
    now: datetime,
) -> RunRow:
    """Ask a partner, blind, which of our `inputs` it holds too: the case's "subjects", or a holding by its code.

    `kinds`: selector kinds to ask about, all that the partner publishes by default. `tier`: needed only where the
    partner gave us several manifests. A run of a flagged case waits for a second officer's review.
    """
    policy.require(officer, "run.start", cases.members(case))
    facts = cases.facts(case)
    manifest = _manifest(partner, tier, now)
    chosen = sorted(set(kinds if kinds is not None else manifest.counts))
    _check(officer, facts, inputs, legal_basis, chosen, manifest)
    run = Run.objects.create(
        run_id=uuid4().hex,
        case_id=case,
        partner=partner,
        manifest=manifest,
        inputs=inputs,
        kinds=chosen,
        purpose=facts.purpose,
        legal_basis=legal_basis.strip(),
        officer_id=officer.pk,
        state=RunState.REVIEW if facts.neutrality else RunState.PREPARING,
        started_at=now,
    )
    if facts.neutrality:
        _ask_review(officer, run, facts, now)
    else:
        enqueue(Step.PREPARE, run.run_id, run=run.run_id, now=now)
    text = f"Blind match with {partner} started"
    case_actions.record(case, kind=EventKind.RUN, text=text, link=_link(run), officer=officer.pk, now=now)
    audit(officer, "run.started", run.run_id, now=now, detail={"case": case, "partner": partner, "inputs": inputs})
    return run_row(counted(Run.objects.filter(pk=run.pk)).get())


def release_reviewed(now: datetime) -> int:
    """Let go the runs that a second officer approved, end those declined; returns how many were settled."""
    waiting = list(Run.objects.filter(state=RunState.REVIEW).values_list("run_id", flat=True))
    return sum(_settle_review(run_id, now) for run_id in waiting)


def settle(now: datetime) -> int:
    """End what cannot go on: an epoch that is over, a step that failed for good. Returns how many runs ended."""
    ended = 0
    for run in Run.objects.filter(state__in=_ACTIVE).select_related("manifest"):
        if reason := _why_stuck(run, now):
            ended += fail(run.run_id, reason, now)
    return ended + settle_held_runs(now)


def _manifest(partner: str, tier: str | None, now: datetime) -> PartnerManifest:
    """The newest live manifest of the partner; of the tier named, where there are several."""
    found = PartnerManifest.objects.filter(partner=partner, valid_from__lte=now, valid_until__gt=now)
    if tier is not None:
        found = found.filter(tier=tier)
    newest = found.first()
    if newest is None:
        raise ConflictError(f"{partner} offers nothing that we may match now. Ask it to open an epoch for us.")
    if len(set(found.values_list("tier", flat=True))) > 1:
        raise InvalidError(f"{partner} offers several tiers. Choose one; start a run for each that you need.")
    return newest


def _check(
    officer: Actor, facts: CaseRow, inputs: str, legal_basis: str, kinds: Collection[str], manifest: PartnerManifest
) -> None:
    problems = []
    if facts.state != CaseState.OPEN:
        raise ConflictError("This case is closed: nothing can leave from it.")
    if not is_name(legal_basis.strip()):
        problems.append("State the legal basis of this run on one line of up to 200 bytes.")
    elif bases.recognise(legal_basis) is None:
        problems.append(f"This is no legal basis that a run may rest on. Choose one of: {bases.listed()}.")
    if not kinds or not manifest.counts.keys() >= set(kinds):
        published = ", ".join(sorted(manifest.counts))
        problems.append(f"Choose among the kinds that {manifest.partner} publishes: {published}.")
    if inputs == SUBJECTS and not facts.subjects:
        problems.append("This case has no subjects. Add some, or match a holding.")
    if inputs != SUBJECTS and holdings.holding(officer, inputs).state != HoldingState.KEPT:
        problems.append("The retention of this holding has ended.")
    if problems:
        raise InvalidError(problems)


def _ask_review(officer: Actor, run: Run, facts: CaseRow, now: datetime) -> None:
    ask_approval(
        officer,
        subject=_review_subject(run),
        digest=_review_digest(run),
        permission="case.review",
        readers=office.officers_allowed("case.review", "run.read", members=facts.members),
        title=f"Review before it leaves: blind match with {run.partner} in a case flagged {facts.neutrality}",
        link=_link(run),
        now=now,
    )


@transaction.atomic
def _settle_review(run_id: str, now: datetime) -> bool:
    run = Run.objects.select_for_update().get(run_id=run_id)
    if run.state != RunState.REVIEW:
        return False
    approval = office.approval(_review_subject(run), _review_digest(run))
    if approval is None:
        return fail(run_id, "The subjects changed after the review was asked for. Start the run again.", now)
    if approval.state == "declined":
        return fail(run_id, f"The second officer declined it: {approval.reason}", now)
    if approval.state != "approved":
        return False
    move_run(run, RunState.PREPARING)
    enqueue(Step.PREPARE, run_id, run=run_id, now=now)
    return True


def _review_subject(run: Run) -> str:
    return f"matching.Run:{run.run_id}"


def _review_digest(run: Run) -> str:
    """SHA-256 over what the second officer decides on: everything that leaves, and about whom."""
    subjects = [entity.to_json() for entity in cases.entities(run.case_id)] if run.inputs == SUBJECTS else []
    content = {
        "case": run.case_id,
        "from": directory.own_code(),
        "inputs": run.inputs,
        "kinds": run.kinds,
        "legal_basis": run.legal_basis,
        "manifest": run.manifest.manifest_digest,
        "partner": run.partner,
        "purpose": run.purpose,
        "subjects": subjects,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _why_stuck(run: Run, now: datetime) -> str:
    if run.manifest.valid_until <= now:
        return f"{run.partner} did not answer before its epoch ended. Start again under its next manifest."
    for step in _STEPS:
        job = office.job(job_key(step, run.run_id))
        if job is not None and job.state == "failed":
            return f"A step of this run failed: {job.last_error}"
    return ""


def _link(run: Run) -> str:
    return f"/runs/{run.run_id}/"
