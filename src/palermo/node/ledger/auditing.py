"""The audit of a whole log: everything derived again from the stored rows, held against a checkpoint from outside."""

from dataclasses import dataclass

from palermo.node.ledger.beginnings import Begun, begun
from palermo.node.ledger.checking import faults_of_logs
from palermo.node.ledger.models import Checkpoint
from palermo.node.ledger.notes import Outside
from palermo.node.ledger.rederiving import Progress
from palermo.node.ledger.rows import Fault
from palermo.node.ledger.snapshot import snapshot
from palermo.node.ledger.witness_checking import cosignature_faults, kept_faults, witnessed_faults


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. ``entries``: how many were derived again. ``first``: what does not fit earliest in the log.

    ``outside``: the checkpoint that the log was held against, if any; ``parts``: how it differs, "" where it does not.
    ``logs``: the logs that follow a lost one, and what each cites.
    """

    entries: int
    checkpoints: int
    faults: tuple[Fault, ...]
    outside: Outside | None
    parts: str
    logs: tuple[Begun, ...] = ()

    @property
    def first(self) -> Fault | None:
        """The fault that touches the earliest entry; among equals, the one that was found first."""
        of_log = [fault for fault in self.faults if fault.entry is not None]
        found = of_log or list(self.faults)
        return min(found, key=lambda fault: fault.entry or 0, default=None)

    @property
    def whole(self) -> bool:
        """Whether all fits."""
        return not self.faults and not self.parts


def audit(progress: Progress, outside: Outside | None = None) -> Audit:
    """Derive leaves, tiles and roots again from the stored rows, and hold everything signed against them.

    Of a log that was lost, what is still here is derived, and the opening of the one that follows is verified.
    """
    with snapshot():
        derived = faults_of_logs(progress, outside)
        found = [*derived.faults, *cosignature_faults(), *witnessed_faults(), *kept_faults()]
        checkpoints, logs = Checkpoint.objects.count(), tuple(begun())
    parts = "" if outside is None else _parting(outside, derived.entries_of(outside.log), derived.root, logs)
    return Audit(derived.entries, checkpoints, tuple(found), outside, parts, logs)


def _parting(outside: Outside, size: int, root: bytes | None, logs: tuple[Begun, ...]) -> str:
    """How a log differs from that of a checkpoint. ``root``: that of as many entries, None where there are fewer."""
    followed = next((one for one in logs if one.lost_origin == outside.log.origin), None)
    if root is None and followed is not None:
        if (outside.size, outside.root) == (followed.cited_size, followed.cited_root):
            return ""
        if outside.size < followed.cited_size:
            return (
                f"The checkpoint is of {outside.size} entries of {followed.lost_origin}, of which {size} are here. The "
                f"rest was lost before {followed.origin} was opened: hold it against a witness's copy."
            )
    if root is None:
        entry = outside.log.first + size
        return (
            f"The checkpoint is of {outside.size} entries; {size} could be derived here: entry {entry} and those after "
            "it are missing."
        )
    if root != outside.root:
        return (
            f"The checkpoint signs another root than that of the first {outside.size} entries here: this log and the "
            "one that it was signed for are two histories."
        )
    return ""
