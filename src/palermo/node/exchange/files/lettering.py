"""Pieces as letters, for partners that are reached by relay or courier: sealed as they leave, never kept as letters.

What was handed over and is still lacking is on its way. A relay gets no more than :data:`WINDOW` of such pieces; when
nothing was heard of them for ``routes.HANDED_PATIENCE``, the round begins anew with whatever is lacking then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db.models import F

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.files import store
from palermo.node.exchange.files.arriving import PIECE_KIND
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.routes import HANDED_PATIENCE
from palermo.sealing.file_offer import piece_letter, read_ranges
from palermo.sealing.letter import Letter, seal_letter

WINDOW = 64
"""Pieces under way at once: 256 MiB of a relay's mailbox, and what its owner collects in one go."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece, sealed as a letter."""

    file: int
    number: int
    parcel: bytes


def due(row: OutgoingFile, now: datetime, *, window: int | None = WINDOW) -> list[int]:
    """The pieces to hand over next; ``window`` None: all that are lacking, on their way or not, as a courier takes."""
    lacking = read_ranges(row.lacking)
    if window is None:
        return lacking
    lost = row.handed_at is not None and row.handed_at <= now - HANDED_PATIENCE
    under_way = 0 if lost else sum(number < row.cursor for number in lacking)
    return [number for number in lacking if lost or number >= row.cursor][: max(0, window - under_way)]


def sealed(row: OutgoingFile, numbers: list[int], now: datetime) -> Iterator[Piece]:
    """The pieces, one at a time. Raises OSError, ``DirectoryError`` (a recipient without a key in force)."""
    key, signing = directory.recipient_key(row.recipient, now), own_keys.signing_key()
    for number in numbers:
        letter = Letter(
            kind=PIECE_KIND,
            letter_id=uuid4().hex,
            sender=directory.own_code(),
            recipient=row.recipient,
            recipient_key_id=key.key_id,
            created_at=now,
            not_after=row.not_after,
            body=piece_letter(row.file_id, number, store.sealed_piece(row.file_id, number, row.piece_bytes)),
            in_reply_to=row.message_id,
        )
        yield Piece(row.pk, number, seal_letter(letter, signing, key))


def handed(file: int, numbers: list[int], now: datetime) -> None:
    """Note that pieces were handed to a relay or a courier."""
    if numbers:
        OutgoingFile.objects.filter(pk=file).update(
            cursor=max(numbers) + 1, handed_at=now, sent=F("sent") + len(numbers)
        )
