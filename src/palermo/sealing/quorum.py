"""When a checkpoint counts as witnessed: more than half of the log's witnesses cosigned it, from at least two states.

The directory lists the witnesses; an authority never counts as a witness of its own log. One rule for the node that
gathers cosignatures and for whoever checks them offline years later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from palermo.sealing.cosignature import CosignerPublicKey, verify_cosignature
from palermo.sealing.directory import Directory
from palermo.sealing.errors import FormatError, TrustError

STATES = 2
"""From how many states witnesses must come at least."""

MAX_WITNESSES = 256


@dataclass(frozen=True)
class Cosignature:
    """A witness, by its code, and its two signature lines for a checkpoint that stands beside."""

    witness: str
    lines: str


@dataclass(frozen=True)
class Quorum:
    """Who of the listed witnesses signed. ``listed`` and ``signed``: codes; ``states``: of those who signed, sorted."""

    listed: tuple[str, ...]
    signed: tuple[str, ...]
    states: tuple[str, ...]
    possible: bool

    @property
    def needed(self) -> int:
        """How many must sign: more than half."""
        return len(self.listed) // 2 + 1

    @property
    def reached(self) -> bool:
        """Whether enough signed, from enough states."""
        return self.possible and len(self.signed) >= self.needed and len(self.states) >= STATES

    def __str__(self) -> str:
        """For people: how many of how many, from which states."""
        if not self.possible:
            return "this network lists no witnesses of two states, so no quorum is possible"
        states = f", from {', '.join(self.states)}" if self.states else ""
        return (
            f"{len(self.signed)} of {len(self.listed)} witnesses{states}; {self.needed} of {STATES} states are needed"
        )


def quorum_of(listed: Mapping[str, str], signed: Iterable[str]) -> Quorum:
    """Count. ``listed``: the log's witnesses, code to state, the log's own authority not among them."""
    counted = tuple(sorted(set(signed) & listed.keys()))
    states = tuple(sorted({listed[code] for code in counted}))
    return Quorum(tuple(sorted(listed)), counted, states, possible=len(set(listed.values())) >= STATES)


def listed_witnesses(directory: Directory, authority: str) -> dict[str, str]:
    """The witnesses of an authority's log, code to state: those listed that have a key, but not itself."""
    entries = (directory.entry(code) for code in directory.witnesses if code != authority)
    return {entry.code: entry.jurisdiction for entry in entries if entry.cosigner_key}


def verify_quorum(
    checkpoint_text: str, cosignatures: Iterable[Cosignature], directory: Directory, authority: str
) -> Quorum:
    """Verify each cosignature of an authority's checkpoint under the directory's keys, and count them.

    Raises FormatError for too many or two of one witness, TrustError for one that is no listed witness of this log,
    and SealingError for one that does not verify: none is passed over in silence.
    """
    listed = listed_witnesses(directory, authority)
    signed: list[str] = []
    for cosignature in cosignatures:
        code = cosignature.witness
        if code in signed or len(signed) >= MAX_WITNESSES:
            raise FormatError("cosignatures", f"two of {code[:40]!r}, or more than {MAX_WITNESSES}")
        if code not in listed:
            raise TrustError("cosignature", f"{code[:40]!r} is no listed witness of the log of {authority}")
        entry = directory.entry(code)
        key = CosignerPublicKey.from_bytes(entry.cosigner_key)
        verify_cosignature(checkpoint_text, cosignature.lines, entry.log_origin, key)
        signed.append(code)
    return quorum_of(listed, signed)
