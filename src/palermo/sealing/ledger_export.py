"""A part of a log as an auditor is shown it: kind, recipient and time of every leaf, no more, and all of it proven.

A file of JSON lines, each in canonical form. The first is a :class:`Heading`: which part of whose log, the signed
checkpoint, the subtrees beside the part (:func:`palermo.sealing.merkle.range_proof`), the signed directory and the
trust root it was imported under, and what witnesses signed beneath the checkpoint. Each further line is a
:class:`ShownLeaf`, in the log's order: the leaf with all its commitments, and three of its fields opened. What was not
opened stays hidden behind its salt; since every leaf of the part must be there for the root to come out, none can be
left out or added. A leaf whose values were destroyed when their retention ended is shown as expired, and counted.

Hostile input fails a step, never the program.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from palermo.sealing import records
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.directory import MAX_DIRECTORY_BYTES, Directory, TrustRoot, open_directory
from palermo.sealing.errors import BindingError, FormatError, SealingError
from palermo.sealing.leaf import OpenedField, verify_opened
from palermo.sealing.merkle import HASH_BYTES, leaf_hash, verify_range
from palermo.sealing.new_log import NewLog, log_of
from palermo.sealing.quorum import Cosignature, verify_quorum
from palermo.sealing.trust_root import Trust
from palermo.sealing.verify import Check, Verdict

FORMAT = "palermo-ledger-export/1"
SHOWN = ("kind", "counterparty", "recorded_at")
MAX_HEADING_BYTES = 2 * MAX_DIRECTORY_BYTES


@dataclass(frozen=True, kw_only=True)
class Heading:
    """Entries ``start`` to ``end`` (not included) of the log of ``size`` entries that ``checkpoint`` signs.

    Numbers are places in that log, from 0. ``new_logs``: where the authority lost a log, the beginnings of those that
    followed, up to this one (:mod:`palermo.sealing.new_log`).
    """

    format: str = records.always(FORMAT)
    authority: str
    start: int
    end: int
    size: int
    checkpoint: str
    proof: tuple[bytes, ...]
    directory: bytes
    trust_root: bytes
    cosignatures: tuple[Cosignature, ...] = ()
    new_logs: tuple[NewLog, ...] = ()

    def __post_init__(self) -> None:
        """Refuse another format, and a part that no log can have."""
        if self.format != FORMAT or not 0 <= self.start < self.end <= self.size:
            raise FormatError("heading", f"not {FORMAT}, or of entries that the log does not have")


@dataclass(frozen=True)
class ShownLeaf:
    """A leaf with all its commitments, and the fields of it that are shown.

    ``expired``: when its values were destroyed, and by which rule; nothing of it can be opened then. Of a leaf that was
    lost with the node's storage only its hash came back from a witness: ``lost_hash``, with no ``leaf``.
    """

    index: int
    leaf: bytes
    opened: tuple[OpenedField, ...]
    expired: str = ""
    lost_hash: bytes = b""

    def __post_init__(self) -> None:
        """Refuse a leaf that is both there and lost."""
        if self.lost_hash and (self.leaf or self.opened or not self.expired or len(self.lost_hash) != HASH_BYTES):
            raise FormatError("entry", "is shown as lost, and is not")


@dataclass(frozen=True)
class ExportReport:
    """The steps, the verdict, and what was shown: how many leaves of each kind went to whom, and the times between.

    ``expired``: how many leaves could not be opened any more, by what was said of each.
    """

    checks: tuple[Check, ...]
    verdict: Verdict
    fingerprint: str | None
    heading: Heading | None
    counts: Counter[tuple[str, str]]
    earliest: datetime | None
    latest: datetime | None
    expired: Counter[str]


def export_lines(heading: Heading, leaves: Iterable[ShownLeaf]) -> Iterator[bytes]:
    """The lines of the file, each with its end."""
    yield records.to_bytes(heading) + b"\n"
    for leaf in leaves:
        yield records.to_bytes(leaf) + b"\n"


def verify_export(lines: Iterable[bytes], trust_root: Trust | None) -> ExportReport:
    """Check a file, given line by line. Never raises for what is in it."""
    it = _Examination(iter(lines), trust_root)
    checks: list[Check] = []
    for number, (name, step) in enumerate(_STEPS, start=1):
        if any(check.ok is False for check in checks):
            checks.append(Check(number, name, None, "not reached"))
            continue
        try:
            checks.append(Check(number, name, *step(it), lacking=it.lacking and name == "witnesses"))
        except (SealingError, UnicodeDecodeError) as error:
            checks.append(Check(number, name, False, str(error)))
    verdict = Verdict.PROVEN if trust_root and not it.lacking else Verdict.UNPROVEN
    if any(check.ok is False for check in checks):
        verdict = Verdict.REFUSED
    fingerprint = trust_root.fingerprint if trust_root else None
    times = sorted(it.times)
    earliest, latest = (times[0], times[-1]) if times else (None, None)
    return ExportReport(tuple(checks), verdict, fingerprint, it.heading, it.counts, earliest, latest, it.expired)


_Result = tuple[bool | None, str]


@dataclass
class _Examination:
    """What the steps have established so far."""

    lines: Iterator[bytes]
    trust_root: Trust | None
    heading: Heading | None = None
    root: bytes = b""
    hashes: list[bytes] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    times: list[datetime] = field(default_factory=list)
    expired: Counter[str] = field(default_factory=Counter)
    directory: Directory | None = None
    lacking: bool = False

    @property
    def head(self) -> Heading:
        """The heading, once it was read."""
        if self.heading is None:
            raise FormatError("heading", "was not read")
        return self.heading


def _heading(it: _Examination) -> _Result:
    it.heading = records.from_bytes(Heading, _line(it, "heading"), "heading", max_bytes=MAX_HEADING_BYTES)
    head = it.heading
    return True, f"entries {head.start} to {head.end - 1} of the {head.size} in the log of {head.authority}"


def _checkpoint(it: _Examination) -> _Result:
    head = it.head
    directory = open_directory(head.directory, TrustRoot.from_bytes(head.trust_root))
    entry = directory.entry(head.authority)
    log = log_of(directory, head.authority, head.new_logs)
    signed = verify_checkpoint(head.checkpoint, *entry.verify_keys(), origin=log.origin)
    if signed.size != head.size:
        raise BindingError("checkpoint", f"is of {signed.size} entries, not of {head.size}")
    it.root, it.directory = signed.root, directory
    after = f", {log.origin}, which follows a lost one by leave of the recovery key" if log.number > 1 else ""
    return (
        True,
        f"{head.authority} signed its log of {head.size} entries{after} (directory version {directory.version})",
    )


def _leaves(it: _Examination) -> _Result:
    for index in range(it.head.start, it.head.end):
        part = f"entry {index}"
        shown = records.from_bytes(ShownLeaf, _line(it, part), part)
        if shown.index != index:
            raise BindingError(part, f"is missing: the line holds entry {shown.index}")
        values = {} if shown.lost_hash else verify_opened(shown.leaf, shown.opened)
        it.hashes.append(shown.lost_hash or leaf_hash(shown.leaf))
        if shown.expired and not values:
            it.expired[shown.expired] += 1
            continue
        if tuple(values) != SHOWN or shown.expired:
            raise FormatError(part, f"shows other fields than {', '.join(SHOWN)}")
        it.counts[values["kind"], values["counterparty"]] += 1
        it.times.append(records.parse_time(values["recorded_at"], part))
    if next(it.lines, None) is not None:
        raise FormatError("file", "goes on after its last entry")
    expired = it.expired.total()
    but = f", but for {expired} whose values were destroyed when their retention ended, or lost" if expired else ""
    return True, f"{len(it.hashes)} leaves, each with the fields {', '.join(SHOWN)} opened{but}"


def _root(it: _Examination) -> _Result:
    verify_range(it.hashes, it.head.start, it.head.size, it.head.proof, it.root)
    return True, "with the subtrees beside them the leaves give the signed root: none is missing, changed or added"


def _witnesses(it: _Examination) -> _Result:
    """Every cosignature that is there must verify; too few of them, where there could be enough, leave it unproven."""
    head = it.head
    if it.directory is None:
        raise FormatError("directory", "was not read")
    quorum = verify_quorum(head.checkpoint, head.cosignatures, it.directory, head.authority)
    it.lacking = quorum.possible and not quorum.reached
    return (True if quorum.reached else None), f"cosigned: {quorum}"


def _origin(it: _Examination) -> _Result:
    if it.trust_root is None:
        return None, "no trust root was given"
    open_directory(it.head.directory, it.trust_root)
    return True, f"the directory is signed by a founder of {it.trust_root.network!r}"


def _line(it: _Examination, part: str) -> bytes:
    line = next(it.lines, None)
    if line is None or not line.endswith(b"\n"):
        raise FormatError(part, "is cut off or missing")
    return line[:-1]


_STEPS = (
    ("heading", _heading),
    ("checkpoint", _checkpoint),
    ("leaves", _leaves),
    ("root", _root),
    ("witnesses", _witnesses),
    ("origin", _origin),
)
