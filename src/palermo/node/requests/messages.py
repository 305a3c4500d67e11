"""What crosses between two nodes: a request, and each answer to it. Canonical JSON, read strictly, bounded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from palermo.node.requests.states import Outcome
from palermo.sealing import records
from palermo.sealing.file_offer import FileOffer

REQUEST_TYPE = "palermo/requests.request+v1"
ANSWER_TYPE = "palermo/requests.answer+v1"
MAX_REQUEST_BYTES = 2**18
MAX_ANSWER_BYTES = 2**25


@dataclass(frozen=True)
class Fact:
    """One answered field of the request's form."""

    name: str
    value: str


@dataclass(frozen=True)
class CitedHit:
    """A hit that the request rests on, under the reference its holder gave us in that run.

    ``consent``: id of the signed message in which the originator consented to this use ("" where none is needed).
    ``holder``: code of the authority that gave the hit, and so is its originator.
    """

    run: str
    reference: str
    consent: str = ""
    holder: str = ""


@dataclass(frozen=True)
class CitedItem:
    """An item of evidence that a request or an answer rests on: named and described, not enclosed.

    ``reference``: of the authority that cites it. ``provider``: code, or name, of who gave it to that authority, and so
    may speak on its use. ``consent``: the provider's consent to this citation, by the reference of the question that it
    answered, or by its letter ("" where none is needed).
    """

    reference: str
    what: str
    sha256: str
    provider: str
    consent: str = ""


@dataclass(frozen=True)
class RequestMessage:
    """A request as it is approved, signed and sent: these exact bytes are what the second person approves."""

    reference: str
    type: str
    authority: str
    issued_by: str
    issued_at: datetime
    facts: tuple[Fact, ...]
    hits: tuple[CitedHit, ...] = ()
    items: tuple[CitedItem, ...] = ()

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read one. Raises ``FormatError`` for anything else."""
        return records.from_bytes(cls, data, "request", max_bytes=MAX_REQUEST_BYTES)


@dataclass(frozen=True)
class AnswerMessage:
    """One answer. ``number`` rises from 1 with each answer to the request.

    ``package``: a sealed package's file; ``file``: the offer of one that is too large to travel within the message.
    """

    reference: str
    number: int
    outcome: Outcome
    answered_by: str
    answered_at: datetime
    ground: str = ""
    reasons: str = ""
    consultation: str = ""
    conditions: str = ""
    consent: str = ""
    package: bytes = b""
    file: FileOffer | None = None
    items: tuple[CitedItem, ...] = ()

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read one. Raises ``FormatError`` for anything else."""
        return records.from_bytes(cls, data, "answer", max_bytes=MAX_ANSWER_BYTES)
