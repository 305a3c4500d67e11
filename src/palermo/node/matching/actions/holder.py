"""A partner's run at the holder: check, charge, evaluate, confirm, answer; each heavy step a job.

What the run asked about is never kept: the request goes when it is evaluated, unmatched locators when it is answered,
and with them the messages they came in.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo import blind
from palermo.blind.token_table import TokenRecord
from palermo.node.cases import actions as case_actions
from palermo.node.directory import queries as directory
from palermo.node.exchange import actions as exchange
from palermo.node.holdings import queries as holdings
from palermo.node.holdings.rows import Disclosure
from palermo.node.ledger import actions as ledger
from palermo.node.matching import files
from palermo.node.matching.messages import ANSWER, CONFIRM, EVALUATION, AnswerMessage, Disclosed, EvaluationMessage
from palermo.node.matching.models import Epoch, HeldHit, HeldRun
from palermo.node.matching.states import HELD_RUN_MOVES, HeldRunState
from palermo.node.matching.steps import Step, enqueue, job_key, message_id, move_held_run
from palermo.node.office import queries as office
from palermo.node.office.actions import add_task, audit
from palermo.sealing import dsse
from palermo.subjects.entities import Entity

CHUNK = 500
_ACTIVE = (HeldRunState.ASKED, HeldRunState.EVALUATED)
Revealed = Mapping[str, tuple[Entity, Disclosure]]


class MisstatedRequestError(blind.BlindError):
    """The blind request is not what its message said and the budget was charged for."""

    def __init__(self) -> None:
        super().__init__("the request is not what its message states: case, basis, manifest or number of elements")


def evaluate(partner: str, run_id: str, now: datetime) -> None:
    """Job, step 2: evaluate every element under the tier's keys and prove it."""
    run = HeldRun.objects.select_related("publication__epoch").get(partner=partner, run_id=run_id)
    if run.state != HeldRunState.ASKED or run.inbound is None:
        return
    try:
        evaluated = blind.evaluate(
            request=bytes(run.inbound),
            seed=files.read_seed(run.publication.epoch.code),
            publication_manifest=dsse.parse(bytes(run.publication.manifest)).payload,
            querier=partner,
            now=now,
            authorise=lambda summary: _require_as_stated(run, summary),
            rng=os.urandom,
        )
    except (blind.BlindError, files.SeedGoneError) as error:
        fail(partner, run_id, str(error), now)
        return
    with transaction.atomic():
        ledger.hold()
        run = _locked(partner, run_id)
        if run.state == HeldRunState.ASKED:
            move_held_run(run, HeldRunState.EVALUATED, holder_state=evaluated.state, inbound=None)
            payload = EvaluationMessage(run_id, evaluation=evaluated.evaluation).to_bytes()
            _send(run, EVALUATION, payload, run.request_message, now)


def confirm(partner: str, run_id: str, now: datetime) -> None:
    """Job, step 5: find what was named, answer with what it reveals now, and tell our own officers."""
    run = HeldRun.objects.select_related("publication__epoch").get(partner=partner, run_id=run_id)
    if run.state != HeldRunState.EVALUATED or run.inbound is None or run.holder_state is None:
        return
    try:
        confirmation, revealed = _confirmed(run)
    except (blind.BlindError, OSError) as error:
        fail(partner, run_id, str(error), now)
        return
    references = {ref: uuid4().hex for ref in {matched.ref for matched in confirmation.matched}}
    payload = _answer(run_id, confirmation, revealed, references).to_bytes()
    with transaction.atomic():
        ledger.hold()
        run = _locked(partner, run_id)
        if run.state == HeldRunState.EVALUATED:
            _end(run, HeldRunState.ANSWERED, now)
            if references:
                _tell_our_officers(run, confirmation.matched, revealed, references, now)
            reply_to = message_id(CONFIRM, run_id, partner, directory.own_code())
            _send(run, ANSWER, payload, reply_to, now)


@transaction.atomic
def fail(partner: str, run_id: str, reason: str, now: datetime) -> bool:
    """End a partner's run that cannot go on, and queue telling the partner why; False if it had ended already."""
    run = _locked(partner, run_id)
    before = HeldRunState(run.state)
    if HeldRunState.FAILED not in HELD_RUN_MOVES[before]:
        return False
    _end(run, HeldRunState.FAILED, now, failure=reason)
    audit(None, "held_run.failed", run_id, now=now, detail={"partner": partner})
    awaited = EVALUATION if before is HeldRunState.ASKED else ANSWER
    enqueue(Step.REFUSE, partner, run_id, partner=partner, run=run_id, awaited=awaited, now=now)
    return True


@transaction.atomic
def refuse(partner: str, run_id: str, awaited: str, now: datetime) -> None:
    """Job: tell a partner why its run failed, in place of the message that it waits for.

    A job of its own, so that a partner to whom nothing can be sealed keeps no epoch from ending.
    """
    ledger.hold()
    run = _locked(partner, run_id)
    message = EvaluationMessage if awaited == EVALUATION else AnswerMessage
    _send(run, awaited, message(run_id, refusal=run.failure).to_bytes(), "", now)


def refuse_runs_of(epoch: Epoch, now: datetime) -> None:
    """End the runs that an ending epoch leaves unanswered."""
    waiting = HeldRun.objects.filter(publication__epoch=epoch, state__in=_ACTIVE)
    for partner, run_id in waiting.values_list("partner", "run_id"):
        fail(partner, run_id, "The epoch has ended: start again under the next manifest.", now)


def settle_held_runs(now: datetime) -> int:
    """End the partners' runs of which a step failed for good; returns how many."""
    ended = 0
    for partner, run_id in HeldRun.objects.filter(state__in=_ACTIVE).values_list("partner", "run_id"):
        jobs = (office.job(job_key(step, partner, run_id)) for step in (Step.EVALUATE, Step.CONFIRM))
        if any(job is not None and job.state == "failed" for job in jobs):
            ended += fail(partner, run_id, "A step failed here for good. Ask the contact point of this authority.", now)
    return ended


@dataclass(frozen=True)
class Confirmable(blind.Publication):
    """A publication without what may no longer be confirmed: protected, removed, expired or withdrawn since."""

    withheld: frozenset[str]

    def find(self, locator: bytes) -> tuple[str, TokenRecord] | None:
        """The kind and record under `locator`, with the references that may still be confirmed."""
        found = super().find(locator)
        if found is None:
            return None
        kind, record = found
        refs = tuple(ref for ref in record.refs if ref not in self.withheld)
        return (kind, record._replace(refs=refs)) if refs else None


def _confirmed(run: HeldRun) -> tuple[blind.Confirmation, Revealed]:
    """Confirm against the publication, leaving out at once whatever may not be revealed to this partner any more."""
    folder = files.publication_folder(run.publication.epoch.code, run.publication.tier)
    publication = blind.Publication.load(folder)
    state, named = bytes(run.holder_state or b""), bytes(run.inbound or b"")
    first = blind.confirm(run_state=state, confirm=named, publication=publication)
    met = {matched.ref for matched in first.matched}
    revealed = holdings.disclosures(met, run.partner)
    withheld = frozenset(met - revealed.keys())
    if not withheld:
        return first, revealed
    fields = (publication.manifest, publication.filters, publication.tables, publication.commitment_secret)
    return blind.confirm(run_state=state, confirm=named, publication=Confirmable(*fields, withheld)), revealed


def _answer(
    run_id: str, confirmation: blind.Confirmation, revealed: Revealed, references: Mapping[str, str]
) -> AnswerMessage:
    matches: dict[str, set[str]] = defaultdict(set)
    for matched in confirmation.matched:
        matches[matched.locator.hex()].add(references[matched.ref])
    disclosures = {reference: _disclosed(revealed[ref][1]) for ref, reference in references.items()}
    listed = {locator: tuple(sorted(named)) for locator, named in matches.items()}
    return AnswerMessage(run_id, confirmation.answer, listed, disclosures)


def _disclosed(disclosure: Disclosure) -> Disclosed:
    return Disclosed(
        reveals=disclosure.reveals,
        contact_point=disclosure.contact_point,
        handling_code=disclosure.handling_code,
        tlp=disclosure.tlp,
        caveats=disclosure.caveats,
        entity=disclosure.entity,
    )


def _tell_our_officers(
    run: HeldRun, matched: Iterable[blind.Matched], revealed: Revealed, references: Mapping[str, str], now: datetime
) -> None:
    """Open or join the case of these hits, keep each, and put it before the team."""
    met = [(revealed[ref][0], holdings.origin(revealed[ref][1].holding)) for ref in sorted(references)]
    case = case_actions.open_or_join_for_hit(
        partner=run.partner,
        partner_case=run.case_reference,
        purpose=run.purpose,
        legal_basis=run.legal_basis,
        entities=met,
        officers=holdings.duty_officers({revealed[ref][1].holding for ref in references}),
        now=now,
    )
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in matched:
        kinds[one.ref].add(one.kind)
    hits = [
        HeldHit(
            run_id=run.pk,
            case_id=case.reference,
            reference=reference,
            holding=revealed[ref][1].holding,
            entity_id=revealed[ref][0].id,
            caption=revealed[ref][0].caption[:500],
            kinds=sorted(kinds[ref]),
            disclosed=revealed[ref][1].reveals,
            found_at=now,
        )
        for ref, reference in sorted(references.items())
    ]
    HeldHit.objects.bulk_create(hits, batch_size=CHUNK)
    title = f"{run.partner} met {len(hits)} of our entities in its case {run.case_reference}"
    _task(run, title, case.reference, case.members, now)


def _task(run: HeldRun, title: str, case: str, officers: Collection[int], now: datetime) -> None:
    add_task(
        key=f"held_run:{run.partner}:{run.run_id}", title=title, link=f"/cases/{case}/", officers=[*officers], now=now
    )


def _require_as_stated(run: HeldRun, summary: blind.RunSummary) -> None:
    stated = (run.run_id, run.case_reference, run.legal_basis, run.publication.manifest_digest, run.counts)
    asked = (
        summary.run_id,
        summary.case_reference,
        summary.legal_basis,
        summary.manifest_digest.hex(),
        dict(summary.elements),
    )
    if asked != stated:
        raise MisstatedRequestError


def _end(run: HeldRun, state: HeldRunState, now: datetime, **fields: object) -> None:
    """End a locked run and forget the messages that asked: the blinded elements, and every locator named."""
    move_held_run(run, state, ended_at=now, **fields)
    for asked in (run.request_message, run.confirm_message):
        exchange.forget(run.partner, asked, now=now)


def _locked(partner: str, run_id: str) -> HeldRun:
    return HeldRun.objects.select_for_update().get(partner=partner, run_id=run_id)


def _send(run: HeldRun, payload_type: str, payload: bytes, in_reply_to: str, now: datetime) -> None:
    exchange.send(
        recipient=run.partner,
        payload_type=payload_type,
        payload=payload,
        case_reference=run.case_reference,
        purpose=run.purpose,
        legal_basis=run.legal_basis,
        in_reply_to=in_reply_to,
        message_id=message_id(payload_type, run.run_id, run.partner, directory.own_code()),
        fields={"run": run.run_id},
        now=now,
    )
