"""The trust root: the network's name and its founders' keys, all that a member must trust.

The first one is a small file handed over in person, its fingerprint read aloud. When founders change, version N + 1
follows: signed by a threshold of the founders of N and by a threshold of those of N + 1, so that the old ones consent
and the new ones are seen to hold their keys. Versions are taken one by one, and never go back. Each names the digest of
the one before, so a :class:`TrustChain`, from the first to the newest, is as good as whichever of them one was handed.

Source: The Update Framework, specification 1.0.33, sections 5.3 and 6.1 (root rotation).
"""

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from palermo.sealing import canonical, dsse, records
from palermo.sealing.errors import FormatError, RollbackError, TrustError
from palermo.sealing.keys import Signer, VerifyKey, fingerprint_of

TRUST_ROOT_TYPE = "application/vnd.palermo.trust-root.v1"
TRUST_CHAIN = "palermo-trust-chain/1"
MAX_VERSION = 2**31 - 1
"""The highest version of a directory or trust root: what every database keeps as a whole number."""
MAX_CHAIN_BYTES = 16 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TrustRoot:
    """The network's name and its founders' verify keys (``VerifyKey.to_bytes`` each): all that a member must trust.

    ``threshold`` of the founders sign a directory. ``version`` rises when founders change; ``previous_digest`` is the
    SHA-256 in hex of the root before this one, "" for the first.
    """

    network: str
    founders: tuple[bytes, ...]
    kind: str = records.always("palermo-trust-root/1")
    threshold: int = 1
    version: int = 1
    previous_digest: str = ""

    def __post_init__(self) -> None:
        """Refuse another kind of file, a root without founders, and a threshold that nobody or everybody meets."""
        if self.kind != "palermo-trust-root/1" or not self.founders:
            raise FormatError("trust root", "of another version, or names no founder")
        if not 1 <= self.threshold <= len(self.founders) <= dsse.MAX_SIGNERS:
            raise FormatError("trust root", f"needs 1 to {dsse.MAX_SIGNERS} founders, and a threshold they can meet")
        if not 1 <= self.version <= MAX_VERSION:
            raise FormatError("trust root.version", f"starts at 1 and ends at {MAX_VERSION}")
        if not _DIGEST.fullmatch(self.previous_digest) if self.version > 1 else self.previous_digest:
            raise FormatError("trust root.previous_digest", "is the SHA-256 of the root before, for all but the first")

    @property
    def keys(self) -> dict[str, VerifyKey]:
        """The founders' keys by id. Raises FormatError for bytes that are no key."""
        return dsse.by_id(*(VerifyKey.from_bytes(data) for data in self.founders))

    def missing(self, key_ids: Collection[str]) -> int:
        """How many more founders must sign what these keys have signed; 0 when it is enough."""
        return max(0, self.threshold - len(self.keys.keys() & set(key_ids)))

    @property
    def roots(self) -> tuple["TrustRoot", ...]:
        """This one alone: what a :class:`TrustChain` has several of."""
        return (self,)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file, in groups of eight, to compare aloud."""
        return fingerprint_of(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The file."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file. Raises FormatError."""
        root = records.from_bytes(cls, data, "trust root")
        if len(root.keys) != len(root.founders):
            raise FormatError("trust root", "names a founder twice")
        return root


@dataclass(frozen=True)
class TrustChain:
    """Every trust root that a network has had, verified, the first one first: for what was signed in earlier years."""

    roots: tuple[TrustRoot, ...]

    @property
    def network(self) -> str:
        """The network's name."""
        return self.roots[-1].network

    @property
    def fingerprint(self) -> str:
        """The newest root's, to compare aloud: it names the one before, and so on to the first."""
        return self.roots[-1].fingerprint


Trust = TrustRoot | TrustChain
"""What one trusts: a root, or all that a network has had."""


@dataclass(frozen=True)
class _ChainFile:
    first: bytes
    successors: tuple[bytes, ...]
    kind: str = records.always(TRUST_CHAIN)


def write_chain(first: bytes, successors: tuple[bytes, ...]) -> bytes:
    """The file of a chain: the first root, and each that followed, as its founders signed it."""
    return records.to_bytes(_ChainFile(first, successors))


def parse_chain(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """The first root and its signed successors, none of them verified. Raises FormatError."""
    file = records.from_bytes(_ChainFile, data, "trust chain", max_bytes=MAX_CHAIN_BYTES)
    if file.kind != TRUST_CHAIN:
        raise FormatError("trust chain", "of another version")
    return file.first, file.successors


def read_trust(data: bytes) -> Trust:
    """Read a trust root, or a whole chain of them, each link verified. Raises what :func:`open_successor` raises."""
    fields = canonical.decode(data, "trust root", max_bytes=MAX_CHAIN_BYTES)
    if fields.get("kind") != TRUST_CHAIN:
        return TrustRoot.from_bytes(data)
    first, successors = parse_chain(data)
    return TrustChain(follow(TrustRoot.from_bytes(first), successors))


def follow(first: TrustRoot, successors: Iterable[bytes]) -> tuple[TrustRoot, ...]:
    """Every root from the first to the newest, each verified. Raises what :func:`open_successor` raises."""
    roots = [first]
    for successor in successors:
        roots.append(open_successor(successor, roots[-1]))
    return tuple(roots)


def sign_root(root: TrustRoot, founder: Signer) -> bytes:
    """Begin the signed file of a root that is to follow another, as a founder of either.

    Further founders add theirs with :func:`palermo.sealing.dsse.add_signature`.
    """
    return dsse.sign(TRUST_ROOT_TYPE, root.to_bytes(), founder)


def read_successor(data: bytes, current: TrustRoot) -> tuple[TrustRoot, tuple[str, ...]]:
    """A root that is to follow ``current``, and the ids of the founders, of either, whose signatures verify.

    They may still be too few. Raises FormatError, UnknownKeyError (a founder of neither), SignatureError, TrustError
    (another network), RollbackError (any version but the next).
    """
    new = TrustRoot.from_bytes(dsse.parse_all(data, "trust root").payload)
    if new.network != current.network:
        raise TrustError("trust root", f"is that of the network {new.network[:64]!r}, not {current.network!r}")
    if new.version != current.version + 1:
        raise RollbackError("trust root", f"is version {new.version}; after version {current.version} comes the next")
    if new.previous_digest != current.digest:
        raise RollbackError("trust root", f"version {new.version} does not follow from the one held here")
    keys = current.keys | new.keys
    return new, dsse.verify_all(data, keys, payload_type=TRUST_ROOT_TYPE, part="trust root").key_ids


def open_successor(data: bytes, current: TrustRoot) -> TrustRoot:
    """Verify the root that follows ``current``.

    Raises what :func:`read_successor` raises, and TrustError while too few founders of either have signed.
    """
    new, key_ids = read_successor(data, current)
    for root, whose in ((current, "before"), (new, "it names")):
        if missing := root.missing(key_ids):
            raise TrustError("trust root", f"lacks {missing} of the {root.threshold} founders {whose}: have them sign")
    return new
