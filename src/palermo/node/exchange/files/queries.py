"""Reads of large files: how far each is, of both directions."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.exchange.files import store
from palermo.node.exchange.files.models import IncomingFile, OutgoingFile
from palermo.node.exchange.files.states import ARRIVING_OPEN, SENDING_OPEN, Arriving
from palermo.node.office import policy
from palermo.node.office.policy import Actor

PAGE = 50


@dataclass(frozen=True, slots=True)
class FileRow:
    """How far one file is. ``direction``: "out" or "in"; ``partner``: the other authority; ``size`` in bytes.

    ``pieces``: how many there are, 0 while that is not known; ``arrived``: how many the recipient has (of ours: as it
    last said). ``problem``: what keeps it, as a sentence, "" if nothing does; ``reason``: why it was refused or ended.
    """

    file_id: str
    direction: str
    partner: str
    message_id: str
    subject: str
    size: int
    state: str
    arrived: int
    pieces: int
    problem: str
    reason: str
    created_at: datetime
    not_after: datetime
    settled_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it the recipient has, of a hundred, rounded down."""
        if self.state in ("whole", "taken"):
            return 100
        return 100 * self.arrived // self.pieces if self.pieces else 0

    @property
    def under_way(self) -> bool:
        """Whether it still moves."""
        return self.state in (*SENDING_OPEN, *ARRIVING_OPEN)


def files(*, settled: bool = True) -> list[FileRow]:
    """Files of both directions, newest first: all under way, and the last :data:`PAGE` settled. For the terminal."""
    ours, theirs = OutgoingFile.objects.order_by("-pk"), IncomingFile.objects.defer("payload").order_by("-pk")
    sending, arriving = [state.value for state in SENDING_OPEN], [state.value for state in ARRIVING_OPEN]
    found = [*map(_outgoing, ours.filter(state__in=sending)), *map(_incoming, theirs.filter(state__in=arriving))]
    if settled:
        found += map(_outgoing, ours.exclude(state__in=sending)[:PAGE])
        found += map(_incoming, theirs.exclude(state__in=arriving)[:PAGE])
    return sorted(found, key=lambda row: (row.created_at, row.file_id), reverse=True)


def files_for(officer: Actor) -> list[FileRow]:
    """The same, for who may see the post."""
    policy.require(officer, "message.read")
    return files()


def of_message(message_id: str) -> list[FileRow]:
    """The files that travel beside a message. Internal: the caller has decided access."""
    ours = OutgoingFile.objects.filter(message_id=message_id).order_by("pk")
    theirs = IncomingFile.objects.defer("payload").filter(message_id=message_id).order_by("pk")
    return [*map(_outgoing, ours), *map(_incoming, theirs)]


def of_subject(subject: str) -> list[FileRow]:
    """The files about one thing of an app, such as a package of ours. Internal: the caller has decided access."""
    ours = OutgoingFile.objects.filter(subject=subject).order_by("pk")
    theirs = IncomingFile.objects.defer("payload").filter(subject=subject).order_by("pk")
    return [*map(_outgoing, ours), *map(_incoming, theirs)]


def _outgoing(row: OutgoingFile) -> FileRow:
    return _row(row, "out", row.recipient, row.arrived)


def _incoming(row: IncomingFile) -> FileRow:
    arrived = len(store.pieces_here(row.file_id)) if row.state == Arriving.ARRIVING else row.pieces
    return _row(row, "in", row.sender, arrived)


def _row(row: OutgoingFile | IncomingFile, direction: str, partner: str, arrived: int) -> FileRow:
    return FileRow(
        file_id=row.file_id,
        direction=direction,
        partner=partner,
        message_id=row.message_id,
        subject=row.subject,
        size=row.size,
        state=row.state,
        arrived=arrived,
        pieces=row.pieces,
        problem=row.last_error,
        reason=row.reason,
        created_at=row.created_at,
        not_after=row.not_after,
        settled_at=row.settled_at,
    )
