"""Answer a partner's question for consent: proposed by one officer, approved by a second, then sent and entered.

A refusal discloses nothing and is sent at once; so is the withdrawal of what was granted.
"""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.evidence import limits, use_queries
from palermo.node.evidence.actions.asking import DAYS, link
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.messages import ANSWER_TYPE, AnswerMessage, QuestionMessage
from palermo.node.evidence.models import Question
from palermo.node.evidence.receiving import given_to, new_reference, parsed, refuse_empty, refuse_long
from palermo.node.evidence.rows import QuestionRow
from palermo.node.evidence.states import QUESTION_MOVES, Direction, QuestionState
from palermo.node.evidence.telling import tell, to_the_team, who
from palermo.node.evidence.uses import Intent, Use, intent_problems
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.actions import add_task, ask_approval, audit, finish_task
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

DECIDE, APPROVE = "evidence.answer_use", "evidence.approve_use"
OUTCOMES = ("granted", "refused")
LONGEST = 2000


@transaction.atomic
def receive_question(message: Received, *, now: datetime) -> None:
    """Take in a partner's question about an item that we gave it; who may answer for it finds it among their work."""
    asked = parsed(QuestionMessage, message)
    reference = new_reference(
        message.sender, "USE", asked.reference, Question.objects.filter(reference=asked.reference).exists()
    )
    refuse_empty(intended=asked.intended, legal_basis=asked.legal_basis, reasons=asked.reasons, asked_by=asked.asked_by)
    refuse_long(asked.intended, asked.reasons, most=2000)
    refuse_long(asked.legal_basis, asked.target, asked.asked_by, most=200)
    refuse_long(asked.recipient, most=64)
    if problems := intent_problems(asked.use, asked.recipient, asked.target):
        raise RefusedError(" ".join(problems))
    item = given_to(message.sender, asked.package, asked.sha256)
    question = Question.objects.create(
        reference=reference,
        direction=Direction.IN,
        partner=message.sender,
        item=item,
        package_reference=asked.package,
        use=asked.use,
        recipient=asked.recipient,
        target=asked.target,
        intended=asked.intended,
        legal_basis=asked.legal_basis,
        reasons=asked.reasons,
        asked_by=asked.asked_by,
        asked_at=asked.asked_at,
        due_at=now + timedelta(days=DAYS),
        message_id=message.message_id,
    )
    title = f"{message.sender} asks for consent to use {item.reference} ({asked.use.value})"
    add_task(
        key=_task(question),
        title=title,
        link=link(question),
        officers=list(who(DECIDE, item)),
        due_at=question.due_at,
        now=now,
    )
    tell(item, title, link(question), None, now)
    audit(None, "evidence.use_asked", item.reference, now=now, detail={"by": message.sender, "question": reference})


@transaction.atomic
def propose_answer(
    officer: Actor,
    reference: str,
    *,
    outcome: str,
    reasons: str,
    conditions: str = "",
    until: datetime | None = None,
    now: datetime,
) -> QuestionRow:
    """Decide on a partner's question. A grant waits for a second person; a refusal is sent at once.

    ``until``: when the consent ends by itself. Raises ``InvalidError`` with what is missing. What another authority
    gave us is not ours to grant: then its own consent to this very use has to be in force here (``UseLimitError``).
    """
    ledger.hold()
    question = _open_question(officer, reference)
    problems = [] if outcome in OUTCOMES else ["Choose: grant, or refuse."]
    problems += [] if reasons.strip() else ["Give your reasons: they go to the partner, and stay with the item."]
    if max(len(reasons), len(conditions)) > LONGEST:
        problems.append(f"Shorten reasons and conditions to {LONGEST} characters.")
    problems += ["The date on which consent ends has passed."] if until is not None and until <= now else []
    problems += ["Conditions go with a grant."] if conditions.strip() and outcome == "refused" else []
    if problems:
        raise InvalidError(problems)
    if outcome == "granted":
        _refuse_not_ours(question, now)
    question.outcome, question.answer_reasons, question.conditions = outcome, reasons.strip(), conditions.strip()
    question.until, question.decided_by, question.decided_at = until, officer.get_full_name(), now
    question.save()
    if outcome == "refused":
        return _send(officer, question, now)
    ask_approval(
        officer,
        subject=use_queries.subject_of(question),
        digest=use_queries.answer_digest(question),
        permission=APPROVE,
        readers=who(APPROVE, question.item),
        title=f"Approve the consent to {question.partner} for {question.item.reference}",
        link=link(question),
        now=now,
    )
    audit(officer, "evidence.use_proposed", question.item.reference, now=now, detail={"question": reference})
    return use_queries.question_row(question)


@transaction.atomic
def send_answer(officer: Actor, reference: str, *, now: datetime) -> QuestionRow:
    """Send the consent that a second person approved, word for word."""
    ledger.hold()
    question = _open_question(officer, reference)
    if question.outcome != "granted":
        raise ConflictError("No consent is proposed. Decide on the question first.")
    if not office.is_approved(use_queries.subject_of(question), use_queries.answer_digest(question)):
        raise ConflictError("A second person has to approve these exact words before they leave.")
    _refuse_not_ours(question, now)
    return _send(officer, question, now)


@transaction.atomic
def withdraw_consent(officer: Actor, reference: str, *, reasons: str, now: datetime) -> QuestionRow:
    """Withdraw a consent that we gave: the partner's node closes what it opened when it hears of it."""
    ledger.hold()
    question = _find(officer, reference)
    if question.direction != Direction.IN or question.state != QuestionState.GRANTED:
        raise ConflictError("No consent of ours stands under this question.")
    if not reasons.strip() or len(reasons) > LONGEST:
        raise InvalidError("Give your reasons, in at most 2000 characters: the partner reads them.")
    said = AnswerMessage(reference, "withdrawn", reasons.strip(), officer.get_full_name(), now)
    return _send(officer, question, now, said)


@transaction.atomic
def answer_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that our answer was rejected, or ran out of time: the question waits again."""
    question = Question.objects.select_for_update().filter(answer_message=message.message_id).first()
    if question is None or question.direction != Direction.IN:
        return
    if message.state == "rejected":
        question.state = QuestionState.GRANTED if question.state == QuestionState.WITHDRAWN else QuestionState.ASKED
        question.save(update_fields=["state"])
    told = f"{question.partner} did not take our answer to {question.reference}: {message.reason or 'no receipt'}"
    tell(question.item, told, link(question), None, now)
    to_the_team(question.item, f"evidence.{message.state}:{message.message_id}", told, link(question), now)


def _find(officer: Actor, reference: str) -> Question:
    question = use_queries.readable_question(officer, reference, lock=True)
    policy.require(officer, DECIDE, cases.members(question.item.case_id))
    return question


def _open_question(officer: Actor, reference: str) -> Question:
    question = _find(officer, reference)
    if question.direction != Direction.IN or QuestionState.GRANTED not in QUESTION_MOVES[QuestionState(question.state)]:
        raise ConflictError(
            f"The question {reference} is {question.state}, or our own: it does not wait for an answer."
        )
    return question


def _refuse_not_ours(question: Question, now: datetime) -> None:
    if question.item.origin != Origin.OWN:
        limits.require(question.item, Intent(Use(question.use), question.recipient, question.target), now=now)


def _send(officer: Actor, question: Question, now: datetime, said: AnswerMessage | None = None) -> QuestionRow:
    said = said or use_queries.answer_of(question)
    question.answer_message = exchange.send(
        recipient=question.partner,
        payload_type=ANSWER_TYPE,
        payload=said.to_bytes(),
        case_reference=question.item.case_id,
        purpose=f"Answer to {question.reference}: {said.outcome}",
        legal_basis=limits.ARTICLES,
        in_reply_to=question.message_id,
        fields={"question": question.reference, "outcome": said.outcome, "item": question.item.sha256},
        now=now,
    ).message_id
    question.state = QuestionState(said.outcome)
    question.save()
    finish_task(_task(question), now=now)
    told = f"{question.reference} of {question.partner}: {said.outcome}"
    tell(question.item, told, link(question), officer, now)
    detail: dict[str, object] = {"question": question.reference, "partner": question.partner}
    audit(officer, f"evidence.use_{said.outcome}", question.item.reference, now=now, detail=detail)
    return use_queries.question_row(question)


def _task(question: Question) -> str:
    return f"evidence.question:{question.reference}"
