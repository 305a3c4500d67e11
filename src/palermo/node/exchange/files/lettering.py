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
from palermo.node.exchange.files import offering, store
from palermo.node.exchange.files.arriving import PIECE_KIND
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.files.states import Sending
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.routes import HANDED_PATIENCE
from palermo.node.exchange.states import Outbox
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


def due(row: OutgoingFile, now: datetime) -> list[int]:
    """The pieces to hand to a relay next."""
    lacking = read_ranges(row.lacking)
    lost = row.handed_at is not None and row.handed_at <= now - HANDED_PATIENCE
    under_way = 0 if lost else sum(number < row.cursor for number in lacking)
    return [number for number in lacking if lost or number >= row.cursor][: max(0, WINDOW - under_way)]


def for_courier(recipient: str, now: datetime, *, only_new: bool) -> list[tuple[OutgoingFile, list[int]]]:
    """All pieces of all files that a partner lacks, each file's list queued as a letter before.

    Their messages need not be accepted yet: they travel in the same file, before the pieces. ``only_new``: without
    what was handed over before.
    """
    settled = Outgoing.objects.filter(state=Outbox.REJECTED).values("message_id")
    found = []
    for row in OutgoingFile.objects.filter(recipient=recipient, state=Sending.SENDING).exclude(message_id__in=settled):
        if not (only_new and row.handed_at) and not offering.write_list(row, now):
            continue
        lacking = read_ranges(row.lacking)
        found.append((row, [number for number in lacking if not only_new or number >= row.cursor]))
    return found


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
