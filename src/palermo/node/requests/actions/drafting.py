"""Draft a request, change it, fix its bytes for the second person, or give it up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from palermo.law.findings import missing
from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import queries as evidence
from palermo.node.office import policy
from palermo.node.office.actions import ask_approval, audit, next_reference
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.node.requests import cited_items, dossier, queries
from palermo.node.requests.actions.moving import WrongStateError, move, require_open_case, settle, tell
from palermo.node.requests.messages import Fact, RequestMessage
from palermo.node.requests.models import Request
from palermo.node.requests.rows import RequestRow
from palermo.node.requests.states import Direction, State
from palermo.node.requests.types import registry
from palermo.node.requests.types.form import form_problems

DRAFT = "request.draft"


@transaction.atomic
def draft(officer: Actor, *, type: str, case: str, partner: str, facts: Mapping[str, str], now: datetime) -> RequestRow:
    """Start a request. ``facts``: the type's form fields by name, all text; incomplete is allowed in a draft."""
    policy.require(officer, DRAFT, cases.members(case))
    require_open_case(case)
    found = registry.get(type)
    problems = [] if found else ["Choose one of the types of request that this node knows."]
    problems += _partner_problems(partner)
    problems += form_problems(found.fields, facts) if found else []
    if problems:
        raise InvalidError(problems)
    request = Request.objects.create(
        reference=next_reference(f"{directory.own_code()}-REQ", now=now),
        direction=Direction.OUT,
        type=type,
        partner=partner,
        case_id=case,
        state=State.DRAFT,
        facts=dict(facts),
        payload=b"",
        drafted_by_id=officer.pk,
        created_at=now,
        changed_at=now,
    )
    tell(request, f"Request {request.reference} to {partner} drafted", officer=officer, now=now)
    audit(officer, "request.drafted", request.reference, now=now, detail={"type": type, "partner": partner})
    return queries.request_row(request)


@transaction.atomic
def edit_draft(officer: Actor, reference: str, *, facts: Mapping[str, str], now: datetime) -> RequestRow:
    """Change an unsent request; it is a draft again, and an approval of the earlier bytes no longer counts."""
    request = _ours(officer, reference)
    if problems := form_problems(dossier.type_of(request).fields, facts):
        raise InvalidError(problems)
    if settle(request) is not State.DRAFT:
        move(request, State.DRAFT, "edited")
    request.facts, request.payload, request.changed_at = dict(facts), b"", now
    request.save()
    audit(officer, "request.edited", reference, now=now)
    return queries.request_row(request)


@transaction.atomic
def cite_items(officer: Actor, reference: str, *, items: Sequence[str], now: datetime) -> RequestRow:
    """Choose the items of evidence (by reference) that an unsent request cites; it is a draft again.

    An item that needs its provider's consent may stand in a draft: the consent is asked for by the request's reference.
    Until it is in force here, the request is not submitted, and not sent.
    """
    request = _ours(officer, reference)
    evidence.items(officer, request.case_id)  # who may not read them cannot cite them
    if len(items) > cited_items.MOST:
        raise InvalidError(f"Choose at most {cited_items.MOST} items: more say nothing.")
    rows = cited_items.chosen(request, items, now)
    if settle(request) is not State.DRAFT:
        move(request, State.DRAFT, "edited")
    request.payload, request.changed_at = b"", now
    request.save()
    request.cited.set([row.pk for row in rows])
    audit(officer, "request.cited", reference, now=now, detail={"items": [row.reference for row in rows]})
    return queries.request_row(request)


@transaction.atomic
def submit_for_approval(officer: Actor, reference: str, *, now: datetime) -> RequestRow:
    """Fix the exact bytes and ask a second person (who decides with ``office.actions.decide_approval``).

    Refuses a request that lacks anything, with all of it at once (``InvalidError.problems``).
    """
    request = _ours(officer, reference)
    type_ = dossier.type_of(request)
    settle(request)
    if problems := missing(dossier.findings(officer, request, now)):
        raise InvalidError(problems)
    move(request, State.AWAITING_APPROVAL, "submitted")
    request.payload, request.changed_at = _message(officer, request, now).to_bytes(), now
    request.save()
    ask_approval(
        officer,
        subject=dossier.subject_of(request),
        digest=dossier.payload_digest(request),
        permission=type_.approve,
        readers=dossier.second_persons(request, type_.approve),
        title=f"Approve {type_.label.lower()} to {request.partner}: {reference}",
        link=f"/requests/{reference}/",
        now=now,
    )
    audit(officer, "request.submitted", reference, now=now, detail={"digest": dossier.payload_digest(request)})
    return queries.request_row(request)


@transaction.atomic
def withdraw(officer: Actor, reference: str, *, reason: str, now: datetime) -> RequestRow:
    """Give up a request that was not sent."""
    request = _ours(officer, reference)
    if not reason.strip():
        raise InvalidError("Say why the request is withdrawn: the reason stays with the case.")
    settle(request)
    move(request, State.WITHDRAWN, "withdrawn")
    request.changed_at = now
    request.save()
    tell(request, f"Request {reference} withdrawn: {reason.strip()}", officer=officer, now=now)
    audit(officer, "request.withdrawn", reference, now=now, detail={"reason": reason.strip()})
    return queries.request_row(request)


def _ours(officer: Actor, reference: str) -> Request:
    """A request of ours that this officer may change, locked."""
    request = dossier.find(officer, reference, lock=True)
    policy.require(officer, DRAFT, cases.members(request.case_id))
    if request.direction != Direction.OUT:
        raise WrongStateError(reference, State(request.state), "changed: it is the partner's")
    require_open_case(request.case_id)
    return request


def _partner_problems(partner: str) -> list[str]:
    known = {row.code for row in directory.partners()}
    return [] if partner in known else ["Choose an authority of the directory other than this one."]


def _message(officer: Actor, request: Request, now: datetime) -> RequestMessage:
    hits_field = dossier.type_of(request).cites_hits
    return RequestMessage(
        reference=request.reference,
        type=request.type,
        authority=directory.own().name,
        issued_by=officer.get_full_name(),
        issued_at=now,
        facts=tuple(Fact(name, value) for name, value in sorted(request.facts.items()) if value and name != hits_field),
        hits=dossier.cited_hits(officer, request),
        items=cited_items.in_message(cited_items.of(request, now)),
    )
