"""Ask a provider for consent to one use of one item, and take in its answer (UNTOC Art. 18(19), 18(5))."""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.cases import queries as cases
from palermo.node.directory import queries as directory
from palermo.node.evidence import limits, queries, use_queries
from palermo.node.evidence.actions.items import require_open
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.messages import QUESTION_TYPE, AnswerMessage, QuestionMessage
from palermo.node.evidence.models import Item, Question, UseConsent
from palermo.node.evidence.receiving import parsed, refuse_long
from palermo.node.evidence.rows import QuestionRow
from palermo.node.evidence.states import QUESTION_MOVES, Direction, QuestionState
from palermo.node.evidence.telling import tell, to_the_team
from palermo.node.evidence.uses import Intent, Use, intent_problems, needing_consent
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.exchange.rows import MessageRow
from palermo.node.ledger import actions as ledger
from palermo.node.office import policy
from palermo.node.office.actions import audit, finish_task, next_reference
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.policy import Actor

ASK = "evidence.ask_use"
DAYS = 30
"""After so many days without an answer, the silence is put before a person."""

_TEXTS = {"intended": 2000, "legal_basis": 200, "reasons": 2000}


@transaction.atomic
def ask_use(
    officer: Actor,
    *,
    item: str,
    use: str,
    target: str,
    recipient: str = "",
    intended: str,
    legal_basis: str,
    reasons: str,
    now: datetime,
) -> QuestionRow:
    """Ask the authority that gave an item whether it may be used so. The question is a message with a ledger entry.

    ``target`` and ``recipient``: as in ``uses.Intent``. Raises ``InvalidError`` with all that is missing, and
    ``ConflictError`` where no consent is needed, where it is in force or asked already, or where the exchange does not
    reach the provider.
    """
    ledger.hold()  # before any other row, as the exchange does when it receives: no two can wait for each other
    found = queries.readable_item(officer, item)
    policy.require(officer, ASK, cases.members(found.case_id))
    require_open(found.case_id)
    use, target, recipient = use.strip(), target.strip(), recipient.strip()
    texts = {"intended": intended.strip(), "legal_basis": legal_basis.strip(), "reasons": reasons.strip()}
    problems = intent_problems(use, recipient, target) + _text_problems(texts)
    if recipient and recipient not in {row.code for row in directory.partners()}:
        problems.append("Name the authority that would learn of it by its code in the directory.")
    if problems:
        raise InvalidError(problems)
    intent = Intent(Use(use), recipient, target)
    if intent.use is Use.CASE:
        policy.require(officer, "evidence.add", cases.members(target))
        require_open(target)
    provider = _refuse_needless(found, intent, now)
    question = Question(
        reference=next_reference(f"{directory.own_code()}-USE", now=now),
        direction=Direction.OUT,
        partner=provider,
        item=found,
        package_reference=found.package.reference if found.package else "",
        use=intent.use,
        recipient=recipient,
        target=target,
        asked_by=officer.get_full_name(),
        asked_at=now,
        due_at=now + timedelta(days=DAYS),
        **texts,
    )
    question.message_id = exchange.send(
        recipient=provider,
        payload_type=QUESTION_TYPE,
        payload=_message_of(question).to_bytes(),
        case_reference=found.case_id,
        purpose=f"Consent to use evidence: {intent.use.value}",
        legal_basis=limits.article_of(found),
        fields={"question": question.reference, "use": intent.use.value, "item": found.sha256},
        now=now,
    ).message_id
    question.save()
    tell(found, f"{provider} asked for consent to use {item} ({intent.use.value})", link(question), officer, now)
    audit(officer, "evidence.use_asked", item, now=now, detail={"question": question.reference, "use": use})
    return use_queries.question_row(question)


def link(question: Question) -> str:
    """Where the question is shown."""
    return f"/uses/{question.reference}/"


@transaction.atomic
def receive_answer(message: Received, *, now: datetime) -> None:
    """Take in a provider's answer to our question; a grant opens that use, a withdrawal closes it at once."""
    said = parsed(AnswerMessage, message)
    question = (
        Question.objects.select_for_update()
        .filter(reference=said.reference, direction=Direction.OUT, partner=message.sender)
        .first()
    )
    if question is None:
        raise RefusedError(f"We never asked you {said.reference[:80]}. Check the reference.")
    refuse_long(said.reasons, said.conditions, most=2000)
    refuse_long(said.decided_by, most=200)
    if said.outcome not in ("granted", "refused", "withdrawn") or not said.reasons.strip():
        raise RefusedError("An answer grants, refuses or withdraws, and gives its reasons.")
    if QuestionState(said.outcome) not in QUESTION_MOVES[QuestionState(question.state)]:
        raise RefusedError(f"The question is {question.state} here: it cannot be {said.outcome} now.")
    if said.outcome == "withdrawn":
        UseConsent.objects.filter(question=question, withdrawn_at=None).update(
            withdrawn_at=now, withdrawn_because=said.reasons
        )
    else:
        question.outcome, question.conditions, question.until = said.outcome, said.conditions, said.until
        question.answer_reasons, question.decided_by, question.decided_at = said.reasons, said.decided_by, now
    question.state, question.answer_message = said.outcome, message.message_id
    question.save()
    if said.outcome == "granted":
        _open_use(question, said, now)
    finish_task(silence_task(question), now=now)
    told = f"{message.sender}: {said.outcome} the use of {question.item.reference} ({question.use})"
    tell(question.item, told, link(question), None, now)
    to_the_team(question.item, f"evidence.answered:{message.message_id}", told, link(question), now)
    audit(None, f"evidence.use_{said.outcome}", question.item.reference, now=now, detail={"by": message.sender})


def silence_task(question: Question) -> str:
    """The key of the task that a provider has not answered."""
    return f"evidence.silent:{question.reference}"


@transaction.atomic
def question_undelivered(message: MessageRow, *, now: datetime) -> None:
    """Told by the exchange that a question of ours was rejected, or ran out of time without a receipt."""
    question = Question.objects.select_for_update().filter(message_id=message.message_id).first()
    if question is None or question.direction != Direction.OUT or question.state != QuestionState.ASKED:
        return
    question.state = QuestionState.UNDELIVERED
    question.save(update_fields=["state"])
    told = f"{question.partner} did not take our question {question.reference}: {message.reason or 'no receipt'}"
    tell(question.item, told, link(question), None, now)
    to_the_team(question.item, f"evidence.{message.state}:{message.message_id}", told, link(question), now)


def show_silence(now: datetime) -> int:
    """Put questions that nobody answered in time before the team; the clock shows silence, and decides nothing."""
    silent = list(
        Question.objects.filter(
            direction=Direction.OUT, due_at__lte=now, state__in=[QuestionState.ASKED, QuestionState.UNDELIVERED]
        )
    )
    for question in silent:
        told = f"{question.partner} has not answered {question.reference} in {DAYS} days"
        to_the_team(question.item, silence_task(question), told, link(question), now)
    return len(silent)


def _refuse_needless(item: Item, intent: Intent, now: datetime) -> str:
    """The provider to ask; refused where there is nothing to ask, or no way to."""
    if item.destroyed_at is not None or item.recall is not None:
        limits.require(item, intent, now=now)
    if intent.use not in needing_consent(Origin(item.origin), limits.marks_of(item)):
        raise ConflictError(f"{item.reference} may be used so without anyone's consent.")
    if limits.consent_in_force(item, intent, now) is not None:
        raise ConflictError("Its provider has consented to this use already.")
    open_already = Question.objects.filter(item=item, use=intent.use, recipient=intent.recipient, target=intent.target)
    if open_already.filter(state=QuestionState.ASKED).exists():
        raise ConflictError("This was asked already, and waits for the provider's answer.")
    provider = limits.reachable_provider(item)
    if not provider:
        raise ConflictError("The exchange does not reach who gave this item. Ask by letter, and record the answer.")
    return provider


def _message_of(question: Question) -> QuestionMessage:
    return QuestionMessage(
        reference=question.reference,
        package=question.package_reference,
        sha256=question.item.sha256,
        use=Use(question.use),
        recipient=question.recipient,
        target=question.target,
        intended=question.intended,
        legal_basis=question.legal_basis,
        reasons=question.reasons,
        asked_by=question.asked_by,
        asked_at=question.asked_at,
    )


def _open_use(question: Question, said: AnswerMessage, now: datetime) -> None:
    limits.new_consent(
        question.item,
        Intent(Use(question.use), question.recipient, question.target),
        given_by=f"{question.partner}, {said.decided_by}"[:200],
        statement=said.reasons,
        conditions=said.conditions,
        question=question,
        recorded_at=now,
        expires_at=said.until,
    )


def _text_problems(texts: dict[str, str]) -> list[str]:
    problems = [f"Fill in '{name.replace('_', ' ')}': the provider decides by it." for name in texts if not texts[name]]
    return problems + [
        f"Shorten '{name.replace('_', ' ')}' to {_TEXTS[name]} characters."
        for name, text in texts.items()
        if len(text) > _TEXTS[name]
    ]
