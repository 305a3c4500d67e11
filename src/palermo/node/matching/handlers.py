"""What a partner's message does here, in the exchange's transaction: it checks, keeps, and queues the work."""

from datetime import datetime
from typing import TypeVar

from palermo import blind
from palermo.blind.publication import open_filters
from palermo.node.directory import queries as directory
from palermo.node.exchange.handlers import Effect, Handler, Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.exchange.states import Outbox
from palermo.node.holdings import queries as holdings
from palermo.node.matching import bases, budgets, files
from palermo.node.matching.actions import holder, querier
from palermo.node.matching.messages import (
    ANSWER,
    CONFIRM,
    EVALUATION,
    MANIFEST,
    RUN,
    AnswerMessage,
    ConfirmMessage,
    EvaluationMessage,
    ManifestMessage,
    MessageError,
    RunMessage,
)
from palermo.node.matching.models import HeldRun, PartnerManifest, Publication, Run
from palermo.node.matching.states import EpochState, HeldRunState, RunState
from palermo.node.matching.steps import Step, enqueue, message_id
from palermo.sealing import dsse
from palermo.sealing.errors import SealingError


def receive_manifest(message: Received, *, now: datetime) -> None:
    """Keep a partner's manifest and filters. A second manifest for one epoch and tier is refused."""
    try:
        offered = ManifestMessage.from_bytes(message.payload)
        keys = dsse.by_id(*directory.verify_keys(message.sender, message.created_at))
        payload = dsse.verify(offered.manifest, keys, payload_type=MANIFEST, part="manifest").payload
        manifest = blind.Manifest.parse(payload)
        open_filters(manifest, offered.filters)
    except (MessageError, SealingError, blind.BlindError) as error:
        raise RefusedError(f"This manifest cannot be used: {error}") from error
    _check_manifest(message, manifest, now)
    _make_room(message, manifest, now)
    PartnerManifest.objects.get_or_create(
        manifest_digest=manifest.digest.hex(),
        defaults={
            "partner": message.sender,
            "epoch": manifest.epoch,
            "tier": manifest.tier,
            "manifest": offered.manifest,
            "counts": {entry.kind: entry.count for entry in manifest.kinds},
            "valid_from": manifest.valid_from,
            "valid_until": manifest.valid_until,
            "received_at": now,
        },
    )
    files.save_filters(manifest.digest.hex(), offered.filters)


def receive_run(message: Received, *, now: datetime) -> None:
    """Check tier, basis and budget of a partner's run, charge it, and queue the evaluation."""
    asked = _parsed(RunMessage, message)
    publication = _offered(message, asked, now)
    _check_stated(message, asked, publication)
    if HeldRun.objects.filter(partner=message.sender, run_id=asked.run_id).exists():
        raise RefusedError("A run is single-use and this one was asked before. Start a new run.")
    try:
        budgets.charge(message.sender, asked.elements, now.date())
    except budgets.OverBudgetError as error:
        raise RefusedError(str(error)) from error
    HeldRun.objects.create(
        run_id=asked.run_id,
        partner=message.sender,
        publication=publication,
        case_reference=message.case_reference,
        purpose=message.purpose,
        legal_basis=asked.legal_basis,
        asked_by=asked.officer,
        counts=dict(asked.elements),
        request_message=message.message_id,
        ledger_index=message.ledger_index,
        inbound=asked.request,
        received_at=now,
    )
    payload = {"partner": message.sender, "run": asked.run_id}
    enqueue(Step.EVALUATE, message.sender, asked.run_id, now=now, **payload)


def receive_evaluation(message: Received, *, now: datetime) -> None:
    """Keep the evaluation of a run of ours and queue its verification; a refusal ends the run."""
    evaluated = _parsed(EvaluationMessage, message)
    run = _our_run(message, evaluated.run_id, RunState.ASKED)
    if evaluated.refusal:
        querier.fail(run.run_id, f"{message.sender} refused: {evaluated.refusal}", now)
        return
    _keep(run, evaluated.evaluation)
    enqueue(Step.FINALIZE, run.run_id, run=run.run_id, now=now)


def receive_confirm(message: Received, *, now: datetime) -> None:
    """Keep the locators that a partner names and queue the answer; they are forgotten when it is given."""
    named = _parsed(ConfirmMessage, message)
    run = HeldRun.objects.select_for_update().filter(partner=message.sender, run_id=named.run_id).first()
    if run is None or run.state != HeldRunState.EVALUATED or run.inbound is not None:
        raise RefusedError("This run does not wait for a confirmation: a run is single-use. Start a new one.")
    run.inbound, run.confirm_message = named.confirm, message.message_id
    run.save(update_fields=["inbound", "confirm_message"])
    enqueue(Step.CONFIRM, message.sender, run.run_id, partner=message.sender, run=run.run_id, now=now)


def receive_answer(message: Received, *, now: datetime) -> None:
    """Keep the answer to a run of ours and queue its conclusion; a refusal ends the run."""
    answer = _parsed(AnswerMessage, message)
    run = _our_run(message, answer.run_id, RunState.CONFIRMING)
    if answer.refusal:
        querier.fail(run.run_id, f"{message.sender} refused: {answer.refusal}", now)
        return
    _keep(run, message.payload)
    enqueue(Step.CONCLUDE, run.run_id, run=run.run_id, now=now)


def run_undelivered(message: MessageRow, *, now: datetime) -> None:
    """A message of a run of ours was rejected, or nobody knows whether it arrived: the run ends."""
    own = directory.own_code()
    for run_id in Run.objects.filter(partner=message.partner, ended_at=None).values_list("run_id", flat=True):
        if message.message_id == message_id(message.payload_type, run_id, own, message.partner):
            querier.fail(run_id, _lost(message), now)


def held_run_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Our evaluation did not reach the querier: its run ends here too."""
    own = directory.own_code()
    for run_id in HeldRun.objects.filter(partner=message.partner, ended_at=None).values_list("run_id", flat=True):
        if message.message_id == message_id(message.payload_type, run_id, message.partner, own):
            holder.fail(message.partner, run_id, _lost(message), now)


EXCHANGE_HANDLERS: dict[str, Effect | Handler] = {
    MANIFEST: receive_manifest,
    RUN: Handler(receive_run, run_undelivered, forget=True),
    EVALUATION: Handler(receive_evaluation, held_run_undelivered),
    CONFIRM: Handler(receive_confirm, run_undelivered, forget=True),
    ANSWER: receive_answer,
}


_Message = TypeVar("_Message", RunMessage, EvaluationMessage, ConfirmMessage, AnswerMessage)


def _parsed(kind: type[_Message], message: Received) -> _Message:
    try:
        return kind.from_bytes(message.payload)
    except MessageError as error:
        raise RefusedError(f"This message cannot be read: {error}.") from error


def _check_manifest(message: Received, manifest: blind.Manifest, now: datetime) -> None:
    if manifest.holder != message.sender:
        raise RefusedError(f"This manifest is of {manifest.holder}: each holder sends its own.")
    if manifest.valid_until <= now:
        raise RefusedError("This manifest has ended. Send the one of your present epoch.")
    same = PartnerManifest.objects.filter(partner=message.sender, epoch=manifest.epoch, tier=manifest.tier)
    if same.exclude(manifest_digest=manifest.digest.hex()).exists():
        raise RefusedError("You sent another manifest for this epoch and tier. Open a new epoch for new content.")


def _make_room(message: Received, manifest: blind.Manifest, now: datetime) -> None:
    """End the partner's oldest manifests of this tier, so that it has no more live ones than it may.

    Its filters go with the next turn of the clock. One that a run of ours still needs stays.
    """
    live = PartnerManifest.objects.filter(partner=message.sender, valid_until__gt=now)
    live = live.exclude(manifest_digest=manifest.digest.hex())
    tiers = set(live.values_list("tier", flat=True)) - {manifest.tier}
    if len(tiers) >= budgets.LIVE_TIERS.number:
        raise RefusedError(f"You offer us {len(tiers)} tiers already, the most we take. Let one end first.")
    waiting = Run.objects.filter(ended_at=None).values("manifest_id")
    same = live.filter(tier=manifest.tier)
    surplus = same.count() - budgets.LIVE_MANIFESTS.number + 1
    if surplus <= 0:
        return
    oldest = same.exclude(pk__in=waiting).order_by("valid_from", "pk").values_list("pk", flat=True)[:surplus]
    if len(oldest) < surplus:
        raise RefusedError("Runs are under way under all your manifests of this tier. Send it again in a day.")
    PartnerManifest.objects.filter(pk__in=list(oldest)).update(valid_until=now)


def _offered(message: Received, asked: RunMessage, now: datetime) -> Publication:
    """The publication that the run asks under, if it was made for this partner's tier and is still offered to it.

    One answer for every no. A partner that a holding names only since is served from the next epoch.
    """
    found = Publication.objects.filter(manifest_digest=asked.manifest_digest, epoch__valid_until__gt=now)
    publication = found.exclude(epoch__state=EpochState.CLOSED).first()
    offered = publication is not None and message.sender in publication.partners
    if publication is None or not offered or not holdings.names_partner(publication.holdings, message.sender):
        raise RefusedError(
            "The manifest that this run names is not offered to you. Ask under the newest you were sent."
        )
    return publication


def _check_stated(message: Received, asked: RunMessage, publication: Publication) -> None:
    stated = {
        "case reference": message.case_reference,
        "purpose": message.purpose,
        "legal basis": asked.legal_basis,
        "officer": asked.officer,
    }
    missing = [name for name, text in stated.items() if not text.strip()]
    if missing:
        raise RefusedError(f"A run must state its {', '.join(missing)}.")
    if bases.recognise(asked.legal_basis) is None:
        raise RefusedError(f"We serve no run on the basis stated. We recognise: {bases.listed()}.")
    if asked.elements.keys() != publication.counts.keys():
        raise RefusedError("A run must ask for each kind of the manifest, and no other.")


def _our_run(message: Received, run_id: str, state: RunState) -> Run:
    """Our run that waits for this partner's message, locked."""
    run = Run.objects.select_for_update().filter(run_id=run_id, partner=message.sender).first()
    if run is None or run.state != state or run.inbound is not None:
        raise RefusedError("No run of ours waits for this message: it has ended, or was never asked.")
    return run


def _keep(run: Run, data: bytes) -> None:
    run.inbound = data
    run.save(update_fields=["inbound"])


def _lost(message: MessageRow) -> str:
    if message.state == Outbox.REJECTED:
        return f"{message.partner} rejected it: {message.reason}"
    return f"No receipt from {message.partner} in time."
