"""What a log and its witnesses write to one another, each a record in the body of a letter.

A log asks for a cosignature with its signed checkpoint and the hashes of the leaves that the witness does not hold yet:
a run of the level-0 tiles of C2SP tlog-tiles. No value, name or salt is among them. The witness, which keeps the tiles,
derives the root itself; so it needs no consistency proof, and can give the tiles back to a log that lost them. Whoever
keeps no tiles asks for a consistency proof between two checkpoints instead (RFC 9162 section 2.1.4).
"""

from dataclasses import dataclass

from palermo.sealing import records
from palermo.sealing.canonical import MAX_INTEGER
from palermo.sealing.errors import FormatError
from palermo.sealing.merkle import HASH_BYTES
from palermo.sealing.new_log import MAX_LOGS, NewLog

COSIGN = "ledger.cosign+v1"
COSIGNED = "ledger.cosigned+v1"
WANT_TILES = "ledger.want-tiles+v1"
TILES = "ledger.tiles+v1"
WANT_PROOF = "ledger.want-proof+v1"
PROOF = "ledger.proof+v1"
NEW_LOGS = "ledger.new-logs+v1"
NEW_LOG_REFUSED = "ledger.new-log-refused+v1"

MAX_LEAVES = 16_384
"""How many leaf hashes one letter carries: 512 KiB, 64 full tiles."""

MAX_PROOF = 130


@dataclass(frozen=True)
class CosignRequest:
    """Please cosign ``checkpoint``. ``hashes``: of the leaves from ``start`` up to its size, 32 bytes each, joined."""

    checkpoint: str
    start: int
    hashes: bytes

    def __post_init__(self) -> None:
        """Refuse what is no run of hashes."""
        _check_run("request for a cosignature", self.start, self.hashes)


@dataclass(frozen=True)
class CosignAnswer:
    """``lines`` cosign the log's checkpoint of ``size`` entries; "" where the witness did not, for ``reason``.

    ``held`` is the newest checkpoint of the log that the witness cosigned, "" for none: the log goes on from there.
    """

    size: int
    lines: str
    held: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse a size that no log has."""
        _check_number("cosignature", self.size)


@dataclass(frozen=True)
class TilesRequest:
    """Please give back what you keep of my log, from that leaf on."""

    start: int

    def __post_init__(self) -> None:
        """Refuse a leaf that no log has."""
        _check_number("request for tiles", self.start)


@dataclass(frozen=True)
class TilesAnswer:
    """Leaf hashes from ``start`` on, joined, as many as fit; ``held`` is cosigned by ``lines``, both "" for none."""

    start: int
    hashes: bytes
    held: str
    lines: str

    def __post_init__(self) -> None:
        """Refuse what is no run of hashes."""
        _check_run("tiles", self.start, self.hashes)


@dataclass(frozen=True)
class ProofRequest:
    """Please prove that your signed checkpoint of ``new`` entries continues that of ``old``."""

    old: int
    new: int

    def __post_init__(self) -> None:
        """Refuse sizes between which there is no proof."""
        if not 0 < self.old < self.new < MAX_INTEGER:
            raise FormatError("request for a proof", f"there is none from {self.old} to {self.new} entries")


@dataclass(frozen=True)
class ProofAnswer:
    """The consistency proof from ``old`` to ``new`` entries."""

    old: int
    new: int
    hashes: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Refuse what is no proof."""
        if not 0 < self.old < self.new < MAX_INTEGER or len(self.hashes) > MAX_PROOF:
            raise FormatError("consistency proof", "of sizes that no log has, or too long")


@dataclass(frozen=True)
class NewLogs:
    """My log was lost: these followed it, in order (:mod:`palermo.sealing.new_log`)."""

    new_logs: tuple[NewLog, ...]

    def __post_init__(self) -> None:
        """Refuse none, and more than anybody may open."""
        if not 1 <= len(self.new_logs) <= MAX_LOGS:
            raise FormatError("new logs", f"not 1 to {MAX_LOGS} of them")


@dataclass(frozen=True)
class NewLogAnswer:
    """I do not take your new log, for that reason."""

    reason: str


def split(hashes: bytes) -> list[bytes]:
    """The single hashes of a run."""
    return [hashes[place : place + HASH_BYTES] for place in range(0, len(hashes), HASH_BYTES)]


def read(record: type[records.Record], body: bytes) -> records.Record:
    """Read a letter's body. Raises FormatError."""
    return records.from_bytes(record, body, "letter body")


def _check_run(part: str, start: int, hashes: bytes) -> None:
    _check_number(part, start)
    if len(hashes) % HASH_BYTES or len(hashes) > MAX_LEAVES * HASH_BYTES:
        raise FormatError(part, f"not at most {MAX_LEAVES} hashes of {HASH_BYTES} bytes")


def _check_number(part: str, number: int) -> None:
    if not 0 <= number < MAX_INTEGER:
        raise FormatError(part, "names a size that no log has")
