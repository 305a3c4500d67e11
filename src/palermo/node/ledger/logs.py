"""Which log is meant: this node's own and those of partners, where a lost log was followed by a new one.

An authority has one log, unless its storage was lost and its network's recovery key let it begin anew. Entries are
numbered on across its logs; leaves, tiles, checkpoints and proofs are those of one log, and count from its first entry.
"""

import re
from dataclasses import dataclass

from palermo.node.directory import queries as directory
from palermo.node.ledger.models import Log, NewLog
from palermo.sealing import new_log as sealed
from palermo.sealing import records
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import TrustError
from palermo.sealing.new_log import LogIdentity

_LATER = re.compile(r"/([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class OwnLog:
    """One of this node's logs. ``end``: the number after its last entry that is here; None for the log in use."""

    identity: LogIdentity
    end: int | None


def first_of(code: str) -> LogIdentity:
    """The log that an authority had from the beginning. Raises ``UnknownAuthorityError``."""
    own_one = code == directory.own_code()
    return LogIdentity(1, directory.own_log_origin() if own_one else directory.log_origin(code), 0)


def opened(row: NewLog) -> LogIdentity:
    """The log that an opening began."""
    return LogIdentity(row.number, row.origin, row.first)


def own() -> LogIdentity:
    """The log that this node appends to."""
    row = Log.objects.filter(pk=1).first()
    return identity(row) if row is not None else first_of(directory.own_code())


def identity(row: Log) -> LogIdentity:
    """The same, of the row that is held."""
    base = directory.own_log_origin()
    return LogIdentity(row.number, base if row.number == 1 else f"{base}/{row.number}", row.first)


def all_own() -> list[OwnLog]:
    """Every log of this node, the first first, by the openings that are kept."""
    new = list(NewLog.objects.filter(authority=directory.own_code()).order_by("number"))
    logs = [first_of(directory.own_code()), *map(opened, new)]
    return [OwnLog(log, end) for log, end in zip(logs, [*(row.kept for row in new), None], strict=True)]


def of_entry(index: int) -> LogIdentity:
    """The log of this node in which an entry stands."""
    present = own()
    if index >= present.first:
        return present
    return next(log.identity for log in reversed(all_own()) if log.identity.first <= index)


def of(partner: str) -> LogIdentity:
    """The log of a partner that this node knows to be in use. Raises ``UnknownAuthorityError``."""
    row = NewLog.objects.filter(authority=partner).order_by("-number").first()
    return opened(row) if row is not None else first_of(partner)


def number_of(code: str, checkpoint_text: str) -> int:
    """The number of the log that a checkpoint says to be of, among those that an authority has or could yet open.

    Raises FormatError for what is no checkpoint, and TrustError for a name that no log of the authority has.
    """
    origin = parse_checkpoint(checkpoint_text).origin
    base = first_of(code).origin
    if origin == base:
        return 1
    found = _LATER.fullmatch(origin.removeprefix(base)) if origin.startswith(base) else None
    if found is None or not 2 <= int(found[1]) <= sealed.MAX_LOGS:
        raise TrustError("checkpoint", f"is that of the log {origin!r}, not of {base!r}")
    return int(found[1])


def beginnings(log: LogIdentity) -> tuple[sealed.NewLog, ...]:
    """What traces a log of this node back to the name that the directory lists; empty for the first."""
    rows = NewLog.objects.filter(authority=directory.own_code(), number__lte=log.number).order_by("number")
    return tuple(read(row) for row in rows)


def told(log: LogIdentity) -> list[str] | None:
    """The partners to which the beginning of this node's log was sent; None for its first, of which all know."""
    row = NewLog.objects.filter(authority=directory.own_code(), number=log.number).first()
    return None if row is None else list(row.told)


def read(row: NewLog) -> sealed.NewLog:
    """A beginning as it came. Raises FormatError for one that was changed since."""
    return records.from_bytes(sealed.NewLog, bytes(row.record), "new log", max_bytes=sealed.MAX_OPENING_BYTES)
