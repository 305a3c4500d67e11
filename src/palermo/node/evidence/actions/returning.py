"""A partner recalls what it gave us: its use stops at once, and we delete it or state the legal ground not to.

Deletion is in two steps, so that no statement is signed before the bytes are gone and none is lost to a crash: the
officer's decision closes the items and queues the work; the work removes the files, looks that nothing is left, and
only then signs, enters and sends the statement.
"""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import copies, limits, statements, use_queries
from palermo.node.evidence.actions.destroying import close_items
from palermo.node.evidence.actions.recalling import link, send_recall
from palermo.node.evidence.grounds import all_grounds
from palermo.node.evidence.messages import (
    RECALL_ANSWER_TYPE,
    STATEMENT_TYPE,
    RecallAnswerMessage,
    RecallMessage,
    StatementMessage,
)
from palermo.node.evidence.models import Item, Recall, Statement
from palermo.node.evidence.receiving import given_by, new_reference, parsed, refuse_empty, refuse_long
from palermo.node.evidence.rows import RecallRow
from palermo.node.evidence.states import RECALL_MOVES, Direction, RecallState
from palermo.node.evidence.telling import tell, to_the_team, who
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import jobs, policy
from palermo.node.office import queries as office
from palermo.node.office.actions import add_task, audit, finish_task
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.jobs import Heartbeat
from palermo.node.office.policy import Actor

DESTROY = "evidence.destroy"
PASS_ON_JOB, DESTROY_JOB = "evidence.pass_on", "evidence.destroy_recalled"


@transaction.atomic
def receive_recall(message: Received, *, now: datetime) -> None:
    """Take in a recall: every copy of the item is closed at once, and those to whom it went on are told."""
    said = parsed(RecallMessage, message)
    known = Recall.objects.filter(reference=said.reference).exists()
    reference = new_reference(message.sender, "RCL", said.reference, known)
    refuse_empty(reason=said.reason, recalled_by=said.recalled_by)
    refuse_long(said.reason, most=2000)
    refuse_long(said.recalled_by, most=200)
    item = given_by(message.sender, said.package, said.sha256)
    if item.recall is not None:
        raise RefusedError(f"You recalled it already: {item.recall.reference}.")
    recall = Recall.objects.create(
        reference=reference,
        direction=Direction.IN,
        partner=message.sender,
        item=item,
        package_reference=said.package,
        sha256=said.sha256,
        reason=said.reason,
        recalled_by=said.recalled_by,
        recalled_at=said.recalled_at,
        due_at=max(said.due_at, now),
        message_id=message.message_id,
    )
    stopped = copies.family(item)
    Item.objects.filter(pk__in=[row.pk for row in stopped]).update(recall=recall)
    title = f"{message.sender} recalls {item.reference}: delete it, or state the legal ground not to"
    deciding = sorted({pk for row in stopped for pk in who(DESTROY, row)})
    add_task(key=_task(recall), title=title, link=link(recall), officers=deciding, due_at=recall.due_at, now=now)
    for row in stopped:
        tell(row, f"{message.sender} recalls {row.reference}: its use has stopped", link(recall), None, now)
    jobs.enqueue(PASS_ON_JOB, f"{PASS_ON_JOB}:{reference}", {"recall": reference}, now=now)
    audit(None, "evidence.recall_received", item.reference, now=now, detail={"by": message.sender, "recall": reference})


@transaction.atomic
def keep_recalled(
    officer: Actor, reference: str, *, ground: str, provision: str, reasons: str, now: datetime
) -> RecallRow:
    """State the legal ground on which a recalled item is kept; it then serves that ground's proceedings alone."""
    ledger.hold()
    recall = _find(officer, reference)
    problems = [] if ground in all_grounds() else [f"Choose the ground: {', '.join(all_grounds())}."]
    problems += [] if provision.strip() else ["Name the provision or the order: the ground alone is not enough."]
    problems += [] if reasons.strip() else ["Give the reasons: they go to the provider."]
    if len(provision) > 500 or len(reasons) > 2000:
        problems.append("Shorten the provision to 500 characters, the reasons to 2000.")
    if problems:
        raise InvalidError(problems)
    _move(recall, RecallState.KEPT)
    recall.ground, recall.provision, recall.reasons = ground, provision.strip(), reasons.strip()
    recall.answered_by, recall.answered_at = officer.get_full_name(), now
    recall.save()
    Item.objects.filter(recall=recall).update(hold=f"{ground}: {recall.provision}")
    said = RecallAnswerMessage(reference, ground, recall.provision, recall.reasons, recall.answered_by, now)
    _send(recall, RECALL_ANSWER_TYPE, said.to_bytes(), f"{reference}: kept on a legal ground", now)
    finish_task(_task(recall), now=now)
    tell(recall.item, f"{recall.item.reference} is kept in spite of its recall ({ground})", link(recall), officer, now)
    audit(officer, "evidence.recall_kept", recall.item.reference, now=now, detail={"recall": reference})
    return use_queries.recall_row(recall)


@transaction.atomic
def delete_recalled(officer: Actor, reference: str, *, now: datetime) -> RecallRow:
    """Decide that a recalled item is deleted, with every copy of it; the statement follows when the bytes are gone."""
    recall = _find(officer, reference)
    if RecallState.DELETED not in RECALL_MOVES[RecallState(recall.state)]:
        raise ConflictError("This was deleted already.")
    if office.job(f"{DESTROY_JOB}:{reference}") is not None:
        raise ConflictError("Its deletion is under way.")
    recall.answered_by, recall.answered_at = officer.get_full_name(), now
    recall.save()
    items = list(Item.objects.filter(recall=recall).order_by("pk"))
    close_items(items, officer, f"recalled by {recall.partner}: {reference}", now)
    jobs.enqueue(DESTROY_JOB, f"{DESTROY_JOB}:{reference}", {"recall": reference}, now=now)
    finish_task(_task(recall), now=now)
    for item in items:
        tell(item, f"{item.reference} is deleted: recalled by {recall.partner}", link(recall), officer, now)
    audit(officer, "evidence.recall_deleted", recall.item.reference, now=now, detail={"recall": reference})
    return use_queries.recall_row(recall)


def destroy(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """The work: remove the files, then state it. Runs again after a crash; what was stated is not stated twice."""
    recall = Recall.objects.get(reference=payload["recall"])
    copies.unlink_files(Item.objects.filter(recall=recall))
    _state_deletion(recall.reference, now)


@transaction.atomic
def _state_deletion(reference: str, now: datetime) -> None:
    ledger.hold()
    recall = Recall.objects.select_for_update().get(reference=reference)
    if recall.state == RecallState.DELETED:
        return
    items = list(Item.objects.filter(recall=recall).order_by("pk"))
    packages = copies.packages_with(items)
    count = len(items) + len(packages) + copies.erase_elsewhere(packages, now)
    for package in packages:
        package.destroyed_at = package.destroyed_at or now
        package.save(update_fields=["destroyed_at"])
    passed_on = {package.partner for package in packages if package.direction == "out"}
    statement = statements.make(
        items,
        provider=recall.partner,
        recall=recall,
        rule="",
        copies={recall.sha256: count},
        passed_on=sorted(passed_on),
        deleted_by=recall.answered_by,
        now=now,
    )
    said = StatementMessage(reference, bytes(statement.signed))
    _send(recall, STATEMENT_TYPE, said.to_bytes(), f"{reference}: deletion statement", now)
    recall.state = RecallState.DELETED
    recall.save(update_fields=["state"])
    audit(None, "evidence.destroyed", recall.item.reference, now=now, detail={"statement": statement.reference})


def pass_on(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Recall the item in our turn from everyone to whom it lawfully went on from here; once each."""
    parent = Recall.objects.get(reference=payload["recall"])
    items = Item.objects.filter(recall=parent)
    for package in [package for package in copies.packages_with(items) if package.direction == "out"]:
        for item in package.items.filter(recall=parent).order_by("pk"):
            _pass_on_one(parent, item, package.reference, now)


@transaction.atomic
def _pass_on_one(parent: Recall, item: Item, package: str, now: datetime) -> None:
    ledger.hold()
    if Recall.objects.filter(parent=parent, item=item, package_reference=package).exists():
        return
    sealed = item.packages.get(reference=package)
    reason = f"Recalled by {parent.partner}, who had given it to us: {parent.reason}"[:2000]
    child = send_recall(item, sealed, reason, parent.recalled_by, parent=parent, now=now)
    tell(item, f"The recall of {item.reference} is passed on to {sealed.partner}", link(child), None, now)


def forward(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Send on to the provider what the next holder stated: its deletion, or the proof of it."""
    with transaction.atomic():
        ledger.hold()
        statement = Statement.objects.get(reference=payload["statement"])
        recall = Recall.objects.get(reference=payload["recall"])
        proof = bytes(statement.proof or b"") if payload["proof"] else b""
        said = StatementMessage(recall.reference, bytes(statement.signed), proof)
        key = hashlib.sha256(f"{statement.reference} {recall.reference} {bool(proof)}".encode()).hexdigest()[:32]
        _send(recall, STATEMENT_TYPE, said.to_bytes(), f"{recall.reference}: {statement.partner} deleted it", now, key)


def prove_statements(now: datetime) -> int:
    """Complete our statements with their proof when a quorum has cosigned the log over them, and send it."""
    waiting = list(Statement.objects.filter(direction=Direction.OUT, proof=None).order_by("pk"))
    return sum(_prove_one(statement.pk, now) for statement in waiting)


@transaction.atomic
def _prove_one(pk: int, now: datetime) -> bool:
    ledger.hold()
    statement = Statement.objects.select_for_update(of=("self",)).select_related("recall").get(pk=pk)
    if statement.proof is not None or not statements.prove(statement, now=now):
        return False
    if statement.recall is not None:
        said = StatementMessage(statement.recall.reference, bytes(statement.signed), bytes(statement.proof or b""))
        purpose = f"{statement.recall.reference}: proof of deletion"
        _send(statement.recall, STATEMENT_TYPE, said.to_bytes(), purpose, now)
    return True


@transaction.atomic
def reply_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that an answer to a recall, or a statement, did not arrive: a person is told."""
    reference = message.purpose.partition(":")[0]
    recall = Recall.objects.filter(direction=Direction.IN, partner=message.partner, reference=reference).first()
    if recall is not None:
        told = f"{recall.partner} did not take our answer to {recall.reference}: {message.reason or 'no receipt'}"
        to_the_team(recall.item, f"evidence.{message.state}:{message.message_id}", told, link(recall), now)


def _find(officer: Actor, reference: str) -> Recall:
    recall = use_queries.readable_recall(officer, reference, lock=True)
    policy.require(officer, DESTROY, cases.members(recall.item.case_id))
    if recall.direction != Direction.IN:
        raise ConflictError("This is our own recall: the holder answers it.")
    return recall


def _move(recall: Recall, new: RecallState) -> None:
    if new not in RECALL_MOVES[RecallState(recall.state)] or recall.item.destroyed_at is not None:
        raise ConflictError(f"The recall is {recall.state}, or the item is gone: it cannot be {new.value} now.")
    recall.state = new


def _send(recall: Recall, kind: str, payload: bytes, purpose: str, now: datetime, key: str | None = None) -> None:
    exchange.send(
        recipient=recall.partner,
        payload_type=kind,
        payload=payload,
        case_reference=recall.item.case_id,
        purpose=purpose,
        legal_basis=limits.ARTICLES,
        in_reply_to=recall.message_id,
        message_id=key,
        fields={"recall": recall.reference, "item": recall.sha256},
        now=now,
    )


def _task(recall: Recall) -> str:
    return f"evidence.recall:{recall.reference}"
