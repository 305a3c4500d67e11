"""The courier's file in: each part is taken in as if a partner had posted it, and its receipt queued for the way back.

A file is refused as a whole only where nothing in it can be for this node: not a courier file, not signed by a member,
for another recipient, or so old that no key for it is left. Else a damaged part costs that part alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import collected
from palermo.node.exchange.collected import Brought, Outcome, Taken
from palermo.node.exchange.courier_contents import Progress
from palermo.node.exchange.wire import CLOCK_SKEW, LONGEST_LIFE
from palermo.node.office import actions as office
from palermo.node.office import policy
from palermo.node.office.errors import InvalidError
from palermo.node.office.policy import Actor
from palermo.sealing.courier import Carried, CourierFile, Manifest, open_stream
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.records import format_time

_BYTES_AT_ONCE = 8 * 2**20
_OLDEST = LONGEST_LIFE + own_keys.OVERLAP
"""A message lives so long at most, and its key opens as much longer: an older file holds nothing that can be taken."""


class CourierRefusalError(InvalidError):
    """Nothing of this file was read: the sentence says why."""


@dataclass(frozen=True, slots=True)
class PartFault:
    """A part that was not taken: its number in the file, from 1, and why."""

    number: int
    digest: str
    reason: str


@dataclass(slots=True)
class Imported:
    """What became of a file's parts. ``fault``: what is wrong with the file as a whole, "" where it is unbroken."""

    manifest: Manifest
    new: int = 0
    known: int = 0
    letters: int = 0
    rejected: list[PartFault] = field(default_factory=list)
    damaged: list[PartFault] = field(default_factory=list)
    later: list[PartFault] = field(default_factory=list)
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether every part was taken, now or before."""
        return not (self.rejected or self.damaged or self.later or self.fault)


def import_stream(
    stream: BinaryIO, *, now: datetime, officer: Actor | None = None, progress: Progress = lambda size: None
) -> Imported:
    """Take in a courier file. The same file again changes nothing, and queues the same receipts again.

    Raises :class:`CourierRefusalError`. A stop in the middle loses nothing: import the file again. ``officer``: who
    does it on a page; None for whoever has the node's home, who needs no permission.
    """
    if officer is not None:
        policy.require(officer, "courier.carry")
    file = _open(stream, now)
    done = Imported(file.manifest)
    for number, carried in _in_loads(file):
        _take_in(done, number, carried, now)
        progress(sum(item.part.size for item in carried))
    done.fault = file.fault
    office.audit(
        officer,
        "courier.imported",
        file.manifest.sender,
        now=now,
        detail={
            "made_at": format_time(file.manifest.made_at),
            "new": done.new,
            "known": done.known,
            "letters": done.letters,
            "rejected": len(done.rejected),
            "damaged": len(done.damaged),
            "later": len(done.later),
        },
    )
    return done


def _open(stream: BinaryIO, now: datetime) -> CourierFile:
    def keys_of(sender: str) -> list[VerifyKey]:
        return directory.verify_keys(directory.authority(sender).code, now)

    try:
        file = open_stream(stream, keys_of)
    except (SealingError, directory.DirectoryError) as error:
        raise CourierRefusalError(
            f"This is no courier file of a member ({error}). Nothing of it was read. If the stick is damaged at its "
            "beginning, ask the sender to export again."
        ) from error
    _refuse_misdirected(file.manifest, now)
    return file


def _refuse_misdirected(manifest: Manifest, now: datetime) -> None:
    own = directory.own_code()
    if manifest.recipient != own:
        raise CourierRefusalError(
            f"This file is for {manifest.recipient}; this node is {own}. Nothing of it was read: carry it on."
        )
    if manifest.made_at > now + CLOCK_SKEW:
        raise CourierRefusalError(
            f"This file was made at {format_time(manifest.made_at)}, and it is {format_time(now)} here. "
            "Set the clock that is wrong, and import it again."
        )
    ended = manifest.keys_end_at + own_keys.OVERLAP
    if ended <= now and manifest.made_at + _OLDEST <= now:
        raise CourierRefusalError(
            f"This file is of {format_time(manifest.made_at)}; the keys that it was sealed to were destroyed here from "
            f"{format_time(ended)} on. Ask {manifest.sender} to export anew."
        )


def _in_loads(file: CourierFile) -> Iterator[tuple[int, list[Carried]]]:
    """The parts, a few at once; each load with the number of its first part."""
    load, size, first = list[Carried](), 0, 1
    for carried in file.parts():
        load.append(carried)
        size += carried.part.size
        if size >= _BYTES_AT_ONCE or len(load) == collected.MOST_AT_ONCE:
            yield first, load
            load, size, first = [], 0, first + len(load)
    if load:
        yield first, load


def _take_in(done: Imported, first: int, load: list[Carried], now: datetime) -> None:
    whole = []
    for number, carried in enumerate(load, first):
        if carried.content is None:
            done.damaged.append(PartFault(number, carried.part.digest, carried.fault))
        else:
            whole.append((number, Brought(done.manifest.sender, carried.content)))
    outcomes = collected.take_in([brought for _, brought in whole], now=now)
    for (number, _), outcome in zip(whole, outcomes, strict=True):
        _count(done, number, outcome)


def _count(done: Imported, number: int, outcome: Outcome) -> None:
    fault = PartFault(number, outcome.digest, outcome.reason)
    match outcome.taken:
        case Taken.NEW:
            done.new += 1
        case Taken.KNOWN:
            done.known += 1
        case Taken.LETTER:
            done.letters += 1
        case Taken.REJECTED:
            done.rejected.append(fault)
        case Taken.NOT_YET:
            done.later.append(fault)
