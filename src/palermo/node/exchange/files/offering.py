"""Files of ours: offered in a message's transaction, and sealed beside it, once."""

from datetime import datetime
from pathlib import Path
from uuid import uuid4

from django.db import transaction

from palermo.node import home
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import write_letter
from palermo.node.exchange.files import limits, settling, store
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.files.states import Sending
from palermo.node.office.errors import InvalidError
from palermo.sealing import age, sealed_file
from palermo.sealing.file_offer import FileOffer, PieceList, write_ranges

LIST_KIND = "exchange.file-list+v1"


@transaction.atomic
def offer(
    *, recipient: str, message_id: str, source: Path, size: int, sha256: str, subject: str, now: datetime
) -> FileOffer:
    """Offer a file below the home folder, in the transaction that sends the message ``message_id`` with this offer.

    The worker seals it afterwards, and sees whether it still has this size (bytes) and SHA-256 (hex). Raises
    ``InvalidError`` for a file too large, or a partner whose node cannot take it.
    """
    if directory.authority(recipient).protocol < 2:
        raise InvalidError(
            f"The node of {recipient} takes files of up to {limits.inline_bytes()} bytes: seal fewer items at once, or "
            "ask it to update."
        )
    if size > limits.LARGEST_FILE.most:
        raise InvalidError(f"A file may have {limits.LARGEST_FILE.most} bytes. Seal fewer items at once.")
    row = OutgoingFile.objects.create(
        file_id=uuid4().hex,
        recipient=recipient,
        message_id=message_id,
        subject=subject,
        source=str(source.relative_to(home.home())),
        size=size,
        sha256=sha256,
        identity=age.new_identity(),
        created_at=now,
        not_after=now + limits.LIFE,
    )
    return FileOffer(file_id=row.file_id, size=size, sha256=sha256, identity=row.identity, not_after=row.not_after)


def seal(row: OutgoingFile, now: datetime) -> None:
    """Seal an offered file. Call outside any transaction; a repetition starts anew.

    Raises OSError (no room, or the file is gone); a file that is not what was offered is ended.
    """
    sealed = sealed_file.seal_file(
        home.home() / row.source,
        store.make_room_for_sealed(row.file_id),
        identity=row.identity,
        piece_bytes=limits.piece_bytes(row.size),
    )
    if (sealed.contents.size, sealed.contents.sha256) != (row.size, row.sha256):
        settling.end(row.pk, "The file is not what was offered: restore it, and send it once more.", now=now)
        return
    pieces = PieceList(
        file_id=row.file_id,
        size=row.size,
        sha256=row.sha256,
        sha512=sealed.contents.sha512,
        sealed_size=sealed.sealed_size,
        piece_bytes=sealed.piece_bytes,
        pieces=sealed.pieces,
    )
    store.keep_own_list(row.file_id, pieces.to_bytes())
    _sealed(row.pk, pieces)


@transaction.atomic
def _sealed(key: int, pieces: PieceList) -> None:
    row = OutgoingFile.objects.select_for_update().get(pk=key)
    if row.state != Sending.SEALING:
        return
    settling.move(row, Sending.SENDING)
    row.sealed_size, row.piece_bytes, row.pieces = pieces.sealed_size, pieces.piece_bytes, pieces.number
    row.lacking, row.arrived, row.cursor, row.listed_at = write_ranges(range(pieces.number)), 0, 0, None
    row.failures, row.next_attempt_at, row.last_error = 0, None, ""
    row.save()


@transaction.atomic
def write_list(row: OutgoingFile, now: datetime) -> bool:
    """Tell the recipient the pieces, when it has accepted the message.

    It answers with those that it lacks, or with its receipt. False where our sealed file is gone, and is sealed anew.
    """
    try:
        body = store.own_list(row.file_id)
    except FileNotFoundError:
        seal_anew(row)
        return False
    write_letter(
        recipient=row.recipient,
        kind=LIST_KIND,
        body=body,
        key=row.file_id,
        in_reply_to=row.message_id,
        not_after=row.not_after,
        now=now,
    )
    OutgoingFile.objects.filter(pk=row.pk).update(listed_at=now)
    return True


def seal_anew(row: OutgoingFile) -> None:
    """Begin again with a file whose sealed bytes are gone, as in a node that was restored from a back-up."""
    settling.move(row, Sending.SEALING)
    row.save(update_fields=["state"])
