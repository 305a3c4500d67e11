"""What becomes of a file of ours: the recipient says which pieces it lacks, and at last signs what it did with it."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.files import store
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.files.states import SENDING_MOVES, SENDING_OPEN, Sending
from palermo.node.exchange.handlers import RefusedError
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.rows import outgoing_row
from palermo.node.exchange.states import Outbox
from palermo.node.ledger import actions as ledger
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing import dsse
from palermo.sealing.errors import BindingError, FormatError, SealingError
from palermo.sealing.file_offer import FileReceipt, Lacking, read_ranges, verify_file_receipt
from palermo.sealing.letter import Letter

GRACE = timedelta(days=2)
"""How long after its end a file waits for the recipient's word, which may be on its way by relay or courier."""


def move(row: OutgoingFile, to: Sending) -> None:
    """Take a file of ours to another state; the caller saves it."""
    if to not in SENDING_MOVES[Sending(row.state)]:
        raise ValueError(f"a file cannot become {to} after it was {row.state}")
    row.state = to.value


def take_lacking(letter: Letter, *, now: datetime) -> None:
    """Note which pieces the recipient lacks."""
    try:
        said = Lacking.from_bytes(letter.body)
    except FormatError as error:
        raise RefusedError(f"This does not say which pieces are lacking ({error}).") from error
    row = OutgoingFile.objects.select_for_update().filter(file_id=said.file_id, recipient=letter.sender).first()
    if row is not None and row.state == Sending.SENDING:
        note_lacking(row, said.lacking, said.listed)


def note_lacking(row: OutgoingFile, lacking: str, listed: bool) -> None:
    """Keep what the recipient lacks, as far as there are such pieces. It may say so late: then a piece goes twice."""
    if not listed:
        OutgoingFile.objects.filter(pk=row.pk).update(listed_at=None)
        return
    numbers = read_ranges(lacking)
    if numbers and numbers[-1] >= row.pieces:
        raise RefusedError(f"This file has {row.pieces} pieces.")
    row.lacking, row.arrived = lacking, row.pieces - len(numbers)
    row.save(update_fields=["lacking", "arrived"])


def take_receipt_letter(letter: Letter, *, now: datetime) -> None:
    """Settle the file that a letter brings the receipt for."""
    row = OutgoingFile.objects.filter(recipient=letter.sender, file_id=letter.in_reply_to).first()
    if row is None:
        raise RefusedError("We sent you no such file.")
    try:
        settle(row.pk, letter.body, now=now)
    except SealingError as error:
        raise RefusedError(f"This is no receipt for that file ({error}).") from error


@transaction.atomic
def settle(key: int, data: bytes, *, now: datetime) -> None:
    """Verify a receipt and store it with the file; one that is stored is never overwritten.

    Raises ``SealingError`` for bytes that are not this recipient's receipt for this file.
    """
    ledger.hold()
    row = OutgoingFile.objects.select_for_update().get(pk=key)
    if row.receipt is not None:
        return
    receipt = verify_file_receipt(data, dsse.by_id(*directory.verify_keys(row.recipient, now)))
    _check_answers(receipt, row)
    move(row, Sending(receipt.status.value))
    row.receipt, row.settled_at, row.reason = data, now, receipt.reason
    row.lacking = row.identity = row.last_error = ""
    if row.state == Sending.TAKEN:
        row.arrived = row.pieces
    row.save()
    office.finish_task(_task(row), now=now)
    if row.state == Sending.REFUSED:
        _tell(row, "rejected", f"{row.recipient} refused a file of ours: {row.reason}", now)
    transaction.on_commit(lambda: store.remove(row.file_id))


def _check_answers(receipt: FileReceipt, row: OutgoingFile) -> None:
    expected = {
        "file_id": row.file_id,
        "message_id": row.message_id,
        "sender": directory.own_code(),
        "recipient": row.recipient,
        "sha256": row.sha256,
    }
    for name, value in expected.items():
        if getattr(receipt, name) != value:
            raise BindingError(f"file receipt.{name}", "is that of another file")


@transaction.atomic
def end(key: int, reason: str, *, now: datetime, told: bool = False) -> None:
    """Stop sending a file. ``told``: a person knows why already, such as of a message that was rejected."""
    ledger.hold()
    row = OutgoingFile.objects.select_for_update().get(pk=key)
    if row.state not in SENDING_OPEN:
        return
    move(row, Sending.ENDED)
    row.reason, row.identity, row.settled_at = reason, "", now
    row.save()
    if not told:
        _tell(row, "unknown", f"A file of ours did not get to {row.recipient}: {reason}", now)
    transaction.on_commit(lambda: store.remove(row.file_id))


def end_due(now: datetime) -> None:
    """End the files whose message was rejected, and those whose time has run out."""
    open_files = OutgoingFile.objects.filter(state__in=[state.value for state in SENDING_OPEN])
    rejected = Outgoing.objects.filter(state=Outbox.REJECTED, message_id__in=open_files.values("message_id"))
    for key in list(open_files.filter(message_id__in=rejected.values("message_id")).values_list("pk", flat=True)):
        end(key, "The message that offered it was not taken.", now=now, told=True)
    for row in list(open_files.filter(not_after__lte=now - GRACE)):
        end(row.pk, f"its time ran out, and {row.arrived} of {row.pieces} pieces are known to be there.", now=now)


def _task(row: OutgoingFile) -> str:
    return f"exchange.file:{row.file_id}"


def _tell(row: OutgoingFile, state: str, title: str, now: datetime) -> None:
    """Put it before a person, and tell the app that sent it, as of a message that was rejected or is unknown."""
    office.add_task(key=_task(row), title=title, link=f"/messages/{row.message_id}/", role=Role.SUPERVISOR, now=now)
    message = Outgoing.objects.defer("envelope", "receipt").filter(message_id=row.message_id).first()
    handler = handlers.registered(message.payload_type) if message is not None else None
    if message is not None and handler is not None and handler.undelivered is not None:
        handler.undelivered(replace(outgoing_row(message), state=state, reason=row.reason), now=now)
