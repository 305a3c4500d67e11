"""What the exchange does with messages of this room; the wiring registers it."""

from palermo.node.evidence.actions import asking, consenting
from palermo.node.evidence.messages import ANSWER_TYPE, QUESTION_TYPE
from palermo.node.exchange.handlers import Handler

EXCHANGE_HANDLERS: dict[str, Handler] = {
    QUESTION_TYPE: Handler(consenting.receive_question, asking.question_undelivered),
    ANSWER_TYPE: Handler(asking.receive_answer, consenting.answer_undelivered),
}
