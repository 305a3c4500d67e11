"""Reads of requests. The officer comes first; without need to know there is nothing."""

from datetime import datetime

from django.utils import timezone

from palermo.law.findings import Finding
from palermo.law.gates import gates as law_gates
from palermo.node.cases import queries as cases
from palermo.node.evidence import queries as evidence
from palermo.node.evidence.rows import CitationRow
from palermo.node.exchange import queries as exchange
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.node.office.queries import ApprovalRow, officer_names
from palermo.node.requests import cited_items, dossier
from palermo.node.requests.checking import check as check_stored
from palermo.node.requests.messages import CitedItem
from palermo.node.requests.models import Answer, GateAnswer, Request
from palermo.node.requests.rows import AnswerRow, GateRow, GroundRow, RequestRow
from palermo.node.requests.states import MOVES_IN, Direction, Outcome, State
from palermo.node.requests.types import registry
from palermo.node.requests.types.form import hit_ids
from palermo.node.requests.types.registry import RequestType
from palermo.sealing import records

__all__ = [
    "UNSENT",
    "approval",
    "check",
    "check_stored",
    "citable",
    "cited",
    "gate_problems",
    "gates",
    "items_stated",
    "next_steps",
    "permitted_grounds",
    "request",
    "requests",
    "type_named",
    "types",
    "words_to_approve",
]

UNSENT = frozenset({State.DRAFT, State.AWAITING_APPROVAL, State.APPROVED})


def request(officer: Actor, reference: str) -> RequestRow:
    """One request with its answers."""
    return request_row(dossier.find(officer, reference))


def requests(officer: Actor, *, case: str = "", state: str = "") -> list[RequestRow]:
    """The requests that the officer may read, newest first; of one case, or in one state, where given."""
    policy.require(officer, "case.list")
    readable = [row.reference for row in cases.cases(officer)]
    found = Request.objects.filter(case__reference__in=[case] if case in readable else [] if case else readable)
    rows = [request_row(row) for row in found.order_by("-created_at", "-pk")]
    return [row for row in rows if not state or row.state == state]


def check(officer: Actor, reference: str, *, now: datetime | None = None) -> list[Finding]:
    """What the treaty demands of this request, all at once: present, absent or unknown, with article and next step."""
    return dossier.findings(officer, dossier.find(officer, reference), now or timezone.now())


def gates(officer: Actor, reference: str) -> list[GateRow]:
    """The safeguards a person must answer before this request leaves (ours) or is executed (a partner's)."""
    found = dossier.find(officer, reference)
    answers = {answer.gate: answer for answer in found.gates.all()}
    return [gate_row(code, answers.get(code)) for code in dossier.type_of(found).gates]


def gate_problems(officer: Actor, reference: str) -> list[str]:
    """What at the gates still holds this request back, one sentence each."""
    return dossier.gate_problems(dossier.find(officer, reference))


def permitted_grounds(officer: Actor, reference: str) -> list[GroundRow]:
    """The grounds on which a partner's request may be refused or postponed, with the duties of each."""
    found = dossier.find(officer, reference)
    if found.direction != Direction.IN:
        return []
    return [
        GroundRow(ground.code, Outcome(ground.outcome), ground.article, ground.says, ground.duties)
        for ground in dossier.type_of(found).grounds
    ]


def cited(officer: Actor, reference: str, now: datetime) -> list[CitationRow]:
    """The items that an unsent request of ours cites, each with the consent that lets it, or with what is wrong."""
    found = dossier.find(officer, reference)
    return cited_items.of(found, now) if found.direction == Direction.OUT and found.state in UNSENT else []


def citable(officer: Actor, reference: str, now: datetime) -> list[CitationRow]:
    """The items of its case that a request of ours, or our answer to a partner's, may choose to cite."""
    found = dossier.find(officer, reference)
    evidence.items(officer, found.case_id)  # who may not read them cannot choose them
    return cited_items.offered(found, now)


def items_stated(officer: Actor, reference: str) -> tuple[CitedItem, ...]:
    """The items that a request cites by its signed bytes."""
    return cited_items.stated(dossier.find(officer, reference))


def approval(officer: Actor, reference: str) -> ApprovalRow | None:
    """The second person's decision on the bytes in force, if one was asked."""
    return dossier.approval_of(dossier.find(officer, reference))


def words_to_approve(officer: Actor, subject: str, digest: str) -> list[tuple[str, str]]:
    """What a second person decides on, as (question, answer); empty when it is not of this room, or has changed since.

    ``subject`` and ``digest``: of the approval, whose readers may read the request too.
    """
    room, reference, gate = f"{subject}::".split(":")[:3]
    if room not in (dossier.REQUEST_SUBJECT, dossier.GATE_SUBJECT):
        return []
    found = dossier.find(officer, reference)
    if room == dossier.REQUEST_SUBJECT:
        return dossier.in_words(found) if dossier.payload_digest(found) == digest else []
    answer = found.gates.filter(gate=gate).first()
    if answer is None or dossier.gate_digest(answer) != digest:
        return []
    asked = ("Safeguard", law_gates()[gate].question)
    return [asked, ("Concern", answer.concern), ("Decision", answer.decision), ("Reason", answer.reason)]


def next_steps(officer: Actor, reference: str) -> frozenset[str]:
    """What this officer may do now: of edit, cite, gate, submit, send, withdraw, answer, close."""
    found = dossier.find(officer, reference)
    type_, state, team = dossier.type_of(found), dossier.state_of(found), cases.members(found.case_id)
    drafts = policy.allows(officer, "request.draft", team)
    ours, unsent = found.direction == Direction.OUT, state in UNSENT
    answerable = not ours and bool(MOVES_IN.get(state))
    possible = {
        "edit": ours and unsent and drafts,
        "cite": ours and unsent and drafts,
        "withdraw": ours and unsent and drafts,
        "submit": ours and state is State.DRAFT and drafts,
        "gate": ((ours and unsent) or answerable) and policy.allows(officer, "request.gate", team),
        "send": ours and state is State.APPROVED and policy.allows(officer, type_.send, team),
        "answer": answerable and policy.allows(officer, type_.respond, team),
        "close": ours and state in (State.EXECUTED, State.REFUSED) and drafts,
    }
    return frozenset(step for step, may in possible.items() if may)


def types(officer: Actor) -> list[RequestType]:
    """The types of request the officer may draft. ``.fields`` describes the form, ``.code`` stands in the URL."""
    drafts = not policy.PERMISSIONS["request.draft"].roles.isdisjoint(officer.roles) and officer.is_active
    return list(registry.all_types().values()) if drafts else []


def type_named(officer: Actor, code: str) -> RequestType:
    """One type by its code; ``NotFoundError`` when there is none that the officer may draft."""
    found = next((type_ for type_ in types(officer) if type_.code == code), None)
    if found is None:
        raise NotFoundError
    return found


def request_row(request: Request) -> RequestRow:
    """The row of a model instance."""
    type_ = dossier.type_of(request)
    names = officer_names([request.drafted_by_id] if request.drafted_by_id else [])
    return RequestRow(
        reference=request.reference,
        direction=Direction(request.direction),
        type=request.type,
        label=type_.label,
        legal_basis=type_.legal_basis,
        intelligence=type_.intelligence,
        partner=request.partner,
        partner_case=request.partner_case,
        case=request.case_id,
        state=dossier.state_of(request),
        facts=dict(request.facts),
        hits=tuple(hit_ids(request.facts.get(type_.cites_hits, ""))),
        payload_digest=dossier.payload_digest(request),
        message_id=request.message_id,
        delivery=_delivery(request),
        drafted_by=names.get(request.drafted_by_id or 0, ""),
        created_at=request.created_at,
        changed_at=request.changed_at,
        sent_at=request.sent_at,
        due_at=request.due_at,
        answers=tuple(answer_row(answer) for answer in request.answers.order_by("number")),
    )


def _delivery(request: Request) -> str:
    if request.direction == Direction.IN or not request.message_id:
        return ""
    return exchange.message(request.message_id).state


def answer_row(answer: Answer) -> AnswerRow:
    """The row of a model instance."""
    return AnswerRow(
        number=answer.number,
        outcome=Outcome(answer.outcome),
        ground=answer.ground,
        reasons=answer.reasons,
        consultation=answer.consultation,
        conditions=answer.conditions,
        consent=answer.consent,
        package=answer.package_reference,
        message_id=answer.message_id,
        answered_by=answer.answered_by,
        answered_at=answer.answered_at,
        rejected=answer.rejected,
        items=tuple(records.from_json(CitedItem, item, "item") for item in answer.items),
    )


def gate_row(code: str, answer: GateAnswer | None) -> GateRow:
    """A safeguard with its answer, where a person gave one."""
    gate = law_gates()[code]
    if answer is None:
        return GateRow(gate.code, gate.question, gate.source)
    return GateRow(
        gate.code,
        gate.question,
        gate.source,
        answer.concern,
        answer.decision,
        answer.reason,
        officer_names([answer.answered_by_id])[answer.answered_by_id],
        answer.answered_at,
    )
