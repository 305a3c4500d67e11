"""The audit of a whole log: everything derived again from the stored rows, held against a checkpoint from outside."""

from dataclasses import dataclass

from palermo.node.directory import queries as directory
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.checking import Progress, Rederivation
from palermo.node.ledger.cosigned import own_witnesses
from palermo.node.ledger.models import Checkpoint
from palermo.node.ledger.rows import Fault
from palermo.node.ledger.snapshot import snapshot
from palermo.node.ledger.witness_checking import cosignature_faults, kept_faults, witnessed_faults
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.cosignature import verify_cosignature
from palermo.sealing.errors import FormatError, UnknownKeyError
from palermo.sealing.quorum import Quorum, quorum_of

_NOTE_LINES = 6  # origin, size, root, an empty line, two signatures of the log; then two a witness


@dataclass(frozen=True, slots=True)
class Outside:
    """A checkpoint of this log that came from outside, verified, and who of the witnesses cosigned it."""

    size: int
    root: bytes
    cosigned: Quorum


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found. ``entries``: how many were derived again. ``first``: what does not fit earliest in the log.

    ``outside``: the checkpoint that the log was held against, if any; ``parts``: how it differs, "" where it does not.
    """

    entries: int
    checkpoints: int
    faults: tuple[Fault, ...]
    outside: Outside | None
    parts: str

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


def read_outside(text: str) -> Outside:
    """A checkpoint file: from a witness, an envelope or an auditor's note, with cosignatures beneath it or without.

    Raises ``SealingError`` for what is no checkpoint of this node's log, and for a cosignature that does not verify.
    """
    lines = text.split("\n")
    note, beneath = "\n".join([*lines[:_NOTE_LINES], ""]), lines[_NOTE_LINES:]
    if not beneath or beneath.pop() != "" or len(beneath) % 2:
        raise FormatError("checkpoint", "does not end as a note does, with whole lines, two a witness")
    signed = verify_checkpoint(note, *own_verify_keys(), origin=directory.own_log_origin())
    witnesses = {directory.log_origin(code): code for code in own_witnesses()}
    cosigned = []
    for first, second in zip(beneath[::2], beneath[1::2], strict=True):
        name = first.split(" ")[1] if first.count(" ") == 2 else ""
        if name not in witnesses:
            raise UnknownKeyError("cosignature", f"under the name {name[:60]!r} is of no listed witness")
        code = witnesses[name]
        verify_cosignature(note, f"{first}\n{second}\n", name, directory.cosigner_key(code))
        cosigned.append(code)
    return Outside(signed.size, signed.root, quorum_of(own_witnesses(), cosigned))


def audit(progress: Progress, outside: Outside | None = None) -> Audit:
    """Derive leaves, tiles and roots again from the stored rows, and hold everything signed against them."""
    with snapshot():
        derived = Rederivation(progress, frozenset() if outside is None else frozenset({outside.size}))
        found = [*derived.faults(), *cosignature_faults(), *witnessed_faults(), *kept_faults()]
        checkpoints = Checkpoint.objects.count()
    parts = "" if outside is None else _parting(outside, derived)
    return Audit(derived.size, checkpoints, tuple(found), outside, parts)


def _parting(outside: Outside, derived: Rederivation) -> str:
    root = derived.roots.get(outside.size)
    if root is None:
        return (
            f"The checkpoint is of {outside.size} entries; {derived.size} could be derived here: entry {derived.size} "
            "and those after it are missing."
        )
    if root != outside.root:
        return (
            f"The checkpoint signs another root than that of the first {outside.size} entries here: this log and the "
            "one that it was signed for are two histories."
        )
    return ""
