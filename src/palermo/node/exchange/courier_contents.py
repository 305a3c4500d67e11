"""What goes into a courier's file: messages, then letters, then pieces of files, so that each finds what it needs.

Letters and pieces are sealed when they leave. The file's manifest states their digests before them, so what is sealed
waits on this node's disk meanwhile: no part is in memory but the one at hand.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from django.db.models import QuerySet

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import seal_queued
from palermo.node.exchange.files import lettering as files
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.models import Outgoing, QueuedLetter
from palermo.node.exchange.states import OPEN
from palermo.sealing import parcel
from palermo.sealing.courier import MAX_PARTS, Part

_LETTERS_AT_ONCE = 20
_ROWS_AT_ONCE = 500

Progress = Callable[[int], None]
"""Told how many bytes of parts were written, or read, since it was told last."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A part, and the id of the recipient key that it is sealed to. ``ends_at``: of a message, its end."""

    part: Part
    key_id: str
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a file: primary keys of messages and letters, files with the numbers of their pieces, in order.

    ``left``: how many parcels did not fit; ``carried_before``: how many an earlier file or a relay took already.
    """

    messages: list[int]
    letters: list[int]
    pieces: list[tuple[OutgoingFile, list[int]]]
    left: int
    carried_before: int

    def __len__(self) -> int:
        """How many parts it makes."""
        return len(self.messages) + len(self.letters) + self.number_of_pieces

    @property
    def number_of_pieces(self) -> int:
        """Pieces of all files."""
        return sum(len(numbers) for _, numbers in self.pieces)


def messages(recipient: str) -> QuerySet[Outgoing]:
    """Messages to a partner that have no receipt."""
    return Outgoing.objects.filter(recipient=recipient, state__in=OPEN).order_by("sequence")


def letters(recipient: str, now: datetime) -> QuerySet[QueuedLetter]:
    """Letters to a partner whose time is not over; none to one that does not speak version 2."""
    found = QueuedLetter.objects.filter(recipient=recipient, not_after__gt=now).order_by("pk")
    return found if directory.authority(recipient).protocol >= parcel.PADDED_FROM else found.none()


def choose(recipient: str, now: datetime, *, only_new: bool) -> Contents:
    """As much as one file holds. ``only_new``: without what an earlier file or a relay took."""
    spoken = directory.authority(recipient).protocol
    of_files = files.for_courier(recipient, now, only_new=only_new) if spoken >= parcel.PADDED_FROM else []
    boxes = [messages(recipient), letters(recipient, now)]
    if only_new:
        boxes = [box.filter(handed_at__isnull=True) for box in boxes]
    sent, written = (list(box.values_list("pk", "handed_at")) for box in boxes)
    sent, more_sent = sent[:MAX_PARTS], sent[MAX_PARTS:]
    room = MAX_PARTS - len(sent)
    written, more_written = written[:room], written[room:]
    pieces, more_pieces = _fitting(of_files, room - len(written))
    return Contents(
        messages=[key for key, _ in sent],
        letters=[key for key, _ in written],
        pieces=pieces,
        left=len(more_sent) + len(more_written) + more_pieces,
        carried_before=sum(handed_at is not None for _, handed_at in [*sent, *written]),
    )


def _fitting(
    of_files: Sequence[tuple[OutgoingFile, list[int]]], room: int
) -> tuple[list[tuple[OutgoingFile, list[int]]], int]:
    """The first pieces, and how many are left over."""
    chosen, left = list[tuple[OutgoingFile, list[int]]](), 0
    for row, numbers in of_files:
        taken = numbers[: max(0, room)]
        if taken:
            chosen.append((row, taken))
        room, left = room - len(taken), left + len(numbers) - len(taken)
    return chosen, left


def seal(contents: Contents, spool: BinaryIO, now: datetime) -> list[Addressed]:
    """Every part in order; letters and pieces are sealed into ``spool``. Raises OSError, ``DirectoryError``."""
    parts = [_message(key) for key in contents.messages]
    for sealed in _sealed(contents, now):
        spool.write(sealed)
        parts.append(_addressed(sealed))
    return parts


def _sealed(contents: Contents, now: datetime) -> Iterator[bytes]:
    for start in range(0, len(contents.letters), _LETTERS_AT_ONCE):
        keys = contents.letters[start : start + _LETTERS_AT_ONCE]
        yield from seal_queued(QueuedLetter.objects.filter(pk__in=keys).order_by("pk"), now)
    for row, numbers in contents.pieces:
        for piece in files.sealed(row, numbers, now):
            yield piece.parcel


def _message(key: int) -> Addressed:
    envelope, not_after = Outgoing.objects.values_list("envelope", "not_after").get(pk=key)
    return _addressed(bytes(envelope), not_after)


def _addressed(content: bytes, ends_at: datetime | None = None) -> Addressed:
    part = Part(hashlib.sha256(content).hexdigest(), len(content))
    return Addressed(part, parcel.peek(content).recipient_key_id, ends_at)


def read_again(contents: Contents, parts: Sequence[Addressed], spool: BinaryIO, progress: Progress) -> Iterator[bytes]:
    """The bytes of every part, in order, one at a time."""
    for key in contents.messages:
        content = bytes(Outgoing.objects.values_list("envelope", flat=True).get(pk=key))
        yield content
        progress(len(content))
    spool.seek(0)
    for addressed in parts[len(contents.messages) :]:
        yield spool.read(addressed.part.size)
        progress(addressed.part.size)


def note_carried(contents: Contents, now: datetime) -> None:
    """Note that a courier has it: until the next try, nothing of it is handed to a relay."""
    for model, keys in ((Outgoing, contents.messages), (QueuedLetter, contents.letters)):
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            model._default_manager.filter(pk__in=keys[start : start + _ROWS_AT_ONCE]).update(handed_at=now)
    for row, numbers in contents.pieces:
        files.handed(row.pk, numbers, now)
