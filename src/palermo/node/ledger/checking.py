"""Reading all logs of this node again: does everything stored still fit together, and if not, what is damaged?

How one log is derived: :mod:`palermo.node.ledger.rederiving`; what opened those that follow a lost one:
:mod:`palermo.node.ledger.beginnings`; what was kept of other logs, and what witnesses signed:
:mod:`palermo.node.ledger.witness_checking`.
"""

from dataclasses import dataclass, field

from palermo.node.ledger import logs
from palermo.node.ledger.beginnings import beginning_faults
from palermo.node.ledger.notes import Outside
from palermo.node.ledger.rederiving import Progress, Rederivation
from palermo.node.ledger.rows import Fault
from palermo.node.ledger.snapshot import snapshot
from palermo.node.ledger.witness_checking import cosignature_faults, kept_faults, witnessed_faults
from palermo.sealing.new_log import LogIdentity


def check(progress: Progress = lambda done: None) -> list[Fault]:
    """Everything in the log that does not fit, what comes first in the log first; empty when all is whole."""
    with snapshot():
        derived = faults_of_logs(progress)
        return [*derived.faults, *cosignature_faults(), *witnessed_faults(), *kept_faults()]


@dataclass
class Derived:
    """What was derived of all logs. ``sizes``: how many entries of each are here, by its number.

    ``root``: that of the log, at the size, of the checkpoint that they are held against; None where there are fewer.
    """

    faults: list[Fault] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    root: bytes | None = None

    @property
    def entries(self) -> int:
        """How many entries were derived again."""
        return sum(self.sizes.values())

    def entries_of(self, log: LogIdentity) -> int:
        """How many of them are of that log."""
        return self.sizes.get(log.number, 0)


def faults_of_logs(progress: Progress = lambda done: None, outside: Outside | None = None) -> Derived:
    """Derive each log of this node, from the first to the one in use, and what opened those that follow a lost one."""
    found = Derived()
    for one in logs.all_own():
        wanted = outside is not None and outside.log == one.identity
        at = frozenset({outside.size}) if outside is not None and wanted else frozenset[int]()
        derived = Rederivation(_going_on(progress, found.entries), at, one)
        found.faults += derived.faults()
        found.sizes[one.identity.number] = derived.size
        if outside is not None and wanted:
            found.root = derived.roots.get(outside.size)
    found.faults += beginning_faults()
    return found


def _going_on(progress: Progress, before: int) -> Progress:
    return lambda done: progress(before + done)
