"""A checkpoint of this node's log that comes from outside: from a witness, an envelope, or an auditor's drawer."""

from dataclasses import dataclass

from palermo.node.directory import cosigners
from palermo.node.directory import queries as directory
from palermo.node.ledger import logs
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.cosigned import own_witnesses
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import FormatError, UnknownKeyError
from palermo.sealing.new_log import LogIdentity
from palermo.sealing.quorum import Cosignature, Quorum, quorum_of

_NOTE_LINES = 6  # origin, size, root, an empty line, two signatures of the log; then two a witness


@dataclass(frozen=True, slots=True)
class Outside:
    """A checkpoint of one of this node's logs, verified, and who of the witnesses cosigned it."""

    log: LogIdentity
    size: int
    root: bytes
    checkpoint: str
    cosignatures: tuple[Cosignature, ...]

    @property
    def cosigned(self) -> Quorum:
        """Who of the witnesses that are listed now cosigned it."""
        return quorum_of(own_witnesses(), (found.witness for found in self.cosignatures))


def read_outside(text: str) -> Outside:
    """Read a checkpoint file, with cosignatures beneath it or without.

    Raises ``SealingError`` for what is no checkpoint of this node's log, and for a cosignature that does not verify.
    """
    lines = text.split("\n")
    note, beneath = "\n".join([*lines[:_NOTE_LINES], ""]), lines[_NOTE_LINES:]
    if not beneath or beneath.pop() != "" or len(beneath) % 2:
        raise FormatError("checkpoint", "does not end as a note does, with whole lines, two a witness")
    number = logs.number_of(directory.own_code(), note)
    signed = verify_checkpoint(note, *own_verify_keys())
    log = next((one.identity for one in logs.all_own() if one.identity.number == number), None)
    if log is None:
        raise UnknownKeyError("checkpoint", f"is of the log {signed.origin}, which this node never opened")
    witnesses = {directory.log_origin(code): code for code in own_witnesses()}
    cosignatures = []
    for first, second in zip(beneath[::2], beneath[1::2], strict=True):
        name, pair = first.split(" ")[1] if first.count(" ") == 2 else "", f"{first}\n{second}\n"
        if name not in witnesses:
            raise UnknownKeyError("cosignature", f"under the name {name[:60]!r} is of no listed witness")
        cosigners.verify_kept(witnesses[name], note, pair)
        cosignatures.append(Cosignature(witnesses[name], pair))
    return Outside(log, signed.size, signed.root, note, tuple(cosignatures))
