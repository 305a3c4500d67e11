"""A partner's file that is whole: opened, examined by the app that it is for, taken, and signed for."""

from datetime import datetime
from typing import Any

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import handlers
from palermo.node.exchange.files import arriving, store
from palermo.node.exchange.files.models import IncomingFile
from palermo.node.exchange.files.states import ARRIVING_MOVES, Arriving
from palermo.node.exchange.handlers import FileEffect, Received, RefusedError
from palermo.node.exchange.models import Incoming
from palermo.node.ledger import actions as ledger
from palermo.sealing import sealed_file
from palermo.sealing.errors import SealingError
from palermo.sealing.file_offer import MAX_REASON, FileReceipt, FileStatus, sign_file_receipt
from palermo.sealing.sealed_file import Contents


def open_whole(row: IncomingFile, now: datetime) -> None:
    """Open a whole file and give it to its app. Call outside any transaction; killed, it begins again.

    A file that does not open to what was offered, or that the app refuses, is refused, signed. Raises OSError (no room:
    the pieces stay), ``handlers.NotYetError``.
    """
    if len(store.pieces_here(row.file_id)) < row.pieces:  # restored from a back-up, which holds no pieces
        IncomingFile.objects.filter(pk=row.pk, state=Arriving.WHOLE).update(state=Arriving.ARRIVING)
        return
    try:
        message, effect = _message(row)
        _open(row)
        examined = effect.examine(message, store.clear_path(row.file_id), now=now)
        _take(row.pk, message, effect, examined, now)
    except RefusedError as error:
        refuse(row.pk, error.reason, now)


def _message(row: IncomingFile) -> tuple[Received, FileEffect]:
    """The message that offered the file, as its handler was given it, and who acts on it now."""
    header = Incoming.objects.defer("envelope", "signed", "receipt").get(sender=row.sender, message_id=row.message_id)
    handler = handlers.registered(header.payload_type)
    if handler is None or handler.file is None:
        raise RefusedError(f"This node takes no files with messages of type {header.payload_type} any more.")
    message = Received(
        sender=row.sender,
        message_id=row.message_id,
        payload_type=header.payload_type,
        payload=bytes(row.payload),
        case_reference=header.case_reference,
        purpose=header.purpose,
        in_reply_to=header.in_reply_to,
        ledger_index=header.ledger_index,
        created_at=header.created_at,
    )
    return message, handler.file


def _open(row: IncomingFile) -> None:
    target = store.clear_path(row.file_id)
    if target.exists():
        return  # it has its name only since it was whole and proven
    reader, expected = store.PiecesReader(row.file_id, row.pieces), Contents(row.size, row.sha256, row.sha512)
    try:
        sealed_file.open_file(reader, target, row.identity, expected)
    except SealingError as error:
        raise RefusedError(f"The file does not open ({error}). Send it once more.") from error


@transaction.atomic
def _take(key: int, message: Received, effect: FileEffect, examined: Any, now: datetime) -> None:
    """The message's effect and the receipt for its file, in one transaction."""
    ledger.hold()
    row = IncomingFile.objects.select_for_update().get(pk=key)
    if row.state != Arriving.WHOLE:
        return
    effect.take(message, store.clear_path(row.file_id), examined, now=now)
    _sign(row, FileStatus.TAKEN, "", now)


@transaction.atomic
def refuse(key: int, reason: str, now: datetime) -> None:
    """Refuse a file that is not settled yet, with a reason for its sender."""
    ledger.hold()
    row = IncomingFile.objects.select_for_update().get(pk=key)
    if row.receipt is None:
        _sign(row, FileStatus.REFUSED, reason.replace("\0", " ")[:MAX_REASON] or "No reason was given.", now)


def _sign(row: IncomingFile, status: FileStatus, reason: str, now: datetime) -> None:
    to = Arriving(status.value)
    if to not in ARRIVING_MOVES[Arriving(row.state)]:
        raise ValueError(f"a file cannot become {to} after it was {row.state}")
    receipt = FileReceipt(
        file_id=row.file_id,
        message_id=row.message_id,
        sender=row.sender,
        recipient=directory.own_code(),
        sha256=row.sha256,
        status=status,
        at=now,
        reason=reason,
    )
    row.receipt = sign_file_receipt(receipt, own_keys.signing_key())
    row.state, row.reason, row.settled_at = to.value, reason, now
    row.identity, row.payload, row.last_error = "", b"", ""
    row.save()
    arriving.tell(row, now)
    transaction.on_commit(lambda: store.remove(row.file_id))


def refuse_ended(now: datetime) -> None:
    """Refuse the files that did not come in time."""
    late = IncomingFile.objects.filter(state=Arriving.ARRIVING, not_after__lte=now)
    for row in list(late.defer("payload")):
        here = len(store.pieces_here(row.file_id))
        refuse(row.pk, f"Its time ran out: {here} of {row.pieces or 'its'} pieces came. Send it once more.", now)
