"""This node's own checkpoints with what witnesses signed beneath them, and how far each witness has come."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from palermo.node.directory import queries as directory
from palermo.node.ledger import logs
from palermo.node.ledger.models import Checkpoint, Witness
from palermo.node.office.errors import NotFoundError
from palermo.sealing.new_log import LogIdentity
from palermo.sealing.quorum import Cosignature, Quorum, quorum_of


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A signed checkpoint of this node's log ``log``, of ``size`` leaves, and its witnesses' cosignatures, by code.

    ``count``: who of the witnesses that the directory in force lists signed, and whether that is a quorum.
    """

    size: int
    checkpoint: str
    signed_at: datetime
    cosignatures: tuple[Cosignature, ...]
    count: Quorum
    log: LogIdentity

    def covers(self, index: int) -> bool:
        """Whether the entry of that number is among those signed."""
        return self.log.first <= index < self.log.first + self.size

    @property
    def quorum(self) -> bool:
        """Whether more than half of the listed witnesses signed, from at least two states."""
        return self.count.reached

    @property
    def note(self) -> str:
        """Checkpoint and cosignatures as the one note that any client of C2SP reads."""
        return self.checkpoint + "".join(cosignature.lines for cosignature in self.cosignatures)


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """A listed witness: how many entries of this node's log it holds, when it last answered, why it did not sign."""

    code: str
    jurisdiction: str
    held: int
    answered_at: datetime | None
    refusal: str = ""


def own_witnesses() -> dict[str, str]:
    """The witnesses of this node's log: code to state (jurisdiction)."""
    return {code: directory.authority(code).jurisdiction for code in directory.witnesses()}


def quorum_possible() -> bool:
    """Whether the directory lists witnesses of at least two states. If not, nothing is worth waiting for."""
    return quorum_of(own_witnesses(), ()).possible


def cosigned(size: int, log: LogIdentity | None = None) -> Cosigned:
    """The checkpoint of that size with what has been cosigned so far. Raises ``NotFoundError`` where there is none.

    ``log``: of which log; that in use by default.
    """
    log = log or logs.own()
    row = own_checkpoints(log).filter(size=size).prefetch_related("cosignatures").first()
    if row is None:
        raise NotFoundError
    return _cosigned(row, own_witnesses(), log)


def newest_cosigned(log: LogIdentity | None = None) -> Cosigned | None:
    """The newest checkpoint that a quorum of witnesses cosigned; None before the first, or where none is possible.

    ``log``: of which log; that in use by default.
    """
    log = log or logs.own()
    witnesses = own_witnesses()
    if not quorum_of(witnesses, ()).possible:
        return None
    signed = own_checkpoints(log).filter(cosignatures__isnull=False).distinct().prefetch_related("cosignatures")
    for row in signed.iterator(chunk_size=10):
        found = _cosigned(row, witnesses, log)
        if found.quorum:
            return found
    return None


def witness_rows() -> list[WitnessRow]:
    """Every listed witness, by code."""
    known = Witness.objects.in_bulk()
    rows = []
    for code, state in sorted(own_witnesses().items()):
        row = known.get(code)
        state_here = (row.held, row.answered_at, row.refusal) if row else (0, None, "")
        rows.append(WitnessRow(code, state, *state_here))
    return rows


def own_checkpoints(log: LogIdentity | None = None) -> QuerySet[Checkpoint]:
    """This node's checkpoints of a log, that in use by default, newest first."""
    return Checkpoint.objects.filter(origin=(log or logs.own()).origin).order_by("-size")


def as_cosigned(row: Checkpoint, log: LogIdentity) -> Cosigned:
    """A checkpoint of that log with what has been cosigned so far."""
    return _cosigned(row, own_witnesses(), log)


def _cosigned(row: Checkpoint, witnesses: dict[str, str], log: LogIdentity) -> Cosigned:
    signed = sorted(row.cosignatures.all(), key=lambda cosignature: cosignature.witness)
    return Cosigned(
        size=row.size,
        checkpoint=row.text,
        signed_at=row.signed_at,
        cosignatures=tuple(Cosignature(found.witness, found.lines) for found in signed),
        count=quorum_of(witnesses, (found.witness for found in signed)),
        log=log,
    )
