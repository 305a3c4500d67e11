"""Settling: a verified receipt decides what became of a message; a person takes it off the work queue."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, transaction

from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.actions.committing import in_one_commit
from palermo.node.exchange.actions.stating import expects_retrieval, move, retrieved_before, tell
from palermo.node.exchange.models import Incoming, Outgoing
from palermo.node.exchange.rows import MessageRow, outgoing_row
from palermo.node.exchange.stage_models import Refusal
from palermo.node.exchange.states import MOVES, Outbox
from palermo.node.ledger import actions as ledger
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.sealing import dsse
from palermo.sealing.canonical import MAX_INTEGER
from palermo.sealing.errors import BindingError, FormatError, SealingError
from palermo.sealing.receipt import Receipt, ReceiptStatus, parse_receipt, verify_receipt
from palermo.sealing.stage import Stage

_log = logging.getLogger(__name__)

# What puts a message before a person; a task's key names one of these and the message.
TASKS = (
    Outbox.REJECTED.value,
    Outbox.UNKNOWN.value,
    "equivocation",
    "late",
    "unread",
    Stage.RELAY_FAILED.value,
    Stage.NOT_RETRIEVED.value,
    "refused",
)


@transaction.atomic
def settle(key: int, data: bytes, *, now: datetime) -> MessageRow:
    """Verify a receipt and store it with the message it is for; a receipt already stored is never overwritten.

    Raises ``SealingError`` for bytes that are not this recipient's receipt for this message.
    """
    ledger.hold()
    row = Outgoing.objects.defer("envelope").select_for_update().get(pk=key)
    if row.receipt is not None:
        return outgoing_row(row)
    stated_at = parse_receipt(data).received_at
    receipt = verify_receipt(data, dsse.by_id(*directory.keys_of_statement(row.recipient, stated_at, now)))
    _check_answers(receipt, row)
    if receipt.ledger_checkpoint:
        ledger.witness(row.recipient, receipt.ledger_checkpoint, now=now)
    was = Outbox(row.state)
    _move(row, Outbox(receipt.status), now)
    row.reason, row.partner_index = receipt.reason, receipt.ledger_index
    row.receipt, row.receipted_at = data, now
    row.save(
        update_fields=["state", "stage", "warn_at", "limit_at", "reason", "partner_index", "receipt", "receipted_at"]
    )
    if was is Outbox.UNKNOWN:
        office.finish_task(f"exchange.unknown:{row.message_id}", now=now)
    if row.state == Outbox.REJECTED:
        tell(row, row.state, f"{row.recipient} rejected a message of ours: {row.reason}", now)
        handler = handlers.registered(row.payload_type)
        if handler is not None and handler.undelivered is not None:
            handler.undelivered(outgoing_row(row), now=now)
    return outgoing_row(row)


def settle_all(receipts: Sequence[tuple[int, bytes]], *, now: datetime) -> list[str]:
    """Settle several messages of one recipient in one commit: each key with what came for it.

    Returns for each "" if it is settled, or a sentence that says why not; one that cannot be settled spoils no other.
    """

    def step(item: tuple[int, bytes]) -> str:
        try:
            settle(*item, now=now)
        except SealingError as error:
            return f"The answer is not a receipt of this partner for this message ({error})."
        except DatabaseError:
            raise
        except Exception as error:  # an app's own fault in acting on it must not stop the post to all others
            _log.exception("settling message %d failed", item[0])
            return f"The answer could not be acted on here ({error}). The log of this node says more."
        return ""

    return in_one_commit(
        receipts, step, lambda error: f"The receipt could not be stored here ({error}). Is there room?"
    )


@transaction.atomic
def acknowledge(officer: Actor, *, message_id: str, now: datetime) -> None:
    """Note that a person has looked into what became of a message, and take it off the work queue.

    Raises ``NotFoundError`` for an id that no message of either box has.
    """
    policy.require(officer, "message.read")
    if not any(box.objects.filter(message_id=message_id).exists() for box in (Outgoing, Incoming, Refusal)):
        raise NotFoundError
    for cause in TASKS:
        office.finish_task(f"exchange.{cause}:{message_id}", now=now)
    office.audit(officer, "message.acknowledged", message_id, now=now)


def _check_answers(receipt: Receipt, row: Outgoing) -> None:
    """See that the receipt is for that message.

    A recipient that could not open the envelope knows its digest alone, and can but reject it.
    """
    unopened = receipt.status == ReceiptStatus.REJECTED and not receipt.message_id and not receipt.sender
    expected = {"envelope_digest": row.digest, "recipient": row.recipient}
    if not unopened:
        expected |= {"message_id": row.message_id, "sender": directory.own_code()}
    for name, value in expected.items():
        if getattr(receipt, name) != value:
            raise BindingError(f"receipt.{name}", "is that of another message")
    if "\0" in receipt.reason:
        raise FormatError("receipt.reason", "holds a NUL, which cannot be kept")
    if receipt.ledger_index is not None and not 0 <= receipt.ledger_index < MAX_INTEGER:
        raise FormatError("receipt.ledger_index", "is none that a log can have")


def _move(row: Outgoing, to: Outbox, now: datetime) -> None:
    if to not in MOVES[Outbox(row.state)]:
        raise ValueError(f"a message cannot become {to} after it was {row.state}")
    row.state = to
    if to is Outbox.REJECTED:
        move(row, Stage.NOT_DELIVERED, now)
    else:
        move(row, Stage.DELIVERED, now)
        if expects_retrieval(row) and retrieved_before(row):
            move(row, Stage.RETRIEVED, now)
