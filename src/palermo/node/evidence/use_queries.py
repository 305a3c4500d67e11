"""Reads of what binds the use of evidence. The officer comes first; without need to know there is nothing."""

import hashlib
from datetime import datetime

from palermo.node.cases import queries as cases
from palermo.node.evidence import limits
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.messages import AnswerMessage
from palermo.node.evidence.models import Question
from palermo.node.evidence.queries import READ, consent_row, readable_item
from palermo.node.evidence.rows import QuestionRow, UseRow
from palermo.node.evidence.states import Direction, QuestionState
from palermo.node.evidence.uses import ASKABLE, Use, needing_consent
from palermo.node.office import policy
from palermo.node.office import queries as office
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.node.office.queries import ApprovalRow

SUBJECT = "evidence.Question"


def uses(officer: Actor, item: str, now: datetime) -> list[UseRow]:
    """What may be done with an item now, use by use."""
    found = readable_item(officer, item)
    needed = needing_consent(Origin(found.origin), limits.marks_of(found))
    in_force = [consent_row(row) for row in limits.in_force(now).filter(item=found).order_by("pk")]
    return [UseRow(use, use not in needed, tuple(row for row in in_force if row.use is use)) for use in ASKABLE]


def question(officer: Actor, reference: str) -> QuestionRow:
    """One question for consent, ours or a partner's."""
    return question_row(readable_question(officer, reference))


def questions(officer: Actor, item: str) -> list[QuestionRow]:
    """Every question about an item, both directions, oldest first."""
    return [question_row(row) for row in readable_item(officer, item).questions.order_by("pk")]


def question_steps(officer: Actor, reference: str) -> frozenset[str]:
    """What this officer may do now with a question: of decide, send, withdraw."""
    found = readable_question(officer, reference)
    if found.direction != Direction.IN or not policy.allows(
        officer, "evidence.answer_use", cases.members(found.item.case_id)
    ):
        return frozenset()
    waiting = found.state == QuestionState.ASKED
    possible = {
        "decide": waiting,
        "send": waiting and office.is_approved(subject_of(found), answer_digest(found)),
        "withdraw": found.state == QuestionState.GRANTED,
    }
    return frozenset(step for step, may in possible.items() if may)


def approval(officer: Actor, reference: str) -> ApprovalRow | None:
    """The second person's decision on the answer as it stands, if one was asked."""
    found = readable_question(officer, reference)
    return office.approval(subject_of(found), answer_digest(found))


def words_to_approve(officer: Actor, subject: str, digest: str) -> list[tuple[str, str]]:
    """What a second person decides on, as (question, answer); empty when of another room, or changed since."""
    room, _, reference = subject.partition(":")
    if room != SUBJECT:
        return []
    found = readable_question(officer, reference)
    return _in_words(found) if answer_digest(found) == digest else []


def readable_question(officer: Actor, reference: str, *, lock: bool = False) -> Question:
    """A question, if the officer has need to know of its item's case. For this room alone."""
    rows = Question.objects.select_for_update(of=("self",)) if lock else Question.objects.all()
    found = rows.select_related("item").filter(reference=reference).first()
    policy.require(officer, READ, cases.members(found.item.case_id) if found else ())
    if found is None:
        raise NotFoundError
    return found


def subject_of(question: Question) -> str:
    """Under which subject the office keeps decisions about an answer."""
    return f"{SUBJECT}:{question.reference}"


def answer_of(question: Question) -> AnswerMessage:
    """The answer that is proposed, as it would leave. Raises ``ValueError`` while there is none."""
    if question.decided_at is None:
        raise ValueError("no answer is proposed yet")
    return AnswerMessage(
        reference=question.reference,
        outcome=question.outcome,
        reasons=question.answer_reasons,
        decided_by=question.decided_by,
        decided_at=question.decided_at,
        conditions=question.conditions,
        until=question.until,
    )


def answer_digest(question: Question) -> str:
    """SHA-256 in hex of the answer's bytes as they would leave now; "" while none is proposed."""
    return hashlib.sha256(answer_of(question).to_bytes()).hexdigest() if question.decided_at else ""


def _in_words(question: Question) -> list[tuple[str, str]]:
    until = question.until.isoformat(timespec="minutes") if question.until else "without end"
    return [
        ("Asked by", f"{question.partner}, {question.asked_by}"),
        ("Item", f"{question.item.reference}: {question.item.what}"),
        ("Use", question.use),
        ("For what", question.target),
        ("Which authority would learn of it", question.recipient or "none"),
        ("What is intended", question.intended),
        ("Their reasons", question.reasons),
        ("Answer", question.outcome),
        ("Conditions", question.conditions or "none"),
        ("Our reasons", question.answer_reasons),
        ("Until", until),
    ]


def question_row(question: Question) -> QuestionRow:
    """The row of a model instance."""
    return QuestionRow(
        reference=question.reference,
        direction=Direction(question.direction),
        partner=question.partner,
        item=question.item.reference,
        case=question.item.case_id,
        what=question.item.what,
        package=question.package_reference,
        use=Use(question.use),
        recipient=question.recipient,
        target=question.target,
        intended=question.intended,
        legal_basis=question.legal_basis,
        reasons=question.reasons,
        asked_by=question.asked_by,
        asked_at=question.asked_at,
        due_at=question.due_at,
        state=QuestionState(question.state),
        outcome=question.outcome,
        conditions=question.conditions,
        answer_reasons=question.answer_reasons,
        until=question.until,
        decided_by=question.decided_by,
        decided_at=question.decided_at,
        digest=answer_digest(question),
    )
