"""Refused submissions: this node's own signed word that a message did not enter the outbox, and why.

What refuses a message undoes the caller's transaction, so its record is written after that: at the end of a
:func:`kept` block, which the web site puts around each request and the worker around each turn. Whoever called learns
of the refusal at once, by the error; the record is for who asks later, and a task where only an administrator can help.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import local

from django.db import connection, transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.stage_models import Refusal
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing.stage import MAX_NAMED, MAX_REASON, Stage, StageReceipt, sign_stage

_log = logging.getLogger(__name__)
_here = local()
_MOST_A_TURN = 1000


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that was not taken. ``before_a_person``: its caller alone cannot mend it."""

    message_id: str
    recipient: str
    payload_type: str
    case_reference: str
    reason: str
    at: datetime
    before_a_person: bool


def refuse(refused: Refused) -> None:
    """Record a refusal, after the caller's transaction was undone."""
    waiting: list[Refused] | None = getattr(_here, "waiting", None)
    if waiting is not None:
        if len(waiting) < _MOST_A_TURN:
            waiting.append(refused)
    elif connection.in_atomic_block:
        _log.warning("a message to %r was refused: %s", refused.recipient, refused.reason)
    else:
        _write(refused)


@contextmanager
def kept() -> Iterator[None]:
    """Write the refusals of this thread when the block ends, however it ends."""
    if getattr(_here, "waiting", None) is not None:
        yield
        return
    _here.waiting = []
    try:
        yield
    finally:
        waiting, _here.waiting = _here.waiting, None
        for refused in waiting:
            _write(refused)


@transaction.atomic
def _write(refused: Refused) -> None:
    """One row a message id: who tries again and is refused again is told the first reason, by the error the newest."""
    if Refusal.objects.filter(message_id=refused.message_id).exists():
        return
    reason = refused.reason.replace("\0", " ")[:MAX_REASON]
    recipient = refused.recipient[:MAX_NAMED]
    statement = StageReceipt(
        stage=Stage.SUBMISSION_REJECTED,
        message_id=refused.message_id,
        envelope_digest="",
        sender=directory.own_code(),
        recipient=recipient,
        issuer=directory.own_code(),
        at=refused.at,
        reason=reason,
    )
    Refusal.objects.create(
        message_id=refused.message_id,
        recipient=recipient,
        payload_type=refused.payload_type[:128],
        case_reference=refused.case_reference[:200],
        reason=reason,
        refused_at=refused.at,
        signed=sign_stage(statement, own_keys.signing_key()),
    )
    if refused.before_a_person:
        office.add_task(
            key=f"exchange.refused:{refused.message_id}",
            title=f"A message to {recipient} was not sent: {reason}",
            link=f"/messages/{refused.message_id}/",
            role=Role.SUPERVISOR,
            now=refused.at,
        )
