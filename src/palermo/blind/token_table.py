"""What a holder keeps of one kind: for each published value its locator, both MAC keys and its own references.

One file: a header, records of fixed size sorted by locator, then the references they point to. A table is read in
place (memory-mapped), so a lookup in ten million records touches a few pages. It holds keys: keep it as closely as
the holding itself.
"""

import mmap
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from palermo.blind.errors import MalformedError
from palermo.blind.tokens import KEY_BYTES, LOCATOR_BYTES
from palermo.blind.wire import Reader, prefixed_all

_MAGIC = b"palermo-blind-tokens-v1\n"
_HEADER_BYTES = len(_MAGIC) + 8
_OFFSET_BYTES = 8
_RECORD_BYTES = LOCATOR_BYTES + 2 * KEY_BYTES + _OFFSET_BYTES
_MAX_REFERENCES_BYTES = 2**24


class TokenRecord(NamedTuple):
    """One published value: how it is located, its MAC keys, and the holder's references that carry it."""

    locator: bytes
    querier_key: bytes
    holder_key: bytes
    refs: tuple[str, ...]


class TokenTable:
    """Token records of one kind, sorted by locator, over bytes in memory or in a file."""

    def __init__(self, data: bytes | mmap.mmap) -> None:
        """Wrap the bytes that :func:`encode` made. Raises :class:`MalformedError`."""
        self._data = data
        if data[: len(_MAGIC)] != _MAGIC or len(data) < _HEADER_BYTES:
            raise MalformedError("token table", "it has no known header")
        self._count = int.from_bytes(data[len(_MAGIC) : _HEADER_BYTES])
        self._references_at = _HEADER_BYTES + self._count * _RECORD_BYTES
        if self._references_at > len(data):
            raise MalformedError("token table", "it ends before its last record")

    @classmethod
    def open(cls, path: Path) -> "TokenTable":
        """Map the file at ``path``."""
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise MalformedError("token table", f"{path.name} is empty")
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __len__(self) -> int:
        """Number of records."""
        return self._count

    def __bytes__(self) -> bytes:
        """The table as stored."""
        return self._data[:]

    def find(self, locator: bytes) -> TokenRecord | None:
        """The record of ``locator``, if it was published."""
        index = bisect_left(range(self._count), locator, key=self._locator)
        return self._record(index) if index < self._count and self._locator(index) == locator else None

    def references(self) -> set[str]:
        """All references that any record carries."""
        return {ref for index in range(self._count) for ref in self._record(index).refs}

    def _locator(self, index: int) -> bytes:
        start = _HEADER_BYTES + index * _RECORD_BYTES
        return self._data[start : start + LOCATOR_BYTES]

    def _record(self, index: int) -> TokenRecord:
        start = _HEADER_BYTES + index * _RECORD_BYTES
        record = self._data[start : start + _RECORD_BYTES]
        keys = record[LOCATOR_BYTES:-_OFFSET_BYTES]
        at = self._references_at + int.from_bytes(record[-_OFFSET_BYTES:])
        length = int.from_bytes(self._data[at : at + 4])
        reader = Reader("token table", self._data[at + 4 : at + 4 + length], b"", _MAX_REFERENCES_BYTES)
        refs = tuple(reader.text() for _ in range(reader.integer(4)))
        reader.finish()
        return TokenRecord(record[:LOCATOR_BYTES], keys[:KEY_BYTES], keys[KEY_BYTES:], refs)


def encode(records: Iterable[TokenRecord]) -> bytes:
    """The bytes of a table with these records."""
    rows, references, at = [], [], 0
    for record in sorted(records):
        rows.append(record.locator + record.querier_key + record.holder_key + at.to_bytes(_OFFSET_BYTES))
        content = len(record.refs).to_bytes(4) + prefixed_all(*record.refs)
        references.append(len(content).to_bytes(4) + content)
        at += 4 + len(content)
    return _MAGIC + len(rows).to_bytes(8) + b"".join(rows) + b"".join(references)
