"""What a partner asks of us. Hostile until every check holds.

It runs inside the transaction that stores the message; what does not hold is refused with a reason that the sender gets
signed, and nothing of it is kept.
"""

import re
from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.cases import actions as cases
from palermo.node.cases import queries as case_queries
from palermo.node.directory import queries as directory
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.office.actions import add_task, audit
from palermo.node.office.queries import officers_allowed, officers_with
from palermo.node.requests import cited_items, dossier
from palermo.node.requests.actions.answering import request_task
from palermo.node.requests.actions.citing import held_case, refuse_unsupported
from palermo.node.requests.actions.moving import tell
from palermo.node.requests.messages import RequestMessage
from palermo.node.requests.models import Request
from palermo.node.requests.states import Direction, State
from palermo.node.requests.types import registry
from palermo.node.requests.types.form import form_problems
from palermo.node.requests.types.registry import RequestType
from palermo.sealing.errors import FormatError

LONGEST_CASE, LONGEST_NAME, MOST_HITS = 60, 200, 50
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@transaction.atomic
def receive_request(message: Received, *, now: datetime) -> None:
    """Take in a partner's request: it opens or joins a case, and waits for an officer who may answer it."""
    asked = _parsed_request(message)
    type_ = _known_type(message, asked)
    if Request.objects.filter(reference=asked.reference).exists():
        raise RefusedError(f"A request {asked.reference} was received before. Give each request its own reference.")
    refuse_unsupported(message.sender, asked, type_)
    cited_items.refuse_unfounded(message.sender, asked.items)
    case = _case_for(message, asked, type_, now)
    facts = {fact.name: fact.value for fact in asked.facts}
    request = Request.objects.create(
        reference=asked.reference,
        direction=Direction.IN,
        type=asked.type,
        partner=message.sender,
        case_id=case,
        partner_case=message.case_reference,
        state=State.RECEIVED,
        facts={**facts, type_.cites_hits: ",".join(hit.reference for hit in asked.hits)},
        payload=message.payload,
        message_id=message.message_id,
        created_at=asked.issued_at,
        changed_at=now,
        sent_at=message.created_at,
        due_at=now + timedelta(days=type_.days),
    )
    team = case_queries.members(case)
    add_task(
        key=request_task(request),
        title=f"{type_.label} asked by {message.sender}: {asked.reference}",
        link=f"/requests/{asked.reference}/",
        officers=_who_answers(type_, team),
        due_at=request.due_at,
        now=now,
    )
    tell(request, f"Request {asked.reference} received from {message.sender}", officer=None, now=now)
    audit(None, "request.received", asked.reference, now=now, detail={"type": asked.type, "partner": message.sender})


def _parsed_request(message: Received) -> RequestMessage:
    try:
        asked = RequestMessage.from_bytes(message.payload)
    except FormatError as error:
        raise RefusedError(
            f"This is not a request as we know it ({error}). Update your node and send it again."
        ) from error
    if not re.fullmatch(rf"{re.escape(message.sender)}-REQ-\d{{4}}-\d{{6,9}}", asked.reference):
        raise RefusedError(f"A request of yours has a reference such as {message.sender}-REQ-2026-000001.")
    if not message.case_reference or len(message.case_reference) > LONGEST_CASE:
        raise RefusedError(f"Name the case it belongs to, in at most {LONGEST_CASE} characters.")
    if len(asked.authority) > LONGEST_NAME or len(asked.issued_by) > LONGEST_NAME or len(asked.hits) > MOST_HITS:
        raise RefusedError("The names of authority and officer, or the list of hits, are too long.")
    if not all(
        _ID.fullmatch(part)
        for hit in asked.hits
        for part in (hit.run, hit.reference, hit.consent or "0", hit.holder or "0")
    ):
        raise RefusedError("A hit is cited by the ids of the run, of the hit and of the message with the consent.")
    return asked


def _known_type(message: Received, asked: RequestMessage) -> RequestType:
    """The type, if both authorities are competent for it and its form is filled in as the type has it."""
    type_ = registry.get(asked.type)
    if type_ is None:
        known = ", ".join(registry.all_types())
        raise RefusedError(f"This node knows no requests of type {asked.type[:40]!r}. It knows: {known}.")
    for code in (message.sender, directory.own_code()):
        if type_.channel.value not in directory.authority(code).roles:
            raise RefusedError(f"{code} is not listed as {type_.channel.value}. Send it to and from such an authority.")
    facts = {fact.name: fact.value for fact in asked.facts}
    problems = form_problems(type_.fields, facts)
    if len(facts) != len(asked.facts) or type_.cites_hits in facts:
        problems.append("A field comes twice, or names hits outside their list.")
    if problems:
        raise RefusedError(" ".join(problems)[:1000])
    return type_


def _who_answers(type_: RequestType, team: frozenset[int]) -> list[int]:
    """Who may read and answer a request of that type in a case with this team."""
    return officers_allowed(type_.respond, dossier.READ, members=team)


def _case_for(message: Received, asked: RequestMessage, type_: RequestType, now: datetime) -> str:
    """The case it joins: that of the hit we gave, or the open one for the partner's case, or a new one.

    Who answers joins its team: of an inquiry, those who know of the hit already; of a formal request, the officers
    who issue and answer such requests.
    """
    answering = officers_with(type_.respond)
    if type_.intelligence:
        case = next(filter(None, (held_case(message.sender, hit.reference) for hit in asked.hits)))
        if case_queries.facts(case).state == "open":
            return case
        answering = _who_answers(type_, case_queries.members(case))
    return cases.open_or_join_for_request(
        partner=message.sender,
        partner_case=message.case_reference,
        purpose=message.purpose[:500],
        legal_basis=type_.legal_basis,
        officers=answering,
        now=now,
    ).reference
