"""What opened the logs that follow a lost one, this node's own and partners', and whether it still holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from palermo.node.directory import queries as directory
from palermo.node.ledger import logs
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.models import Checkpoint, Entry, Log, NewLog
from palermo.node.ledger.rows import Fault
from palermo.sealing import new_log as sealed
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import BindingError, SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.new_log import LogIdentity, Opening


@dataclass(frozen=True, slots=True)
class Begun:
    """A log of an authority that follows a lost one. ``cited_size``, ``cited_root``: of the lost log's last checkpoint
    that was cosigned, by ``cosigned_by``; 0 and b"" where it had none. Entries from ``kept`` up to ``first`` are lost.
    """

    authority: str
    number: int
    origin: str
    first: int
    lost_origin: str
    kept: int
    cited_size: int
    cited_root: bytes
    cosigned_by: tuple[str, ...]


def begun(code: str = "") -> Iterator[Begun]:
    """The logs that an authority (this node's own by default) opened after a loss, in order. Raises SealingError."""
    for row in NewLog.objects.filter(authority=code or directory.own_code()).order_by("number"):
        opening = claimed(row)
        cited = parse_checkpoint(opening.checkpoint) if opening.checkpoint else None
        yield Begun(
            authority=row.authority,
            number=row.number,
            origin=row.origin,
            first=row.first,
            lost_origin=opening.lost_origin,
            kept=row.kept,
            cited_size=cited.size if cited else 0,
            cited_root=cited.root if cited else b"",
            cosigned_by=tuple(found.witness for found in opening.cosignatures),
        )


def claimed(row: NewLog) -> Opening:
    """What an opening says, as it is stored; it was verified when it was taken. Raises FormatError."""
    return sealed.claimed_opening(logs.read(row).statement)


def beginning_faults() -> Iterator[Fault]:
    """Every opening verified again, each against the log before it; own ones against the entry that they are."""
    known = [directory.own_log_origin()]
    for code in [directory.own_code(), *_partners()]:
        own = code == directory.own_code()
        after = logs.first_of(code)
        for row in NewLog.objects.filter(authority=code).order_by("number"):
            where = f"log {row.number} of {code}"
            try:
                after = _verified(row, after, own_verify_keys() if own else directory.verify_keys(code))
            except (SealingError, directory.DirectoryError) as error:
                yield Fault("new log", where, str(error), row.first if own else None)
                break
            if own:
                known.append(row.origin)
                yield from _first_entry(row, where)
    in_use = Log.objects.filter(pk=1).values_list("number", flat=True).first() or 1
    if in_use != len(known):
        yield Fault("new log", f"log {in_use}", "is in use, and its opening is missing")
    for origin in Checkpoint.objects.exclude(origin__in=known).values_list("origin", flat=True).distinct():
        yield Fault("ledger checkpoint", f"under the name {origin[:80]}", "is of a log that this node never opened")


def _partners() -> list[str]:
    codes = NewLog.objects.exclude(authority=directory.own_code()).values_list("authority", flat=True)
    return sorted(set(codes))


def _verified(row: NewLog, after: LogIdentity, keys: list[VerifyKey]) -> LogIdentity:
    new = logs.read(row)
    opening = sealed.verify_new_log(
        new,
        after,
        network=directory.trust_root().network,
        authority=row.authority,
        recovery_keys=directory.recovery_keys(),
        keys=keys,
    )
    said = (opening.number, opening.origin, opening.first, opening.kept, leaf_hash(new.leaf))
    if said != (row.number, row.origin, row.first, row.kept, bytes(row.leaf_hash)):
        raise BindingError("its row", "is not what the opening says")
    return opening.log


def _first_entry(row: NewLog, where: str) -> Iterator[Fault]:
    leaf = Entry.objects.filter(index=row.first).values_list("leaf", flat=True).first()
    if leaf is None or leaf_hash(bytes(leaf)) != bytes(row.leaf_hash):
        yield Fault("new log", where, f"does not begin with its opening: entry {row.first} is another", row.first)
