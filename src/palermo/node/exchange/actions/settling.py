"""Settling: a verified receipt decides what became of a message; a person takes it off the work queue."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, transaction

from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.actions.committing import in_one_commit, update_all
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
from palermo.sealing.keys import VerifyKey
from palermo.sealing.receipt import Receipt, ReceiptStatus, verify_receipt
from palermo.sealing.stage import Stage

_log = logging.getLogger(__name__)
_SETTLED = ("state", "stage", "warn_at", "limit_at", "reason", "partner_index", "receipt", "receipted_at")

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


def settle(key: int, data: bytes, *, now: datetime) -> MessageRow:
    """:func:`settle_all` of one message; raises what kept it from being settled."""
    (outcome,) = _settle_all([(key, data)], now)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def settle_all(receipts: Sequence[tuple[int, bytes]], *, now: datetime) -> list[str]:
    """Settle several messages in one commit: each key with what came for it.

    Returns for each "" if it is settled, or a sentence that says why not; one that cannot be settled spoils no other.
    """
    return in_one_commit(
        receipts,
        lambda items: [
            _sentence(key, outcome) for (key, _), outcome in zip(items, _settle_all(items, now), strict=True)
        ],
        lambda error: f"The receipt could not be stored here ({error}). Is there room?",
    )


def _sentence(key: int, outcome: MessageRow | Exception) -> str:
    if isinstance(outcome, SealingError):
        return f"The answer is not a receipt of this partner for this message ({outcome})."
    if isinstance(outcome, Exception):  # an app's own fault in acting on it must not stop the post to all others
        _log.error("settling message %d failed", key, exc_info=outcome)
        return f"The answer could not be acted on here ({outcome}). The log of this node says more."
    return ""


@transaction.atomic
def _settle_all(receipts: Sequence[tuple[int, bytes]], now: datetime) -> list[MessageRow | Exception]:
    """Verify receipts and store them with the messages they are for; one already stored is never overwritten.

    Returns the message, or ``SealingError`` for bytes that are not this recipient's receipt for it, or what an app
    raised whose handler was told.
    """
    ledger.hold()
    keys = {key for key, _ in receipts}
    rows = Outgoing.objects.defer("envelope").select_for_update().order_by("pk").in_bulk(keys)
    verifier, unsaved = _Verifier(now), list[Outgoing]()
    outcomes: list[MessageRow | Exception] = []
    for key, data in receipts:
        row = rows[key]
        try:
            if row.receipt is None and not _settle(row, data, verifier.verified(data, row), now):
                unsaved.append(row)
            outcomes.append(outgoing_row(row))
        except DatabaseError:
            raise
        except Exception as error:
            rows[key] = Outgoing.objects.defer("envelope").get(pk=key)
            outcomes.append(error)
    update_all(unsaved, _SETTLED)
    return outcomes


class _Verifier:
    """Proves receipts, looking up each key and each checkpoint that they name once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._keys: dict[tuple[str, datetime], dict[str, VerifyKey]] = {}
        self._witnessed: set[tuple[str, str]] = set()

    def verified(self, data: bytes, row: Outgoing) -> Receipt:
        """The receipt, proven to be this recipient's for this message. Raises ``SealingError``."""
        receipt = verify_receipt(data, lambda claimed: self._keys_of(row.recipient, claimed.received_at))
        _check_answers(receipt, row)
        shown = (row.recipient, receipt.ledger_checkpoint)
        if receipt.ledger_checkpoint and shown not in self._witnessed:
            ledger.witness(*shown, now=self._now)
            self._witnessed.add(shown)
        return receipt

    def _keys_of(self, recipient: str, stated_at: datetime) -> dict[str, VerifyKey]:
        if (recipient, stated_at) not in self._keys:
            found = directory.keys_of_statement(recipient, stated_at, self._now)
            self._keys[recipient, stated_at] = dsse.by_id(*found)
        return self._keys[recipient, stated_at]


def _settle(row: Outgoing, data: bytes, receipt: Receipt, now: datetime) -> bool:
    """What the receipt makes of the message; False where the row is still to be saved, with others."""
    was = Outbox(row.state)
    if was is Outbox.QUEUED and receipt.status == ReceiptStatus.ACCEPTED:
        _move(row, Outbox.ACCEPTED, now)
        _note(row, data, receipt, now)
        return False
    with transaction.atomic():  # a handler is told, or a task ends: all of that, or nothing
        _move(row, Outbox(receipt.status), now)
        _note(row, data, receipt, now)
        update_all([row], _SETTLED)
        if was is Outbox.UNKNOWN:
            office.finish_task(f"exchange.unknown:{row.message_id}", now=now)
        if row.state == Outbox.REJECTED:
            tell(row, row.state, f"{row.recipient} rejected a message of ours: {row.reason}", now)
            handler = handlers.registered(row.payload_type)
            if handler is not None and handler.undelivered is not None:
                handler.undelivered(outgoing_row(row), now=now)
    return True


def _note(row: Outgoing, data: bytes, receipt: Receipt, now: datetime) -> None:
    row.reason, row.partner_index = receipt.reason, receipt.ledger_index
    row.receipt, row.receipted_at = data, now


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
