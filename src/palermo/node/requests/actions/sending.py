"""Send an approved request: everything is checked once more, and what is missing is named at once."""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.law.findings import missing
from palermo.node.cases import queries as cases
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.actions import add_task, audit, finish_task
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.node.requests import cited_items, dossier, queries
from palermo.node.requests.actions.moving import move, require_open_case, settle, tell
from palermo.node.requests.messages import REQUEST_TYPE
from palermo.node.requests.models import Request
from palermo.node.requests.rows import RequestRow
from palermo.node.requests.states import RETURNS, Direction, State


@transaction.atomic
def send(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Send an approved request; everything that is missing is named at once (``InvalidError.problems``).

    Only bytes that a second person approved leave. Completeness, the originator's consent and the safeguards are
    checked again now, because any of them may have changed since.
    """
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    request = dossier.find(officer, reference, lock=True)
    type_ = dossier.type_of(request)
    policy.require(officer, type_.send, cases.members(request.case_id))
    require_open_case(request.case_id)
    settle(request)
    move(request, State.SENT, "sent")
    problems = missing(dossier.findings(officer, request, now)) + dossier.gate_problems(request)
    if not office.is_approved(dossier.subject_of(request), dossier.payload_digest(request)):
        problems.append("A second person has to approve these exact words before they leave.")
    if problems:
        raise InvalidError(problems)
    case = cases.facts(request.case_id)
    message = exchange.send(
        recipient=request.partner,
        payload_type=REQUEST_TYPE,
        payload=bytes(request.payload),
        case_reference=request.case_id,
        purpose=case.purpose,
        legal_basis=type_.legal_basis,
        fields={"request": reference, **cited_items.ledger_field(cited_items.stated(request))},
        now=now,
    )
    request.message_id, request.sent_at, request.changed_at = message.message_id, now, now
    request.due_at = now + timedelta(days=type_.days)
    request.save()
    tell(request, f"Request {reference} sent to {request.partner}", officer=officer, now=now)
    audit(officer, "request.sent", reference, now=now, detail={"message": message.message_id})
    return queries.request_row(request)


@transaction.atomic
def close(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Close our request once it was executed or refused."""
    request = dossier.find(officer, reference, lock=True)
    policy.require(officer, "request.draft", cases.members(request.case_id))
    move(request, State.CLOSED, "closed")
    request.changed_at = now
    request.save()
    finish_task(answer_task(request), now=now)
    tell(request, f"Request {reference} closed", officer=officer, now=now)
    audit(officer, "request.closed", reference, now=now)
    return queries.request_row(request)


def answer_task(request: Request) -> str:
    """The key of the task that an answer to our request has to be looked at."""
    return f"request.answered:{request.reference}"


def undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that our request was rejected, or ran out of time without a receipt.

    A rejected one is a draft again, to be corrected; of one whose fate is unknown a person is told.
    """
    request = Request.objects.select_for_update().filter(message_id=message.message_id).first()
    if request is None or request.state != State.SENT:
        return
    if message.state == "rejected" and State.DRAFT in RETURNS[Direction.OUT][State.SENT]:
        request.state, request.payload, request.message_id = State.DRAFT, b"", ""
        request.sent_at = request.due_at = None
        request.changed_at = now
        request.save()
        told = f"Request {request.reference} was not taken by {request.partner}: {message.reason}"
    else:
        told = f"No receipt for request {request.reference}: it is not known whether {request.partner} has it"
    tell(request, told, officer=None, now=now)
    add_task(
        key=f"request.{message.state}:{message.message_id}",
        title=told,
        link=f"/requests/{request.reference}/",
        officers=[request.drafted_by_id] if request.drafted_by_id else sorted(cases.members(request.case_id)),
        now=now,
    )
