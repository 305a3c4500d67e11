"""Answer a partner's request: accept, execute with sealed evidence, postpone, or refuse with ground and reasons."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.db import transaction

from palermo.law.refusal import answer_problems
from palermo.node.cases import queries as cases
from palermo.node.evidence import actions as evidence_actions
from palermo.node.evidence import queries as evidence
from palermo.node.evidence.rows import PackageFile
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.files.limits import inline_bytes
from palermo.node.exchange.files.offering import offer
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office.actions import add_task, audit, finish_task
from palermo.node.office.errors import InvalidError, NotFoundError
from palermo.node.office.policy import Actor
from palermo.node.requests import cited_items, dossier, queries
from palermo.node.requests.actions.moving import WrongStateError, move, require_open_case, tell
from palermo.node.requests.messages import ANSWER_TYPE, AnswerMessage
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.rows import RequestRow
from palermo.node.requests.states import MOVES_IN, Direction, Outcome, State
from palermo.sealing import records
from palermo.sealing.file_offer import FileOffer

LONGEST_TEXT = 10_000


@transaction.atomic
def answer(
    officer: Actor,
    reference: str,
    *,
    outcome: Outcome | str,
    ground: str = "",
    reasons: str = "",
    consultation: str = "",
    consent: str = "",
    conditions: str = "",
    package: str = "",
    cited: Sequence[str] = (),
    now: datetime,
) -> RequestRow:
    """Answer a partner's request: accepted, executed (``package``: a sealed package's reference), postponed or refused.

    ``consent`` ("yes"/"no") only where the type is intelligence: may the hit be used in a formal request, and under
    which ``conditions``? ``cited``: items of the case (by reference) that the answer rests on. Raises ``InvalidError``
    with everything that is missing; a refusal without ground or reasons never leaves.
    """
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    request = dossier.find(officer, reference, lock=True)
    type_ = dossier.type_of(request)
    policy.require(officer, type_.respond, cases.members(request.case_id))
    if cited:
        evidence.items(officer, request.case_id)  # who may not read them cannot cite them
    if request.direction != Direction.IN:
        raise WrongStateError(reference, State(request.state), "answered by us: it is our own")
    require_open_case(request.case_id)
    if outcome not in list(Outcome):
        raise InvalidError(f"Choose an outcome: {', '.join(Outcome)}.")
    outcome = Outcome(outcome)
    texts = {"reasons": reasons.strip(), "consultation": consultation.strip(), "conditions": conditions.strip()}
    move(request, State(outcome.value), outcome.value)
    problems = answer_problems(outcome, ground=ground, **_legal(texts), grounds=type_.grounds)
    problems += _text_problems(texts) + _execution_problems(request, outcome, consent, package)
    file, package_problems = _package_file(request, package)
    rows = cited_items.chosen(request, cited, now)
    problems += [row.problem for row in rows if row.problem]
    if problems := problems + package_problems:
        raise InvalidError(problems)
    message_id = uuid4().hex
    data, offer = _enclosed(request, file, message_id, now)
    message = AnswerMessage(
        reference=reference,
        number=(request.answers.order_by("-number").values_list("number", flat=True).first() or 0) + 1,
        outcome=outcome,
        answered_by=officer.get_full_name(),
        answered_at=now,
        ground=ground,
        consent=consent,
        package=data,
        file=offer,
        items=cited_items.in_message(rows),
        **texts,
    )
    _send(request, message, message_id, package, now)
    if package:
        evidence_actions.transfer_package(officer, package, now=now)
    request.changed_at = now
    request.save()
    if not MOVES_IN[State(request.state)]:
        finish_task(request_task(request), now=now)
    tell(request, f"Request {reference} of {request.partner}: {outcome.value}", officer=officer, now=now)
    audit(officer, f"request.{outcome.value}", reference, now=now, detail={"ground": ground, "package": package})
    return queries.request_row(request)


def request_task(request: Request) -> str:
    """The key of the task that a partner's request waits for an answer."""
    return f"request.received:{request.reference}"


def undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that an answer of ours was rejected, or ran out of time without a receipt.

    A rejected one does not count: the request is back where it stood, and waits for another answer.
    """
    lost = Answer.objects.select_related("request").filter(message_id=message.message_id).first()
    if lost is None:
        return
    request = lost.request
    if message.state == "rejected":
        lost.rejected = message.reason or "no reason was given"
        lost.save(update_fields=["rejected"])
        standing = request.answers.filter(rejected="").order_by("-number").first()
        request.state = standing.outcome if standing else State.RECEIVED.value
        request.changed_at = now
        request.save()
        told = f"{request.partner} did not take our answer to {request.reference}: {lost.rejected}"
    else:
        told = f"No receipt for our answer to {request.reference}: it is not known whether {request.partner} has it"
    tell(request, told, officer=None, now=now)
    add_task(
        key=f"request.{message.state}:{message.message_id}",
        title=told,
        link=f"/requests/{request.reference}/",
        officers=sorted(cases.members(request.case_id)),
        now=now,
    )


def _legal(texts: dict[str, str]) -> dict[str, str]:
    return {name: texts[name] for name in ("reasons", "consultation")}


def _text_problems(texts: dict[str, str]) -> list[str]:
    return [
        f"Shorten '{name}' to {LONGEST_TEXT} characters." for name, text in texts.items() if len(text) > LONGEST_TEXT
    ]


def _execution_problems(request: Request, outcome: Outcome, consent: str, package: str) -> list[str]:
    """What executing asks for beyond the law of refusals: safeguards, the evidence, a word on consent."""
    type_ = dossier.type_of(request)
    problems = []
    if consent and (not type_.intelligence or outcome is not Outcome.EXECUTED or consent not in ("yes", "no")):
        problems.append("Consent is yes or no, and is given with the confirmation of a hit, nowhere else.")
    if package and (type_.intelligence or outcome is not Outcome.EXECUTED):
        problems.append("Evidence travels only with the execution of a formal request.")
    if outcome is Outcome.EXECUTED:
        problems += dossier.gate_problems(request)
        if not type_.intelligence and not package:
            problems.append("Seal the evidence for this request, and choose the package.")
        if type_.intelligence and request.facts.get("consent_wanted") == "yes" and not consent:
            problems.append("Say whether you consent to the use of the hit in a formal request: the partner asks.")
    return problems


def _package_file(request: Request, package: str) -> tuple[PackageFile | None, list[str]]:
    """The package, if it was sealed for this very request in its case, and what is wrong with it."""
    if not package:
        return None, []
    try:
        file = evidence.package_for(package, request_reference=request.reference, partner=request.partner)
    except NotFoundError as error:
        return None, [error.sentence]
    if file.case != request.case_id:
        return None, ["This package belongs to another case. Seal one in the case of this request."]
    return file, []


def _enclosed(
    request: Request, file: PackageFile | None, message_id: str, now: datetime
) -> tuple[bytes, FileOffer | None]:
    """What the answer carries of a package: all of a small one, or the offer of a large one, which travels beside."""
    if file is None:
        return b"", None
    if file.size <= inline_bytes():
        return evidence.package_bytes(file), None
    return b"", offer(
        recipient=request.partner,
        message_id=message_id,
        source=file.path,
        size=file.size,
        sha256=file.sha256,
        subject=file.reference,
        now=now,
    )


def _send(request: Request, message: AnswerMessage, message_id: str, package: str, now: datetime) -> None:
    """Hand the answer to the exchange and keep what was signed."""
    payload = message.to_bytes()
    sent = exchange.send(
        recipient=request.partner,
        payload_type=ANSWER_TYPE,
        payload=payload,
        case_reference=request.partner_case,
        purpose=f"Answer to request {request.reference}",
        legal_basis=dossier.type_of(request).legal_basis,
        in_reply_to=request.message_id,
        message_id=message_id,
        fields={
            "request": request.reference,
            "outcome": message.outcome.value,
            "package": package,
            **cited_items.ledger_field(message.items),
        },
        now=now,
    )
    Answer.objects.create(
        request=request,
        number=message.number,
        outcome=message.outcome,
        ground=message.ground,
        reasons=message.reasons,
        consultation=message.consultation,
        conditions=message.conditions,
        consent=message.consent,
        package_reference=package,
        payload=payload,
        message_id=sent.message_id,
        answered_by=message.answered_by,
        answered_at=now,
        items=[records.to_json(item) for item in message.items],
    )
