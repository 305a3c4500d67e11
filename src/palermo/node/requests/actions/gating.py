"""A person answers a safeguard, with the reason. Nothing is decided here but that an answer is there."""

from datetime import datetime

from django.db import transaction

from palermo.law.gates import gate_problems, gates
from palermo.node.cases import queries as cases
from palermo.node.office import policy
from palermo.node.office.actions import ask_approval, audit
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.node.requests import dossier, queries
from palermo.node.requests.actions.moving import WrongStateError
from palermo.node.requests.models import GateAnswer
from palermo.node.requests.rows import GateRow
from palermo.node.requests.states import MOVES_IN, Direction

GATE = "request.gate"


@transaction.atomic
def answer_gate(
    officer: Actor, reference: str, *, gate: str, concern: str, decision: str, reason: str, now: datetime
) -> GateRow:
    """Answer one safeguard, before our request leaves or a partner's is executed.

    ``concern``: no, yes or unknown; ``decision``: proceed or stop; a reason always. Who would proceed in spite of a
    concern, or without knowing, thereby asks a second officer to review the answer.
    """
    request = dossier.find(officer, reference, lock=True)
    policy.require(officer, GATE, cases.members(request.case_id))
    state = dossier.state_of(request)
    if state not in queries.UNSENT and not (request.direction == Direction.IN and MOVES_IN.get(state)):
        raise WrongStateError(reference, state, "gated")
    if problems := _problems(dossier.type_of(request).gates, gate, concern, decision, reason):
        raise InvalidError(problems)
    answer, _ = GateAnswer.objects.update_or_create(
        request=request,
        gate=gate,
        defaults={
            "concern": concern,
            "decision": decision,
            "reason": reason.strip(),
            "answered_by_id": officer.pk,
            "answered_at": now,
        },
    )
    if dossier.given(request, answer).needs_review:
        ask_approval(
            officer,
            subject=dossier.gate_subject(request, gate),
            digest=dossier.gate_digest(answer),
            permission=GATE,
            readers=dossier.second_persons(request, GATE),
            title=f"Review a safeguard of {reference}: {gates()[gate].question}",
            link=f"/requests/{reference}/",
            now=now,
        )
    audit(officer, "request.gate", reference, now=now, detail={"gate": gate, "concern": concern, "decision": decision})
    return queries.gate_row(gate, answer)


def _problems(known: tuple[str, ...], gate: str, concern: str, decision: str, reason: str) -> list[str]:
    unknown = [] if gate in known else [f"This request has no safeguard '{gate}'."]
    return unknown + gate_problems(concern, decision, reason)
