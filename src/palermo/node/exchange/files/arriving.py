"""A partner's file: accepted with the message that offers it, then its list of pieces, then the pieces in any order."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.files import limits, store
from palermo.node.exchange.files.models import IncomingFile
from palermo.node.exchange.files.states import ARRIVING_OPEN, Arriving
from palermo.node.exchange.handlers import NotYetError, Received, RefusedError
from palermo.node.office.errors import ConflictError, InvalidError, NodeError, NotFoundError
from palermo.sealing.errors import FormatError
from palermo.sealing.file_offer import (
    FileOffer,
    FileState,
    Lacking,
    PieceList,
    piece_size,
    read_piece_letter,
    write_ranges,
)
from palermo.sealing.letter import Letter

PIECE_KIND = "exchange.file-piece+v1"
LACKING_KIND, RECEIPT_KIND = "exchange.file-lacking+v1", "exchange.file-receipt+v1"
TELL_EVERY = 16
"""By relay or courier the sender is told after so many new pieces what is still lacking: a quarter of its window."""


class NoRoomError(NodeError):
    """The disk is full, or nearly: nothing of the piece was kept, and it may be sent again later."""

    status = 507


def accept(offer: FileOffer, message: Received, *, subject: str, now: datetime) -> None:
    """Accept an offered file, in the transaction that receives the message.

    When it is here, opened, and the app has examined it (``handlers.Handler.file``), the message takes effect. Raises
    ``RefusedError`` with what the sender can do.
    """
    if IncomingFile.objects.filter(file_id=offer.file_id).exists():
        raise RefusedError("A file of this id was offered before. Give each file its own.")
    if not now < offer.not_after <= now + limits.LONGEST_LIFE:
        raise RefusedError(f"A file has to end after now and within {limits.LIFE.days} days. Offer it again.")
    limits.refuse_too_much(message.sender, offer.size, now)
    IncomingFile.objects.create(
        file_id=offer.file_id,
        sender=message.sender,
        message_id=message.message_id,
        subject=subject,
        size=offer.size,
        sha256=offer.sha256,
        identity=offer.identity,
        payload=message.payload,
        created_at=now,
        not_after=offer.not_after,
    )


def take_list(letter: Letter, *, now: datetime) -> None:
    """Take the list of a file's pieces, and answer with those that are lacking, or with the receipt once more."""
    try:
        said = PieceList.from_bytes(letter.body)
    except FormatError as error:
        raise RefusedError(f"This is no list of pieces ({error}).") from error
    row = _of_sender(said.file_id, letter.sender)
    if row.state == Arriving.ARRIVING:
        _keep_list(row, said)
    tell(row, now)


def _keep_list(row: IncomingFile, said: PieceList) -> None:
    if (said.size, said.sha256) != (row.size, row.sha256):
        raise RefusedError("The list is of another file than was offered. Offer it again.")
    if _listed(row) and store.list_of(row.file_id) == said.pieces:
        return
    store.remove(row.file_id)  # sealed anew, since the sender was restored: the pieces that came fit no longer
    store.keep_list(row.file_id, said.pieces)
    row.sha512, row.pieces = said.sha512, said.number
    row.sealed_size, row.piece_bytes = said.sealed_size, said.piece_bytes
    row.save(update_fields=["sha512", "pieces", "sealed_size", "piece_bytes"])


def take_piece_letter(letter: Letter, *, now: datetime) -> None:
    """Take a piece that came by relay or courier."""
    try:
        file_id, number, piece = read_piece_letter(letter.body)
    except FormatError as error:
        raise RefusedError(f"This is no piece ({error}).") from error
    row = _of_sender(file_id, letter.sender)
    if row.state == Arriving.ARRIVING:
        if not _listed(row):
            raise NotYetError("the list of its pieces has to come first")
        try:
            _take_piece(row, number, [piece])
        except NoRoomError as error:
            raise NotYetError(error.sentence) from error
        except NodeError as error:
            raise RefusedError(error.sentence) from error
    here = len(store.pieces_here(file_id)) if row.state == Arriving.ARRIVING else row.pieces
    if here == row.pieces or here >= row.told + TELL_EVERY:
        tell(row, now)


def take_piece(file_id: str, number: int, chunks: Iterable[bytes]) -> None:
    """Take a piece that was posted here; one that is here already is not read.

    Whoever posts it need not be proven: it has the digest that the sender signed, or it is not kept. Raises
    ``NotFoundError`` (no such file or piece), ``ConflictError`` (not wanted any more), ``InvalidError`` (other bytes
    than were listed), :class:`NoRoomError`.
    """
    row = IncomingFile.objects.filter(file_id=file_id).first()
    if row is None:
        raise NotFoundError("No such file is expected here.")
    if row.state not in ARRIVING_OPEN:
        raise ConflictError(f"This file is {row.state}: it needs no more pieces.")
    if not _listed(row):
        raise NotFoundError("The list of this file's pieces has not come yet.")
    _take_piece(row, number, chunks)


def _take_piece(row: IncomingFile, number: int, chunks: Iterable[bytes]) -> None:
    size = piece_size(number, row.sealed_size, row.piece_bytes)
    if size <= 0:
        raise NotFoundError(f"This file has {row.pieces} pieces.")
    if store.has_piece(row.file_id, number):
        return
    if store.free_bytes() < limits.RESERVE_BYTES:
        raise NoRoomError("There is no room for files here now. Try again later.")
    try:
        store.keep_piece(row.file_id, number, size, chunks)
    except store.WrongPieceError as error:
        raise InvalidError(str(error)) from error
    except FileNotFoundError as error:
        raise ConflictError("This file was settled meanwhile: it needs no more pieces.") from error
    except OSError as error:
        raise NoRoomError(f"The piece could not be written here ({error.strerror}). Try again later.") from error
    see_whether_whole(row)


def see_whether_whole(row: IncomingFile) -> bool:
    """Note that all pieces are here, if they are."""
    if not row.pieces or len(store.pieces_here(row.file_id)) < row.pieces:
        return False
    IncomingFile.objects.filter(pk=row.pk, state=Arriving.ARRIVING).update(
        state=Arriving.WHOLE, failures=0, next_attempt_at=None, last_error=""
    )
    return True


def lacking(row: IncomingFile) -> str:
    """The pieces that are not here."""
    if row.state != Arriving.ARRIVING:
        return ""
    return write_ranges(set(range(row.pieces)) - store.pieces_here(row.file_id))


def state_of(file_id: str) -> FileState:
    """How far a file is, for its sender. Raises ``NotFoundError``."""
    row = IncomingFile.objects.defer("payload").filter(file_id=file_id).first()
    if row is None:
        raise NotFoundError("No such file is expected here.")
    return FileState(lacking(row), _listed(row), bytes(row.receipt or b""))


@transaction.atomic
def tell(row: IncomingFile, now: datetime) -> None:
    """Write to the sender: the receipt if there is one, or else which pieces are lacking."""
    if row.receipt is not None:
        kind, body = RECEIPT_KIND, bytes(row.receipt)
    else:
        kind, body = (
            LACKING_KIND,
            Lacking(row.file_id, lacking(row), _listed(row)).to_bytes(),
        )
        IncomingFile.objects.filter(pk=row.pk).update(told=len(store.pieces_here(row.file_id)))
    write_letter(
        recipient=row.sender,
        kind=kind,
        body=body,
        key=row.file_id,
        in_reply_to=row.file_id,
        not_after=now + limits.LIFE,
        now=now,
    )


def _listed(row: IncomingFile) -> bool:
    """Whether its pieces are known, and their list, if needed, is here: a restored node has it no more."""
    return row.state != Arriving.ARRIVING or (bool(row.pieces) and store.has_list(row.file_id))


def _of_sender(file_id: str, sender: str) -> IncomingFile:
    row = IncomingFile.objects.filter(file_id=file_id, sender=sender).first()
    if row is None:
        raise RefusedError("We expect no such file of yours. Offer it in a message first.")
    return row
