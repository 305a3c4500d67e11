"""What a member signs so that a relay takes its parcels (the ticket), or hands out what waits for it (the collection).

Both name the relay, the member, the time and a random nonce: a relay takes each once, and within minutes of its time
only, so that nobody on the line can use one again, at this relay or at another. A ticket names the digests of exactly
the parcels that it comes with, so none can be exchanged or added under it.

The answer to a collection is a batch (:mod:`palermo.sealing.batch`): an :class:`Index`, then the signed statements of
what could not be relayed for this member, then the parcels that wait for it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from palermo.sealing import dsse, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import FormatError
from palermo.sealing.keys import Signer, VerifyKey

TICKET_TYPE = "application/vnd.palermo.relay-ticket.v1"
COLLECTION_TYPE = "application/vnd.palermo.relay-collection.v1"
MAX_DIGESTS = 100
MAX_SIGNED_BYTES = 64 << 10

_NONCE = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")

KeysOf = Callable[[str], Sequence[VerifyKey]]
Signed = TypeVar("Signed", "Ticket", "Collection")


def _check(part: str, relay: str, member: str, at: datetime, nonce: str) -> None:
    if not (CODE.fullmatch(relay) and CODE.fullmatch(member)):
        raise FormatError(part, f"relay or member {CODE_RULE}")
    if at.tzinfo is None or not _NONCE.fullmatch(nonce):
        raise FormatError(part, "a time without a zone, or a nonce that is not 32 hex digits")


def _check_digests(part: str, digests: tuple[str, ...]) -> None:
    if len(digests) > MAX_DIGESTS or len(set(digests)) != len(digests):
        raise FormatError(part, f"more than {MAX_DIGESTS} digests, or one twice")
    if not all(_DIGEST.fullmatch(digest) for digest in digests):
        raise FormatError(part, "a digest that is not 64 hex digits")


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """``member`` hands in parcels with these SHA-256 ``digests`` (hex), in this order, for ``recipient``."""

    relay: str
    member: str
    recipient: str
    at: datetime
    nonce: str
    digests: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what no node signs."""
        _check("ticket", self.relay, self.member, self.at, self.nonce)
        _check_digests("ticket", self.digests)
        if not CODE.fullmatch(self.recipient) or self.recipient == self.member or not self.digests:
            raise FormatError("ticket", "a recipient that is none or the member itself, or no parcel")


@dataclass(frozen=True, kw_only=True)
class Collection:
    """``member`` asks for what waits. ``taken``: digests of parcels that it has and the relay may delete; ``told``: of
    parcels of its own whose failure it has noted. ``after``: the last parcel that it was given in this pass, "" at its
    start, so that one which cannot be taken yet does not hide those behind it.
    """

    relay: str
    member: str
    at: datetime
    nonce: str
    taken: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    after: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node signs."""
        _check("collection", self.relay, self.member, self.at, self.nonce)
        _check_digests("collection", self.taken)
        _check_digests("collection", self.told)
        if self.after and not _DIGEST.fullmatch(self.after):
            raise FormatError("collection.after", "not 64 hex digits")


@dataclass(frozen=True)
class Held:
    """A parcel in the answer to a collection: its digest, and the member that handed it in, as the relay says."""

    digest: str
    sender: str

    def __post_init__(self) -> None:
        """Refuse what is no digest or code."""
        if not (_DIGEST.fullmatch(self.digest) and CODE.fullmatch(self.sender)):
            raise FormatError("collection", "a parcel without digest or sender")


@dataclass(frozen=True, kw_only=True)
class Index:
    """The first item of an answer: how many ``failures`` follow, then which parcels; ``more`` wait behind them."""

    failures: int = 0
    parcels: tuple[Held, ...] = ()
    more: bool = False

    def to_bytes(self) -> bytes:
        """The item."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Index":
        """Read the item. Raises FormatError."""
        return records.from_bytes(cls, data, "answer of the relay", max_bytes=MAX_SIGNED_BYTES)


def sign_ticket(ticket: Ticket, key: Signer) -> bytes:
    """Sign a ticket as the member that it names."""
    return dsse.sign(TICKET_TYPE, records.to_bytes(ticket), key)


def verify_ticket(data: bytes, keys_of: KeysOf) -> Ticket:
    """Read a ticket and verify it under the keys of the member that it names.

    Raises FormatError, UnknownKeyError, SignatureError, and what ``keys_of`` raises. Fresh and unused are for the
    relay to judge.
    """
    return _verify(Ticket, TICKET_TYPE, data, "ticket", keys_of)


def sign_collection(collection: Collection, key: Signer) -> bytes:
    """Sign a collection as the member that it names."""
    return dsse.sign(COLLECTION_TYPE, records.to_bytes(collection), key)


def verify_collection(data: bytes, keys_of: KeysOf) -> Collection:
    """Read and verify a collection, with the errors of :func:`verify_ticket`."""
    return _verify(Collection, COLLECTION_TYPE, data, "collection", keys_of)


def _verify(cls: type[Signed], payload_type: str, data: bytes, part: str, keys_of: KeysOf) -> Signed:
    if len(data) > MAX_SIGNED_BYTES:
        raise FormatError(part, f"{len(data)} bytes, more than the {MAX_SIGNED_BYTES} allowed")
    parsed = dsse.parse(data, part)
    claimed = records.from_bytes(cls, parsed.payload, part)
    dsse.verify_parsed(parsed, dsse.by_id(*keys_of(claimed.member)), payload_type=payload_type, part=part)
    return claimed
