"""Reads of what binds the use of evidence. The officer comes first; without need to know there is nothing."""

import hashlib
from datetime import datetime

from django.db.models import Q

from palermo.node.cases import queries as cases
from palermo.node.evidence import limits, statements
from palermo.node.evidence.marks import Origin
from palermo.node.evidence.messages import AnswerMessage
from palermo.node.evidence.models import Question, Recall, Statement
from palermo.node.evidence.queries import consent_row, readable_item
from palermo.node.evidence.reading import readable
from palermo.node.evidence.rows import QuestionRow, RecallRow, StatementRow, UseRow
from palermo.node.evidence.states import RECALL_MOVES, Direction, QuestionState, RecallState
from palermo.node.evidence.uses import ASKABLE, Use, needing_consent
from palermo.node.office import policy
from palermo.node.office import queries as office
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
    rows = Question.objects.select_related("item")
    return readable(rows, officer, reference, lambda row: [row.item.case_id], lock=lock)


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


def recall(officer: Actor, reference: str) -> RecallRow:
    """One recall, ours or a partner's, with the statements that answer it."""
    return recall_row(readable_recall(officer, reference))


def recalls(officer: Actor, item: str) -> list[RecallRow]:
    """Every recall of an item, both directions, oldest first; a copy shows that of the item it came from."""
    found = readable_item(officer, item)
    about = Recall.objects.filter(Q(item=found) | Q(stopped=found)).distinct().order_by("pk")
    return [recall_row(row) for row in about]


def recall_steps(officer: Actor, reference: str) -> frozenset[str]:
    """What this officer may do now with a recall: of keep, delete."""
    found = readable_recall(officer, reference)
    may = policy.allows(officer, "evidence.destroy", cases.members(found.item.case_id))
    if found.direction != Direction.IN or found.item.destroyed_at is not None or not may:
        return frozenset()
    moves = {"keep": RecallState.KEPT, "delete": RecallState.DELETED}
    return frozenset(step for step, new in moves.items() if new in RECALL_MOVES[RecallState(found.state)])


def readable_recall(officer: Actor, reference: str, *, lock: bool = False) -> Recall:
    """A recall, if the officer has need to know of a case in which the item is. For this room alone."""

    def cases_of(row: Recall) -> list[str]:
        return [item.case_id for item in (row.item, *row.stopped.all())]

    return readable(Recall.objects.select_related("item"), officer, reference, cases_of, lock=lock)


def statement(officer: Actor, reference: str) -> StatementRow:
    """One deletion statement."""
    return statement_row(_readable_statement(officer, reference))


def statement_files(officer: Actor, reference: str) -> tuple[bytes, bytes]:
    """The signed statement and its proof (b"" while there is none), verbatim, to keep or to check elsewhere."""
    found = _readable_statement(officer, reference)
    return bytes(found.signed), bytes(found.proof or b"")


def statements_of(officer: Actor, item: str) -> list[StatementRow]:
    """The statements about an item."""
    return [statement_row(row) for row in Statement.objects.filter(items=readable_item(officer, item)).order_by("pk")]


def _readable_statement(officer: Actor, reference: str) -> Statement:
    return readable(Statement.objects.all(), officer, reference, lambda row: [item.case_id for item in row.items.all()])


def recall_row(recall: Recall) -> RecallRow:
    """The row of a model instance."""
    return RecallRow(
        reference=recall.reference,
        direction=Direction(recall.direction),
        partner=recall.partner,
        item=recall.item.reference,
        case=recall.item.case_id,
        what=recall.item.what,
        package=recall.package_reference,
        sha256=recall.sha256,
        reason=recall.reason,
        recalled_by=recall.recalled_by,
        recalled_at=recall.recalled_at,
        due_at=recall.due_at,
        state=RecallState(recall.state),
        ground=recall.ground,
        provision=recall.provision,
        reasons=recall.reasons,
        answered_by=recall.answered_by,
        answered_at=recall.answered_at,
        parent=recall.parent.reference if recall.parent else "",
        closed=recall.item.destroyed_at is not None,
        passed_on=tuple(
            (row.reference, row.partner, RecallState(row.state)) for row in recall.passed_on.order_by("pk")
        ),
        statements=tuple(statement_row(row) for row in recall.statements.order_by("pk")),
    )


def statement_row(statement: Statement) -> StatementRow:
    """The row of a model instance, what it says read from its signed bytes."""
    said = statements.opened(statement)
    return StatementRow(
        reference=statement.reference,
        authority=said.authority,
        recall=said.recall,
        cause=said.cause,
        rule=said.rule,
        items=tuple((gone.sha256, gone.package, gone.copies) for gone in said.items),
        deleted_by=said.deleted_by,
        deleted_at=said.deleted_at,
        passed_on=said.passed_on,
        digest=statement.digest,
        ledger_index=statement.ledger_index,
        witnesses=tuple(statement.witnesses),
        proven_at=statement.proven_at,
    )
