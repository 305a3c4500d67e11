"""Opening: an officer reads what a partner sent, and the partner learns that one did."""

from datetime import datetime

from palermo.node.exchange import actions as exchange
from palermo.node.office.policy import Actor
from palermo.node.requests import dossier
from palermo.node.requests.states import Direction


def opened(officer: Actor, reference: str, *, now: datetime) -> None:
    """Note that an officer opened a request of a partner's, or a partner's answers to ours. Again changes nothing."""
    request = dossier.find(officer, reference)
    received = [request.message_id]
    if request.direction == Direction.OUT:
        received = list(request.answers.values_list("message_id", flat=True))
    for message_id in received:
        exchange.opened(request.partner, message_id, now=now)
