"""The courier file: what waits for one partner, on a stick that a person carries where no line goes.

Layout, in this order and with nothing between or after::

    palermo-courier/1\\n
    From AA-POL to BB-POL, made 2026-03-02T09:00:00Z: 2 parts, 8192 bytes. Keys end 2026-03-31T…Z. Deliver before …Z.\\n
    the manifest, signed by the sender: one line of canonical JSON (DSSE)\\n
    the parts, each exactly as long as the manifest says
    palermo-courier-end SHA-256 of all bytes before this line, in hex\\n

The second line is for the courier, who holds no key: it must be exactly what the signed manifest says. A part is a
sealed parcel, or a sealed piece of a large file; nothing in it can be read without the recipient's key. The manifest
comes first and states every size and digest, so one damaged part costs that part alone, and a forged or misdirected
file is refused before gigabytes of it are read.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from palermo.sealing import dsse, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import BindingError, FormatError
from palermo.sealing.keys import Signer, VerifyKey

MANIFEST_TYPE = "application/vnd.palermo.courier.v1"
MAX_PARTS = 20_000
MAX_PART_BYTES = 80 << 20
"""A part is read into memory whole: the largest bucket of an envelope, with room."""

_MAGIC = b"palermo-courier/1\n"
_END = b"palermo-courier-end "
_MAX_SUMMARY_BYTES = 1024
_MAX_MANIFEST_BYTES = 8 << 20
_MAX_SIGNED_BYTES = 12 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TRANSFER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Part:
    """``size`` bytes of SHA-256 ``digest`` (hex): a parcel, or piece ``number`` (from 0) of the file ``transfer``."""

    digest: str
    size: int
    transfer: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        """Refuse what no part can be."""
        if not _DIGEST.fullmatch(self.digest) or not 0 < self.size <= MAX_PART_BYTES:
            raise FormatError("courier file", f"a part without digest, or not of 1 to {MAX_PART_BYTES} bytes")
        if self.transfer and not _TRANSFER.fullmatch(self.transfer):
            raise FormatError("courier file", "a piece of a file without a proper transfer id")
        if self.number < 0 or (self.number and not self.transfer):
            raise FormatError("courier file", "a piece number without a file, or below 0")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a courier file holds, for whom, from whom; the sender signs it.

    ``keys_end_at``: when the first of the recipient keys ends that the parts are sealed to. ``deliver_before``: when
    the first of the messages runs out; None where only pieces of files are in it.
    """

    sender: str
    recipient: str
    made_at: datetime
    keys_end_at: datetime
    parts: tuple[Part, ...]
    deliver_before: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse names that are none, times without a zone, and a file of nothing, too much, or one part twice."""
        if not (CODE.fullmatch(self.sender) and CODE.fullmatch(self.recipient)):
            raise FormatError("courier file", f"sender or recipient {CODE_RULE}")
        if any(at is not None and at.tzinfo is None for at in (self.made_at, self.keys_end_at, self.deliver_before)):
            raise FormatError("courier file", "a time without a zone")
        if not 0 < len(self.parts) <= MAX_PARTS:
            raise FormatError("courier file", f"holds {len(self.parts)} parts, not 1 to {MAX_PARTS}")
        if len({part.digest for part in self.parts}) != len(self.parts):
            raise FormatError("courier file", "names a part twice")

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @property
    def summary(self) -> str:
        """The line in clear: what a courier needs to know, and nothing that only the recipient may."""
        count = "1 part" if len(self.parts) == 1 else f"{len(self.parts)} parts"
        made, keys_end = records.format_time(self.made_at), records.format_time(self.keys_end_at)
        line = f"From {self.sender} to {self.recipient}, made {made}: {count}, {self.size} bytes. Keys end {keys_end}."
        if self.deliver_before is not None:
            line += f" Deliver before {records.format_time(self.deliver_before)}."
        return line


@dataclass(frozen=True, slots=True)
class Carried:
    """A part as it arrived: its ``content``, or None and the ``fault`` that says why it cannot be taken."""

    part: Part
    content: bytes | None
    fault: str = ""


class _Counted:
    """A stream, and the SHA-256 of what went through it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._hash = stream, hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._stream.write(data)

    def read(self, size: int) -> bytes:
        data = _read_fully(self._stream, size)
        self._hash.update(data)
        return data

    def line(self, longest: int, part: str) -> bytes:
        data = self._stream.readline(longest + 1)
        if not data.endswith(b"\n"):
            raise FormatError(part, f"ends too soon, or after more than {longest} bytes")
        self._hash.update(data)
        return data[:-1]


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    pieces, missing = [], size
    while missing and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def write_stream(out: BinaryIO, manifest: Manifest, contents: Iterable[bytes], key: Signer) -> str:
    """Write a courier file to a stream, one part in memory at a time; returns the digest that ends it.

    Raises BindingError when the contents are not, in order, the parts that the manifest states.
    """
    counted = _Counted(out)
    counted.write(_MAGIC + manifest.summary.encode() + b"\n")
    counted.write(dsse.sign(MANIFEST_TYPE, records.to_bytes(manifest), key) + b"\n")
    given = iter(contents)
    for part in manifest.parts:
        content = next(given, b"")
        if len(content) != part.size or hashlib.sha256(content).hexdigest() != part.digest:
            raise BindingError("courier file", f"the part {part.digest[:16]} is not what was to be sent: begin again")
        counted.write(content)
    if next(given, None) is not None:
        raise BindingError("courier file", "there is more to send than the manifest states: begin again")
    out.write(_END + counted.digest.encode() + b"\n")
    return counted.digest


def write_file(path: Path, manifest: Manifest, contents: Iterable[bytes], key: Signer) -> str:
    """Write a courier file whole or not at all: under another name, forced to disk, then renamed to ``path``.

    Raises BindingError as :func:`write_stream`, and OSError.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with partial.open("xb") as out:
            digest = write_stream(out, manifest, contents, key)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
    return digest


class CourierFile:
    """A courier file whose manifest verified. Read :meth:`parts` once, then ask :attr:`fault`."""

    def __init__(self, manifest: Manifest, counted: _Counted) -> None:
        self.manifest = manifest
        self.fault = "not read to its end"
        self._counted = counted

    def parts(self) -> Iterator[Carried]:
        """Every part in order, whole or with its fault; a damaged one does not spoil those after it."""
        for part in self.manifest.parts:
            yield self._part(part)
        self.fault = self._end()

    def _part(self, part: Part) -> Carried:
        content = self._counted.read(part.size)
        if len(content) < part.size:
            return Carried(part, None, "missing: the file ends before it does")
        if hashlib.sha256(content).hexdigest() != part.digest:
            return Carried(part, None, "damaged: not the bytes that the sender's manifest states")
        return Carried(part, content)

    def _end(self) -> str:
        expected = _END + self._counted.digest.encode() + b"\n"
        if self._counted.read(len(expected) + 1) != expected:
            return "its end is missing, or its digest is that of other bytes"
        return ""


def open_stream(stream: BinaryIO, verify_keys: Callable[[str], Sequence[VerifyKey]]) -> CourierFile:
    """Read and verify the head of a courier file under the keys of the sender that it names.

    Raises FormatError, UnknownKeyError, SignatureError, BindingError (the line in clear says something else), and what
    ``verify_keys`` raises for an unknown sender. For whom the file is, is for the caller to judge.
    """
    counted = _Counted(stream)
    if counted.read(len(_MAGIC)) != _MAGIC:
        raise FormatError("courier file", "does not start as a courier file of version 1")
    summary = counted.line(_MAX_SUMMARY_BYTES, "the courier file's line in clear")
    parsed = dsse.parse(counted.line(_MAX_SIGNED_BYTES, "the courier file's manifest"), "courier file")
    claimed = records.from_bytes(Manifest, parsed.payload, "courier file", max_bytes=_MAX_MANIFEST_BYTES)
    dsse.verify_parsed(
        parsed, dsse.by_id(*verify_keys(claimed.sender)), payload_type=MANIFEST_TYPE, part="courier file"
    )
    if claimed.summary.encode() != summary:
        raise BindingError("courier file", "its line in clear does not say what the sender signed")
    return CourierFile(claimed, counted)
