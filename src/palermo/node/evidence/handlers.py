"""What the exchange does with messages of this room; the wiring registers it."""

from palermo.node.evidence.actions import asking, consenting, consulting, notifying, recalling, returning
from palermo.node.evidence.messages import (
    ANSWER_TYPE,
    CONSULTATION_TYPE,
    NOTICE_TYPE,
    QUESTION_TYPE,
    RECALL_ANSWER_TYPE,
    RECALL_TYPE,
    STATEMENT_TYPE,
)
from palermo.node.exchange.handlers import Handler

EXCHANGE_HANDLERS: dict[str, Handler] = {
    QUESTION_TYPE: Handler(consenting.receive_question, asking.question_undelivered),
    ANSWER_TYPE: Handler(asking.receive_answer, consenting.answer_undelivered),
    NOTICE_TYPE: Handler(notifying.receive_notice, notifying.notice_undelivered),
    CONSULTATION_TYPE: Handler(consulting.receive_step, consulting.step_undelivered),
    RECALL_TYPE: Handler(returning.receive_recall, recalling.recall_undelivered),
    RECALL_ANSWER_TYPE: Handler(recalling.receive_kept, returning.reply_undelivered),
    STATEMENT_TYPE: Handler(recalling.receive_statement, returning.reply_undelivered),
}
