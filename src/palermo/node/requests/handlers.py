"""What the exchange does with messages of this room; the wiring registers it."""

from palermo.node.evidence.copies import Eraser
from palermo.node.exchange.handlers import Handler
from palermo.node.requests.actions import answering, sending
from palermo.node.requests.actions.erasing import erase_package
from palermo.node.requests.actions.receiving import receive_request
from palermo.node.requests.actions.receiving_answers import PackageBeside, receive_answer
from palermo.node.requests.messages import ANSWER_TYPE, REQUEST_TYPE

EXCHANGE_HANDLERS: dict[str, Handler] = {
    REQUEST_TYPE: Handler(receive_request, sending.undelivered, for_person=True),
    ANSWER_TYPE: Handler(receive_answer, answering.undelivered, file=PackageBeside(), for_person=True),
}
EVIDENCE_ERASERS: dict[str, Eraser] = {"requests": erase_package}
