"""What two nodes say to each other about a large file, whose bytes travel beside the messages in pieces.

1. The sender's message carries a :class:`FileOffer`: what the file is, and the secret that opens it.
2. When the file is sealed, a letter carries its :class:`PieceList`: the digest of every piece, in order.
3. The recipient says which pieces it lacks (:class:`Lacking`, or :class:`FileState` where it is asked by HTTP), so that
   none that arrived is sent again.
4. When it holds the whole file, opened and examined, it signs a :class:`FileReceipt`.

Pieces are numbered from 0. Sets of pieces are written as ``0-99,105``: rising, each range as long as it can be.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from palermo.sealing import dsse, parcel, records
from palermo.sealing.age import IDENTITY
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import FormatError
from palermo.sealing.keys import Signer, VerifyKey
from palermo.sealing.letter import MAX_BODY_BYTES
from palermo.sealing.sealed_file import DIGEST_BYTES, PIECE_BYTES, Contents

RECEIPT_TYPE = "application/vnd.palermo.file-receipt.v1"
MAX_REASON = 2000
MAX_STATE_BYTES = 2 << 20
MOST_PIECES = 150_000
"""As many as a letter can list; at :data:`PIECE_BYTES` each that is more than 400 GiB."""
MOST_SMALL_PIECES = 1000
"""How many pieces a file may be cut into that are smaller than :data:`FEWEST_BYTES`."""
FEWEST_BYTES = 1 << 20
PIECE_HEADING_BYTES = 36

FILE_ID = re.compile(r"[0-9a-f]{32}")
_SHA_256 = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"(0|[1-9][0-9]{0,6})(?:-([1-9][0-9]{0,6}))?")


def _check_id(part: str, file_id: str) -> None:
    if not FILE_ID.fullmatch(file_id):
        raise FormatError(f"{part}.file_id", "not 32 hex digits")


@dataclass(frozen=True, kw_only=True)
class FileOffer:
    """A file that will come beside the message which carries this. ``file_id``: 128 random bits, in hex.

    ``size`` (bytes) and ``sha256`` (hex) are of the file in clear; ``identity`` opens it; after ``not_after`` it is no
    longer sent or taken. Raises FormatError for values outside.
    """

    file_id: str
    size: int
    sha256: str
    identity: str = field(repr=False)
    not_after: datetime

    def __post_init__(self) -> None:
        """Refuse what no node offers."""
        _check_id("file offer", self.file_id)
        if self.size < 0 or not _SHA_256.fullmatch(self.sha256) or not IDENTITY.fullmatch(self.identity):
            raise FormatError("file offer", "its size, digest or identity is none that a file can have")
        if self.not_after.tzinfo is None:
            raise FormatError("file offer.not_after", "has no time zone")


@dataclass(frozen=True, kw_only=True)
class PieceList:
    """The sealed file, piece by piece. ``pieces``: the SHA-256 of each, 32 bytes each, joined.

    ``size``, ``sha256`` and ``sha512`` are of the file in clear, ``sealed_size`` and ``piece_bytes`` of the age file:
    every piece but the last has ``piece_bytes``. Raises FormatError for values outside.
    """

    file_id: str
    size: int
    sha256: str
    sha512: str
    sealed_size: int
    piece_bytes: int
    pieces: bytes

    def __post_init__(self) -> None:
        """Refuse what no node lists."""
        _check_id("piece list", self.file_id)
        _ = self.contents
        if not 0 < self.piece_bytes <= PIECE_BYTES or not self.size < self.sealed_size <= sealed_at_most(self.size):
            raise FormatError("piece list", "its sizes are none that a sealed file can have")
        number = -(-self.sealed_size // self.piece_bytes)
        if len(self.pieces) != number * DIGEST_BYTES:
            raise FormatError("piece list.pieces", f"not the digests of {number} pieces")
        if number > (MOST_PIECES if self.piece_bytes >= FEWEST_BYTES else MOST_SMALL_PIECES):
            raise FormatError("piece list", f"cut into {number} pieces, more than allowed: use larger ones")

    @property
    def contents(self) -> Contents:
        """What the file holds in clear."""
        return Contents(self.size, self.sha256, self.sha512)

    @property
    def number(self) -> int:
        """How many pieces there are."""
        return len(self.pieces) // DIGEST_BYTES

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "PieceList":
        """Read one. Raises FormatError."""
        return records.from_bytes(cls, data, "piece list", max_bytes=MAX_BODY_BYTES)


def sealed_at_most(size: int) -> int:
    """How long an age file of ``size`` bytes can be: 16 bytes for each 64 KiB, and a head of some hundred."""
    return size + size // 4096 + 4096


def piece_size(number: int, sealed_size: int, piece_bytes: int) -> int:
    """How many bytes a piece has; 0 or less where there is no such piece."""
    return min(piece_bytes, sealed_size - number * piece_bytes)


@dataclass(frozen=True)
class Lacking:
    """Which pieces the recipient of a file lacks. ``listed``: whether it has the list of pieces."""

    file_id: str
    lacking: str
    listed: bool = True

    def __post_init__(self) -> None:
        """Refuse what is no set of pieces."""
        _check_id("lacking", self.file_id)
        read_ranges(self.lacking)

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Lacking":
        """Read one. Raises FormatError."""
        return records.from_bytes(cls, data, "lacking", max_bytes=MAX_STATE_BYTES)


@dataclass(frozen=True)
class FileState:
    """How far a file is at its recipient: the answer by HTTP. ``receipt``: signed, once there is one."""

    lacking: str
    listed: bool
    receipt: bytes = b""

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> "FileState":
        """Read one. Raises FormatError."""
        state = records.from_bytes(cls, data, "file state", max_bytes=MAX_STATE_BYTES)
        read_ranges(state.lacking)
        return state


# --- sets of pieces -------------------------------------------------------------------------


def write_ranges(numbers: Iterable[int]) -> str:
    """A set of pieces as text."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def read_ranges(text: str) -> list[int]:
    """The set of pieces that a text names, rising. Raises FormatError for any other spelling, or too many."""
    numbers = list(_ranges(text))
    if write_ranges(numbers) != text:
        raise FormatError("set of pieces", "not spelt as we write it")
    return numbers


def _ranges(text: str) -> Iterator[int]:
    before = -1
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        if match is None:
            raise FormatError("set of pieces", f"{part[:20]!r} is no range of pieces")
        first, last = int(match[1]), int(match[2] or match[1])
        if not before < first <= last < MOST_PIECES:
            raise FormatError("set of pieces", f"not rising, or past the {MOST_PIECES} pieces that a file may have")
        before = last
        yield from range(first, last + 1)


# --- a piece in a letter --------------------------------------------------------------------


def piece_letter(file_id: str, number: int, piece: bytes) -> bytes:
    """The body of a letter that carries a piece: the file's id in ASCII, the number in 4 bytes, the piece."""
    return file_id.encode() + number.to_bytes(4, "big") + piece


def read_piece_letter(body: bytes) -> tuple[str, int, bytes]:
    """File id, number and piece. Raises FormatError."""
    file_id = body[:32].decode("ascii", "replace")
    if len(body) <= PIECE_HEADING_BYTES:
        raise FormatError("piece", "is cut")
    _check_id("piece", file_id)
    return file_id, int.from_bytes(body[32:PIECE_HEADING_BYTES], "big"), body[PIECE_HEADING_BYTES:]


# --- the receipt ----------------------------------------------------------------------------


class FileStatus(StrEnum):
    """What became of a file at its recipient."""

    TAKEN = "taken"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class FileReceipt:
    """The recipient's word on a whole file. ``sha256``: of the file in clear. Raises FormatError for values outside."""

    file_id: str
    message_id: str
    sender: str
    recipient: str
    sha256: str
    status: FileStatus
    at: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node signs."""
        _check_id("file receipt", self.file_id)
        if not (CODE.fullmatch(self.sender) and CODE.fullmatch(self.recipient)):
            raise FormatError("file receipt", CODE_RULE)
        if not parcel.ID.fullmatch(self.message_id) or not _SHA_256.fullmatch(self.sha256) or self.at.tzinfo is None:
            raise FormatError("file receipt", "its message, digest or time is none")
        if (
            len(self.reason) > MAX_REASON
            or "\0" in self.reason
            or (self.status is FileStatus.REFUSED) != bool(self.reason)
        ):
            raise FormatError("file receipt.reason", "a refusal states why, and nothing else does")


def sign_file_receipt(receipt: FileReceipt, key: Signer) -> bytes:
    """Sign a receipt as the recipient that it names."""
    return dsse.sign(RECEIPT_TYPE, records.to_bytes(receipt), key)


def verify_file_receipt(data: bytes, keys: Mapping[str, VerifyKey]) -> FileReceipt:
    """Read and verify a receipt under its recipient's keys. Raises FormatError, UnknownKeyError, SignatureError."""
    verified = dsse.verify(data, keys, payload_type=RECEIPT_TYPE, part="file receipt")
    return records.from_bytes(FileReceipt, verified.payload, "file receipt")
