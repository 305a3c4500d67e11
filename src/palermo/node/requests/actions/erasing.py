"""Erase the copy of a package that an answer carried, when the evidence in it has to be destroyed."""

from dataclasses import replace
from datetime import datetime

from palermo.node.exchange import actions as exchange
from palermo.node.requests.messages import AnswerMessage
from palermo.node.requests.models import Answer
from palermo.node.requests.states import Direction


def erase_package(package: str, *, now: datetime) -> int:
    """Take the package out of every answer that carried it, and erase the message that brought it.

    In the caller's transaction; returns how many copies there were. What the answer says beside it stays.
    """
    erased = 0
    for answer in Answer.objects.select_for_update(of=("self",)).filter(package_reference=package).order_by("pk"):
        said = AnswerMessage.from_bytes(bytes(answer.payload))
        if not said.package:
            continue
        answer.payload = replace(said, package=b"").to_bytes()
        answer.save(update_fields=["payload"])
        erased += 1
        if answer.request.direction == Direction.OUT:
            erased += exchange.erase(answer.request.partner, answer.message_id, now=now)
    return erased
