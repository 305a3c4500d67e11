"""Recall an item that we gave, and take in what its holder says: the ground on which it is kept, or its deletion."""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import limits, queries, statements, use_queries
from palermo.node.evidence.grounds import all_grounds
from palermo.node.evidence.messages import RECALL_TYPE, RecallAnswerMessage, RecallMessage, StatementMessage
from palermo.node.evidence.models import Item, Package, Recall
from palermo.node.evidence.receiving import parsed, refuse_empty, refuse_long
from palermo.node.evidence.rows import RecallRow
from palermo.node.evidence.states import RECALL_MOVES, Direction, RecallState
from palermo.node.evidence.telling import tell, to_the_team
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import jobs, policy
from palermo.node.office.actions import audit, finish_task, next_reference
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.errors import SealingError

RECALL = "evidence.recall"
DAYS = 14
"""How long a holder has before its silence is shown."""
LONGEST = 2000
FORWARD_JOB = "evidence.forward"


@transaction.atomic
def recall_item(officer: Actor, *, item: str, package: str, reason: str, now: datetime) -> RecallRow:
    """Take back an item that went out in a package: its recipient stops its use, and deletes it or says why not.

    Raises ``ConflictError`` where it did not go out so, or was recalled already; ``InvalidError`` without a reason.
    """
    ledger.hold()
    found = queries.readable_item(officer, item)
    policy.require(officer, RECALL, cases.members(found.case_id))
    sealed = Package.objects.filter(reference=package, direction="out", items=found).first()
    if sealed is None:
        raise ConflictError("This item did not leave in that package. Choose a package that it left in.")
    if Recall.objects.filter(item=found, package_reference=package).exclude(state=RecallState.UNDELIVERED).exists():
        raise ConflictError("It was recalled already. The answer stands on the page of the recall.")
    if not reason.strip() or len(reason) > LONGEST:
        raise InvalidError(f"Give the reason, in at most {LONGEST} characters: the holder decides by it.")
    recall = send_recall(found, sealed, reason.strip(), officer.get_full_name(), parent=None, now=now)
    tell(found, f"{item} recalled from {sealed.partner}", link(recall), officer, now)
    audit(officer, "evidence.recalled", item, now=now, detail={"recall": recall.reference, "partner": sealed.partner})
    return use_queries.recall_row(recall)


def send_recall(item: Item, package: Package, reason: str, by: str, *, parent: Recall | None, now: datetime) -> Recall:
    """Write and send a recall, in the caller's transaction. ``parent``: the recall that it passes on."""
    reference = next_reference(f"{directory.own_code()}-RCL", now=now)
    said = RecallMessage(
        reference=reference,
        package=package.reference,
        sha256=item.sha256,
        reason=reason,
        recalled_by=by,
        recalled_at=now,
        due_at=now + timedelta(days=DAYS),
    )
    message = exchange.send(
        recipient=package.partner,
        payload_type=RECALL_TYPE,
        payload=said.to_bytes(),
        case_reference=item.case_id,
        purpose=f"Recall of evidence: {reference}",
        legal_basis=limits.ARTICLES,
        fields={"recall": reference, "item": item.sha256},
        now=now,
    )
    return Recall.objects.create(
        reference=reference,
        direction=Direction.OUT,
        partner=package.partner,
        item=item,
        package_reference=package.reference,
        sha256=item.sha256,
        reason=reason,
        recalled_by=by,
        recalled_at=now,
        due_at=said.due_at,
        message_id=message.message_id,
        parent=parent,
    )


def link(recall: Recall) -> str:
    """Where the recall is shown."""
    return f"/recalls/{recall.reference}/"


@transaction.atomic
def receive_kept(message: Received, *, now: datetime) -> None:
    """Take in that the holder keeps the item, on which legal ground."""
    said = parsed(RecallAnswerMessage, message)
    recall = _ours(message, said.reference)
    refuse_empty(provision=said.provision, reasons=said.reasons, answered_by=said.answered_by)
    refuse_long(said.provision, most=500)
    refuse_long(said.reasons, most=LONGEST)
    refuse_long(said.answered_by, most=200)
    if said.ground not in all_grounds():
        raise RefusedError(f"Name the legal ground, one of: {', '.join(all_grounds())}.")
    _move(recall, RecallState.KEPT)
    recall.ground, recall.provision, recall.reasons = said.ground, said.provision, said.reasons
    recall.answered_by, recall.answered_at = said.answered_by, now
    recall.save()
    finish_task(silence_task(recall), now=now)
    _told(recall, f"{recall.partner} keeps {recall.item.reference} ({said.ground})", message.message_id, now)
    audit(None, "evidence.recall_kept", recall.item.reference, now=now, detail={"by": recall.partner})


@transaction.atomic
def receive_statement(message: Received, *, now: datetime) -> None:
    """Take in a deletion statement, of the holder or of one to whom it had passed the item on; or the proof of one."""
    said = parsed(StatementMessage, message)
    recall = _ours(message, said.recall)
    authority = _author(said, recall)
    try:
        statement, deleted = statements.take_in(authority, said.signed, recall, recall.item, now)
        if recall.sha256 not in [gone.sha256 for gone in deleted.items] or deleted.authority != authority:
            raise RefusedError("The statement is not about the item that was recalled, or is of another authority.")
        if authority == message.sender and deleted.recall != recall.reference:
            raise RefusedError("The statement answers another recall. Name ours in it.")
        if said.proof:
            statements.keep_proof(statement, said.proof, now=now)
    except SealingError as error:
        raise RefusedError(f"The statement does not hold: {error}") from error
    if authority == message.sender and recall.state != RecallState.DELETED:
        _move(recall, RecallState.DELETED)
        recall.answered_by, recall.answered_at = deleted.deleted_by, now
        recall.save()
        finish_task(silence_task(recall), now=now)
    if recall.parent is not None:
        key = f"{FORWARD_JOB}:{statement.reference}:{'proof' if said.proof else 'said'}"
        payload = {"statement": statement.reference, "recall": recall.parent.reference, "proof": bool(said.proof)}
        jobs.enqueue(FORWARD_JOB, key, payload, now=now)
    told = f"{authority} {'proves' if said.proof else 'states'} the deletion of {recall.item.reference}"
    _told(recall, told, message.message_id, now)
    audit(None, "evidence.deletion_stated", recall.item.reference, now=now, detail={"by": authority})


@transaction.atomic
def recall_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that a recall of ours was rejected, or ran out of time without a receipt."""
    recall = Recall.objects.select_for_update().filter(message_id=message.message_id).first()
    if recall is None or recall.direction != Direction.OUT or recall.state != RecallState.RECALLED:
        return
    recall.state = RecallState.UNDELIVERED
    recall.save(update_fields=["state"])
    why = message.reason or "no receipt"
    _told(recall, f"{recall.partner} did not take recall {recall.reference}: {why}", message.message_id, now)


def show_silence(now: datetime) -> int:
    """Put recalls that nobody answered in time before the team."""
    open_states = [RecallState.RECALLED, RecallState.UNDELIVERED]
    silent = list(Recall.objects.filter(direction=Direction.OUT, due_at__lte=now, state__in=open_states))
    for recall in silent:
        told = f"{recall.partner} has not answered recall {recall.reference} in {DAYS} days"
        to_the_team(recall.item, silence_task(recall), told, link(recall), now)
    return len(silent)


def silence_task(recall: Recall) -> str:
    """The key of the task that a holder has not answered."""
    return f"evidence.silent:{recall.reference}"


def _ours(message: Received, reference: str) -> Recall:
    recall = (
        Recall.objects.select_for_update()
        .filter(reference=reference, direction=Direction.OUT, partner=message.sender)
        .first()
    )
    if recall is None:
        raise RefusedError(f"We never sent you a recall {reference[:80]}. Check the reference.")
    return recall


def _author(said: StatementMessage, recall: Recall) -> str:
    """Who claims to have signed: the holder itself, or one to whom it had passed the item on, which then says so."""
    try:
        claimed = statements.claimed(said.signed)
    except SealingError as error:
        raise RefusedError(f"The statement cannot be read: {error}") from error
    if recall.partner not in (claimed.authority, claimed.provider):
        raise RefusedError(f"{claimed.authority[:40]} does not state that it had the item from you.")
    return claimed.authority


def _move(recall: Recall, new: RecallState) -> None:
    if new not in RECALL_MOVES[RecallState(recall.state)]:
        raise RefusedError(f"The recall is {recall.state} here: it cannot be {new.value} now.")
    recall.state = new


def _told(recall: Recall, text: str, key: str, now: datetime) -> None:
    tell(recall.item, text, link(recall), None, now)
    to_the_team(recall.item, f"evidence.recall_answered:{key}", text, link(recall), now)
