"""The courier's file out: everything that waits for one partner, however the directory says that it is reached.

Every message without a receipt goes into every file, and every letter whose time is not over: a stick that is lost, or
read twice, costs nothing. The receipts come back in the next file, or by whatever line there is.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.db.models import QuerySet

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import seal_queued
from palermo.node.exchange.files import lettering as files
from palermo.node.exchange.files.models import OutgoingFile
from palermo.node.exchange.models import Outgoing, QueuedLetter
from palermo.node.exchange.routes import Route, way_to
from palermo.node.exchange.states import OPEN
from palermo.node.home import uploads_folder
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import ConflictError
from palermo.node.office.policy import Actor
from palermo.sealing import parcel
from palermo.sealing.courier import MAX_PARTS, Manifest, Part, write_file

SUFFIX = ".courier"
KEY_ENDS_SOON = timedelta(days=7)
"""Before a key's end, how soon whoever exports is warned."""

_LETTERS_AT_ONCE = 20
_ROWS_AT_ONCE = 500

Progress = Callable[[int], None]
"""Told how many bytes of parts were written, or read, since it was told last."""


class NothingToCarryError(ConflictError):
    """No message and no letter waits for this partner."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A courier file that was written. ``left``: parcels that did not fit into it.

    ``carried_before``: how many of its parts an earlier file, or a relay, took already. ``ended_keys``: parts sealed to
    a key that has ended; ``opens_until``: when the first of the keys may be destroyed by its owner.
    """

    path: Path
    manifest: Manifest
    digest: str
    messages: int
    letters: int
    carried_before: int
    left: int
    ended_keys: int
    opens_until: datetime

    def warnings(self, now: datetime) -> list[str]:
        """What whoever sends the courier off must know."""
        end, said = self.manifest.keys_end_at, []
        if self.ended_keys:
            said.append(
                f"{self.ended_keys} parts are sealed to a key that has ended. {self.manifest.recipient} may destroy it "
                f"from {self.opens_until:%Y-%m-%d %H:%M} UTC on: what arrives later is rejected, and must be sent anew."
            )
        elif end - now < KEY_ENDS_SOON:
            said.append(
                f"The key that parts are sealed to ends at {end:%Y-%m-%d %H:%M} UTC. Deliver before "
                f"{self.opens_until:%Y-%m-%d %H:%M} UTC, when {self.manifest.recipient} may destroy it; ask it for its "
                "newest key for what you send from now on."
            )
        if self.left:
            said.append(f"{self.left} more parcels wait: export them into another file with --only-new.")
        return said


@dataclass(slots=True)
class _Chosen:
    """What goes into a file: primary keys, in order, and which pieces of large files."""

    messages: list[int]
    letters: list[int]
    left: int
    carried_before: int
    pieces: list[tuple[OutgoingFile, list[int]]]

    def __len__(self) -> int:
        return len(self.messages) + len(self.letters) + sum(len(numbers) for _, numbers in self.pieces)


def file_name(recipient: str, now: datetime) -> str:
    """What a file is called that somebody wants in a folder: sender, recipient, time."""
    return f"{directory.own_code()}-to-{recipient}-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"


def waiting(recipient: str, now: datetime) -> tuple[int, int]:
    """How many messages and letters the next file to a partner would hold."""
    return _messages(recipient).count(), _letters(recipient, now).count()


def export(
    path: Path,
    *,
    recipient: str,
    now: datetime,
    officer: Actor | None = None,
    only_new: bool = False,
    progress: Progress = lambda size: None,
) -> Exported:
    """Write what waits for a partner to ``path``, whole or not at all.

    ``only_new``: without what an earlier file or a relay took. Raises :class:`NothingToCarryError`, ``DirectoryError``
    (unknown partner, or one without a key for the letters), ``OSError`` (a full stick: nothing was noted as carried).
    ``officer``: who does it on a page; None for whoever has the node's home, who needs no permission.
    """
    if officer is not None:
        policy.require(officer, "courier.carry")
    directory.authority(recipient)
    pieces = files.for_courier(recipient, now, only_new=only_new)
    chosen = _choose(recipient, now, only_new, pieces)
    if not len(chosen):
        raise NothingToCarryError(f"Nothing{' new' if only_new else ''} waits for {recipient}: no file was written.")
    with tempfile.TemporaryFile(dir=uploads_folder()) as spool:
        letters = _seal(chosen.letters, spool, now) + _seal_pieces(chosen, spool, now)
        parts, key_ids, ends = _messages_as_parts(chosen.messages)
        ended, first_end = _key_times(recipient, [*key_ids, *(key_id for _, key_id in letters)], now)
        manifest = Manifest(
            sender=directory.own_code(),
            recipient=recipient,
            made_at=now,
            keys_end_at=first_end,
            parts=(*parts, *(part for part, _ in letters)),
            deliver_before=min((end for end in ends if end > now), default=None),
        )
        contents = _contents(chosen.messages, spool, [part.size for part, _ in letters], progress)
        digest = write_file(path, manifest, contents, own_keys.signing_key())
    exported = Exported(
        path=path,
        manifest=manifest,
        digest=digest,
        messages=len(parts),
        letters=len(letters),
        carried_before=chosen.carried_before,
        left=chosen.left,
        ended_keys=ended,
        opens_until=first_end + own_keys.OVERLAP,
    )
    _note(exported, chosen, officer, now)
    return exported


def _messages(recipient: str) -> QuerySet[Outgoing]:
    return Outgoing.objects.filter(recipient=recipient, state__in=OPEN).order_by("sequence")


def _letters(recipient: str, now: datetime) -> QuerySet[QueuedLetter]:
    return QueuedLetter.objects.filter(recipient=recipient, not_after__gt=now).order_by("pk")


def _choose(recipient: str, now: datetime, only_new: bool, pieces: list[tuple[OutgoingFile, list[int]]]) -> _Chosen:
    messages, letters = _messages(recipient), _letters(recipient, now)
    if directory.authority(recipient).protocol < 2:
        letters = letters.none()
    if only_new:
        messages, letters = messages.filter(handed_at__isnull=True), letters.filter(handed_at__isnull=True)
    found = [(key, handed, True) for key, handed in messages.values_list("pk", "handed_at")]
    found += [(key, handed, False) for key, handed in letters.values_list("pk", "handed_at")]
    taken, left = found[:MAX_PARTS], len(found[MAX_PARTS:])
    fitting, room = [], MAX_PARTS - len(taken)
    for row, numbers in pieces:
        fitting.append((row, numbers[:room]))
        left += len(numbers[room:])
        room -= len(numbers[:room])
    return _Chosen(
        messages=[key for key, _, is_message in taken if is_message],
        letters=[key for key, _, is_message in taken if not is_message],
        left=left,
        carried_before=sum(handed is not None for _, handed, _ in taken),
        pieces=fitting,
    )


def _seal(keys: Sequence[int], spool: BinaryIO, now: datetime) -> list[tuple[Part, str]]:
    """Seal letters into a file of their own, since the manifest comes first; each part with its key's id."""
    parts = []
    for start in range(0, len(keys), _LETTERS_AT_ONCE):
        rows = QueuedLetter.objects.filter(pk__in=keys[start : start + _LETTERS_AT_ONCE]).order_by("pk")
        for sealed in seal_queued(rows, now):
            spool.write(sealed)
            parts.append((Part(parcel.digest(sealed), len(sealed)), parcel.peek(sealed).recipient_key_id))
    return parts


def _seal_pieces(chosen: _Chosen, spool: BinaryIO, now: datetime) -> list[tuple[Part, str]]:
    """Seal pieces of large files, as :func:`_seal` does letters: one at a time."""
    parts = []
    for row, numbers in chosen.pieces:
        for piece in files.sealed(row, numbers, now):
            spool.write(piece.parcel)
            part = Part(parcel.digest(piece.parcel), len(piece.parcel))
            parts.append((part, parcel.peek(piece.parcel).recipient_key_id))
    return parts


def _messages_as_parts(keys: Sequence[int]) -> tuple[list[Part], list[str], list[datetime]]:
    """The parts, the ids of the keys that they are sealed to, and when the messages end."""
    parts, key_ids, ends = [], [], []
    for key in keys:
        envelope, not_after = Outgoing.objects.values_list("envelope", "not_after").get(pk=key)
        content = bytes(envelope)
        parts.append(Part(hashlib.sha256(content).hexdigest(), len(content)))
        key_ids.append(parcel.peek(content).recipient_key_id)
        ends.append(not_after)
    return parts, key_ids, ends


def _key_times(recipient: str, key_ids: Sequence[str], now: datetime) -> tuple[int, datetime]:
    """How many of the parts are sealed to a key that has ended, and when the first of the keys ends."""
    until = {key.key_id: key.valid_until for key in directory.keys(recipient)}
    ends = [until.get(key_id, now) for key_id in key_ids]
    return sum(end <= now for end in ends), min(ends)


def _contents(messages: Sequence[int], spool: BinaryIO, letters: Sequence[int], progress: Progress) -> Iterator[bytes]:
    for key in messages:
        content = bytes(Outgoing.objects.values_list("envelope", flat=True).get(pk=key))
        yield content
        progress(len(content))
    spool.seek(0)
    for size in letters:
        yield spool.read(size)
        progress(size)


@transaction.atomic
def _note(exported: Exported, chosen: _Chosen, officer: Actor | None, now: datetime) -> None:
    """Only now, with the file on disk whole. What goes by line as well does not wait for the courier."""
    if way_to(exported.manifest.recipient).route is not Route.DIRECT:
        for model, keys in ((Outgoing, chosen.messages), (QueuedLetter, chosen.letters)):
            for start in range(0, len(keys), _ROWS_AT_ONCE):
                model._default_manager.filter(pk__in=keys[start : start + _ROWS_AT_ONCE]).update(handed_at=now)
        for row, numbers in chosen.pieces:
            files.handed(row.pk, numbers, now)
    office.audit(
        officer,
        "courier.exported",
        exported.manifest.recipient,
        now=now,
        detail={"file": exported.digest, "messages": exported.messages, "letters": exported.letters},
    )
