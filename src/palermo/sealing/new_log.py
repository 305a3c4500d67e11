"""A new log where the old one was lost: the directory's recovery key signs its opening, which cites the old one.

A log whose storage was lost, and of which no witness keeps the tiles, cannot be continued. What the network agreed to
take in its place begins with an entry that commits to an :class:`Opening`: whose log was lost, the last checkpoint of
it that was cosigned, and the name of the log that follows. The recovery key of the directory signs the opening; nobody
takes a new log without it. Opening, first leaf and the checkpoint of that one entry travel together as a
:class:`NewLog`, from which alone everything follows: whoever holds a proof from the new log can trace it to the
name that the directory lists.

Entries are numbered on across an authority's logs: ``first`` is the number of a log's first entry, so that a number
that a receipt or a statement gave out never means two entries.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from palermo.sealing import dsse, records
from palermo.sealing.checkpoint import Checkpoint, verify_checkpoint
from palermo.sealing.directory import Directory
from palermo.sealing.errors import BindingError, FormatError, TrustError
from palermo.sealing.keys import Signer, VerifyKey
from palermo.sealing.leaf import OpenedField, verify_opened
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.quorum import MAX_WITNESSES, Cosignature

OPENING_TYPE = "application/vnd.palermo.log-opening.v1"
OPENING_FIELD = "opening_sha256"
OPENED = "ledger.opened"
"""The kind of a new log's first entry."""

SHOWN = ("kind", OPENING_FIELD)
MAX_OPENING_BYTES = 4 << 20
MAX_LOGS = 100
"""How often an authority may begin anew: a bound on what a reader follows."""


@dataclass(frozen=True)
class LogIdentity:
    """One log of an authority: the how-manieth it is, its name, and the number of its first entry in the ledger."""

    number: int
    origin: str
    first: int


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What the recovery key signs. ``number``: 2 for the first new log of an authority.

    ``checkpoint``: the last of the lost log that was cosigned, with its ``cosignatures``; "" where it never was signed.
    ``kept``: up to which number the authority still holds entries of the lost log. ``first``: the number of the new
    log's first entry, after all that are kept and all that the checkpoint counts.
    """

    network: str
    authority: str
    number: int
    origin: str
    lost_origin: str
    checkpoint: str
    cosignatures: tuple[Cosignature, ...]
    kept: int
    first: int
    drafted_at: datetime

    def __post_init__(self) -> None:
        """Refuse a name that does not follow from the lost log's, and numbers that leave no order."""
        if not 2 <= self.number <= MAX_LOGS or self.origin != next_origin(self.lost_origin, self.number):
            raise FormatError("opening", "names a log that does not follow the lost one")
        if not 0 <= self.kept <= self.first or len(self.cosignatures) > MAX_WITNESSES:
            raise FormatError("opening", "its first entry has a number that was given out before")

    @property
    def log(self) -> LogIdentity:
        """The log that it opens."""
        return LogIdentity(self.number, self.origin, self.first)


@dataclass(frozen=True)
class NewLog:
    """A new log's beginning: the signed opening, the leaf that commits to it, and the checkpoint of that one entry."""

    statement: bytes
    leaf: bytes
    opened: tuple[OpenedField, ...]
    checkpoint: str


def next_origin(origin: str, number: int) -> str:
    """The name of the log that follows one: ``palermo/AA-POL`` is followed by ``palermo/AA-POL/2``, then ``/3``."""
    base = origin if number == 2 else origin.removesuffix(f"/{number - 1}")
    return f"{base}/{number}"


def sign_opening(opening: Opening, key: Signer) -> bytes:
    """The opening under the recovery key's signature."""
    return dsse.sign(OPENING_TYPE, records.to_bytes(opening), key)


def open_opening(statement: bytes, recovery_keys: Iterable[VerifyKey]) -> Opening:
    """The opening, its signature verified under a recovery key. Raises FormatError, UnknownKeyError, SignatureError."""
    if len(statement) > MAX_OPENING_BYTES:
        raise FormatError("opening", "is too long")
    verified = dsse.verify(statement, dsse.by_id(*recovery_keys), payload_type=OPENING_TYPE, part="opening")
    return records.from_bytes(Opening, verified.payload, "opening", max_bytes=MAX_OPENING_BYTES)


def claimed_opening(statement: bytes) -> Opening:
    """What an opening claims, its signature not verified: to show it, or to learn which log it is of. FormatError."""
    if len(statement) > MAX_OPENING_BYTES:
        raise FormatError("opening", "is too long")
    payload = dsse.parse(statement, "opening").payload
    return records.from_bytes(Opening, payload, "opening", max_bytes=MAX_OPENING_BYTES)


def opening_digest(statement: bytes) -> str:
    """SHA-256 in hex of the signed opening: the value of the first leaf's field :data:`OPENING_FIELD`."""
    return hashlib.sha256(statement).hexdigest()


def cited_checkpoint(opening: Opening, keys: Iterable[VerifyKey]) -> Checkpoint | None:
    """The lost log's checkpoint that an opening cites, verified; None where it cites none. Raises SealingError."""
    if not opening.checkpoint:
        return None
    return verify_checkpoint(opening.checkpoint, *keys, origin=opening.lost_origin)


def verify_new_log(
    new: NewLog,
    after: LogIdentity,
    *,
    network: str,
    authority: str,
    recovery_keys: Iterable[VerifyKey],
    keys: Sequence[VerifyKey],
) -> Opening:
    """Check that a log may follow ``after``; what its opening says.

    1. the recovery key signed the opening; 2. it is of this network and authority, and follows that log; 3. the
    authority signed the checkpoint that it cites; 4. the first leaf commits to it; 5. the authority signed a checkpoint
    of that one leaf under the new name. Cosignatures of the cited checkpoint are for who signs the opening, and for
    partners, to check. ``keys``: the authority's. Raises SealingError at the first step that fails.
    """
    opening = open_opening(new.statement, recovery_keys)
    if (opening.network, opening.authority) != (network, authority):
        raise TrustError("opening", f"is of a log of {opening.authority[:40]!r} in {opening.network[:40]!r}")
    if (opening.number, opening.lost_origin) != (after.number + 1, after.origin):
        raise BindingError("opening", f"follows {opening.lost_origin[:80]!r}, not {after.origin}")
    cited = cited_checkpoint(opening, keys)
    if opening.first < after.first + (cited.size if cited else 0):
        raise BindingError("opening", "gives its first entry a number that the lost log gave out")
    opened = verify_opened(new.leaf, new.opened)
    if (opened.get("kind"), opened.get(OPENING_FIELD)) != (OPENED, opening_digest(new.statement)):
        raise BindingError("first entry", "does not commit to the opening")
    signed = verify_checkpoint(new.checkpoint, *keys, origin=opening.origin)
    if (signed.size, signed.root) != (1, leaf_hash(new.leaf)):
        raise BindingError("first checkpoint", "is not of the first entry alone")
    return opening


def log_of(directory: Directory, authority: str, new_logs: Sequence[NewLog] = ()) -> LogIdentity:
    """The log of an authority that a proof is from: the one that the directory lists, or the last of those that follow.

    ``new_logs``: each that followed, in order, as it came with the proof. Raises SealingError.
    """
    entry = directory.entry(authority)
    log = LogIdentity(1, entry.log_origin, 0)
    if not new_logs:
        return log
    if not directory.recovery_key:
        raise TrustError("new log", "needs a recovery key in the directory, which names none")
    if len(new_logs) > MAX_LOGS:
        raise FormatError("new logs", f"are more than {MAX_LOGS}")
    recovery, keys = VerifyKey.from_bytes(directory.recovery_key), entry.verify_keys()
    for new in new_logs:
        network = directory.network
        log = verify_new_log(new, log, network=network, authority=authority, recovery_keys=[recovery], keys=keys).log
    return log
