"""A request with all that decides about it: type, team, parties, the hits it cites, its gates, its approval.

Internal to this room: pages use :mod:`palermo.node.requests.queries`.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from palermo.law import gates as law_gates
from palermo.law import police
from palermo.law.findings import Finding
from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.matching import queries as matching
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.node.office.queries import ApprovalRow
from palermo.node.requests import cited_items, naming
from palermo.node.requests.messages import CitedHit, RequestMessage
from palermo.node.requests.models import Answer, GateAnswer, Request
from palermo.node.requests.states import Direction, State
from palermo.node.requests.types import registry
from palermo.node.requests.types.form import hit_ids
from palermo.node.requests.types.registry import Parties, RequestType
from palermo.sealing.errors import FormatError

READ = "request.read"
REQUEST_SUBJECT, GATE_SUBJECT = "requests.Request", "requests.Gate"


def find(officer: Actor, reference: str, *, lock: bool = False) -> Request:
    """A request, if the officer has need to know; ``NotFoundError`` otherwise, whether or not there is one."""
    rows = Request.objects.select_for_update() if lock else Request.objects.all()
    found = rows.filter(reference=reference).first()
    policy.require(officer, READ, cases.members(found.case_id) if found else ())
    if found is None:
        raise NotFoundError
    return found


def type_of(request: Request) -> RequestType:
    """The type of a stored request, which was known when it was stored."""
    return registry.all_types()[request.type]


def state_of(request: Request) -> State:
    """Where the request stands now: what the second person decided counts from the moment they decided."""
    if request.state != State.AWAITING_APPROVAL:
        return State(request.state)
    decision = approval_of(request)
    states = {"approved": State.APPROVED, "declined": State.DRAFT}
    return states.get(decision.state if decision else "", State.AWAITING_APPROVAL)


def subject_of(request: Request) -> str:
    """Under which subject the office keeps decisions about this request."""
    return f"{REQUEST_SUBJECT}:{request.reference}"


def in_words(request: Request) -> list[tuple[str, str]]:
    """What the request says, as (question, answer) in the order of its form; choices in words."""
    asked = [
        (field.label, dict(field.choices).get(text, text))
        for field in type_of(request).fields
        if (text := request.facts.get(field.name, ""))
    ]
    cited = [
        ("Evidence cited", f"{item.reference}: {item.what}. Given by {item.provider}. {item.consent}".strip())
        for item in cited_items.stated(request)
    ]
    return [("Requested authority", request.partner), *asked, *cited]


def second_persons(request: Request, permission: str) -> list[int]:
    """Who may read the request and decide on it with this permission: nobody approves what they cannot read."""
    return office.officers_allowed(permission, READ, members=cases.members(request.case_id))


def payload_digest(request: Request) -> str:
    """SHA-256 in hex of the request's exact bytes; "" before they are fixed."""
    payload = bytes(request.payload)
    return hashlib.sha256(payload).hexdigest() if payload else ""


def approval_of(request: Request) -> ApprovalRow | None:
    """The second person's decision on these exact bytes, if one was asked."""
    digest = payload_digest(request)
    return office.approval(subject_of(request), digest) if digest else None


def parties(request: Request) -> Parties:
    """What the directory says of the two sides that matters for the rules."""
    type_ = type_of(request)
    ours, theirs = directory.own(), directory.authority(request.partner)
    asker, asked = (ours, theirs) if request.direction == Direction.OUT else (theirs, ours)
    return Parties(
        asker_has_role=type_.channel.value in asker.roles,
        asked_has_role=type_.channel.value in asked.roles,
        asker_name=asker.name,
        asked_languages=asked.languages,
    )


def findings(officer: Actor, request: Request, now: datetime) -> list[Finding]:
    """Everything that the treaty, and the originators of hits and evidence, demand of this request."""
    type_ = type_of(request)
    found = type_.completeness(request.facts, parties(request))
    if request.direction == Direction.OUT:
        found += cited_items.findings(request, now)
        hits = [_police_hit(officer, request, hit) for hit in hit_ids(request.facts.get(type_.cites_hits, ""))]
        found += police.judged(hits)
        if type_.hits_need_consent:
            found += police.consented(hits) + police.cited(_named_uncited(officer, request))
    elif type_.hits_need_consent:
        found += [police.stated(hit.reference, hit.holder, ours=_is_ours(hit)) for hit in stated_hits(request)]
    return found


def stated_hits(request: Request) -> tuple[CitedHit, ...]:
    """The hits that a partner's request cites, by its signed bytes; none where these are damaged (see `checking`)."""
    with suppress(FormatError):
        return RequestMessage.from_bytes(bytes(request.payload)).hits
    return ()


def _is_ours(hit: CitedHit) -> bool:
    return hit.holder == directory.own_code()


def _named_uncited(officer: Actor, request: Request) -> list[tuple[str, str]]:
    """Confirmed hits of the case that the request names without citing them: (hit id, caption)."""
    hits_field = type_of(request).cites_hits
    facts = {name: text for name, text in request.facts.items() if name != hits_field}
    confirmed = matching.confirmed_hits(officer, request.case_id)
    found = naming.uncited(confirmed, hit_ids(request.facts.get(hits_field, "")), facts)
    return [(hit.hit_id, hit.our_caption) for hit in found]


def _police_hit(officer: Actor, request: Request, hit_id: str) -> police.CitedHit:
    """A cited hit as the law sees it; one of another case, or not of the partner whom we ask about it, is unknown."""
    try:
        hit = matching.hit(officer, hit_id)
    except NotFoundError:
        return police.CitedHit(hit_id, None, None)
    type_ = type_of(request)
    if hit.case != request.case_id or (type_.intelligence and hit.partner != request.partner):
        return police.CitedHit(hit_id, None, None)
    consent = consent_for(request.case_id, hit_id)
    said = {"yes": True, "no": False}.get(consent.consent) if consent else None
    same = {"same": True, "different": False}.get(hit.verdict)
    return police.CitedHit(hit_id, same, said, consent.conditions if consent else "")


def consent_for(case: str, hit_id: str) -> Answer | None:
    """The originator's latest signed word on using a hit of this case in a formal request."""
    answers = Answer.objects.filter(
        request__direction=Direction.OUT, request__case__reference=case, request__type__in=_intelligence_types()
    ).exclude(consent="")
    citing = (
        answer
        for answer in answers.select_related("request").order_by("-answered_at", "-pk")
        if hit_id in hit_ids(answer.request.facts.get(type_of(answer.request).cites_hits, ""))
    )
    return next(citing, None)


def consents_given(partner: str, reference: str) -> list[Answer]:
    """Our own signed words to this partner on the use of a hit that we gave it, the latest first."""
    answers = Answer.objects.filter(
        request__direction=Direction.IN, request__partner=partner, request__type__in=_intelligence_types(), rejected=""
    ).exclude(consent="")
    return [
        answer
        for answer in answers.select_related("request").order_by("-answered_at", "-pk")
        if reference in hit_ids(answer.request.facts.get(type_of(answer.request).cites_hits, ""))
    ]


def _intelligence_types() -> list[str]:
    return [type_.code for type_ in registry.all_types().values() if type_.intelligence]


def cited_hits(officer: Actor, request: Request) -> tuple[CitedHit, ...]:
    """The hits that the request cites, as the partner knows them, each with the message that carries the consent."""
    type_ = type_of(request)
    cited = []
    for hit_id in hit_ids(request.facts.get(type_.cites_hits, "")):
        hit = matching.hit(officer, hit_id)
        consent = consent_for(request.case_id, hit_id) if type_.hits_need_consent else None
        cited.append(CitedHit(hit.run_id, hit.partner_reference, consent.message_id if consent else "", hit.partner))
    return tuple(cited)


# --- gates ----------------------------------------------------------------------------------


def gate_subject(request: Request, gate: str) -> str:
    """Under which subject the office keeps the review of a gate's answer."""
    return f"{GATE_SUBJECT}:{request.reference}:{gate}"


def gate_digest(answer: GateAnswer) -> str:
    """SHA-256 in hex of what was answered at a gate: a review counts for these words alone."""
    said = [answer.gate, answer.concern, answer.decision, answer.reason]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def given(request: Request, answer: GateAnswer) -> law_gates.GateAnswer:
    """What was answered at a gate, as the law's rule on it reads it."""
    said = law_gates.GateAnswer(answer.concern, answer.decision, answer.reason)
    if not said.needs_review:
        return said
    return replace(said, reviewed=office.is_approved(gate_subject(request, answer.gate), gate_digest(answer)))


def gate_problems(request: Request) -> list[str]:
    """Everything at the gates that holds the request back: unanswered, stopped, or waiting for a second officer."""
    answers = {answer.gate: given(request, answer) for answer in request.gates.all()}
    found = (law_gates.to_do(law_gates.gates()[code], answers.get(code)) for code in type_of(request).gates)
    problems = [what for what in found if what]
    flag = cases.facts(request.case_id).neutrality
    neutral = answers.get("neutrality")
    if flag and neutral is not None and neutral.concern == "no":
        problems.append(f"The case is marked as {flag}; the answer about neutrality says otherwise. Answer it again.")
    return problems
