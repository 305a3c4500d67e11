"""Checking single rows of the log: an entry against itself and its place in the tree, a signed checkpoint.

Each leaf hash is held four times: it follows from the fields, it follows from the leaf, it is a column, and it is a
slot of a tile. What most of them say is believed, the others are named; so a flipped bit is found where it is, and not
in every tile and checkpoint above it.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar

from django.db import connection
from django.db.models import BinaryField, Func, Model, QuerySet

from palermo.node.ledger.actions.retention import DESTROYED, STATEMENT
from palermo.node.ledger.models import Checkpoint, Entry
from palermo.node.ledger.ranges import read_ranges
from palermo.node.ledger.rows import Fault
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.leaf import LeafField, leaf_bytes
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.records import format_time

CHUNK = 500
TEXTS = ("kind", "counterparty", "fields")
_Row = TypeVar("_Row", bound=Model)


class StoredBytes(Func):
    """A text column as the bytes on disk. A flipped bit may leave no UTF-8 and no JSON, and must still be named."""

    template = "CAST(%(expressions)s AS BLOB)"
    output_field = BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL reads no text that is not UTF-8, so there the bytes are the encoded text."""
        return self.as_sql(compiler, connection, template="convert_to(%(expressions)s::text, 'UTF8')", **context)


def as_stored(rows: QuerySet[_Row], *texts: str) -> Iterator[_Row]:
    """Rows with these columns as bytes, each under ``stored_`` and its name."""
    stored: QuerySet[_Row] = rows.defer(*texts).annotate(**{f"stored_{name}": StoredBytes(name) for name in texts})
    return stored.iterator(CHUNK)


def text_of(row: Model, name: str) -> str:
    """Such a column's text; what is no UTF-8 shows as escapes, which no signature and no hash fits."""
    return bytes(getattr(row, f"stored_{name}")).decode("utf-8", "backslashreplace")


class Destructions:
    """What the log itself says was destroyed: ranges of entries."""

    def __init__(self) -> None:
        ranges: list[tuple[int, int]] = []
        for entry in as_stored(Entry.objects.filter(kind=STATEMENT), *TEXTS):
            try:
                values = {name: value for name, value, _ in json.loads(text_of(entry, "fields"))}
                ranges.extend(read_ranges(values.get("entries", "")))
            except (ValueError, TypeError, AttributeError):
                continue  # the entry itself will be named
        self._ranges = sorted(ranges)
        self._firsts = [first for first, _ in self._ranges]

    def cover(self, index: int) -> bool:
        """Whether an entry says that this one was destroyed."""
        place = bisect_right(self._firsts, index) - 1
        return place >= 0 and index <= self._ranges[place][1]


def examine(entry: Entry, slot: bytes, destructions: Destructions) -> tuple[bytes, list[Fault]]:
    """The leaf hash to believe, and what in this entry disagrees with it."""
    says = {
        "fields": _hash_of_fields(entry),
        "leaf": leaf_hash(bytes(entry.leaf)),
        "leaf hash": bytes(entry.leaf_hash),
        "slot": slot,
    }
    expired = entry.destroyed_at is not None
    if expired:
        del says["fields"]
    if expired and not entry.leaf:
        del says["leaf"]  # lost with the storage: a witness gave back the hash alone
    believed = Counter(says.values()).most_common(1)[0][0]
    faults = [
        _fault(entry, f"its {name} does not fit the tree: changed after it was written")
        for name, value in says.items()
        if value != believed and name != "slot"
    ]
    if expired:
        faults.extend(_expired(entry, destructions))
    elif says["fields"] == believed:
        faults.extend(_fault(entry, f"its column {name} is not its field") for name in _columns(entry))
    return believed, faults


def checkpoint_faults(row: Checkpoint, root: bytes, keys: list[VerifyKey]) -> Iterator[Fault]:
    """A signed checkpoint against the root that the entries give at its size."""
    where = f"checkpoint of size {row.size}"
    try:
        signed = verify_checkpoint(text_of(row, "text"), *keys, origin=row.origin)
    except SealingError as error:
        yield Fault("ledger checkpoint", where, str(error))
        return
    if signed.size != row.size or signed.root != bytes(row.root):
        yield Fault("ledger checkpoint", where, "its size or root is not what the text signs")
    if signed.root != root:
        yield Fault("ledger checkpoint", where, f"signs another root than that of the first {row.size} entries")


def _fault(entry: Entry, detail: str) -> Fault:
    return Fault("ledger entry", f"entry {entry.index}", detail, entry.index)


def _hash_of_fields(entry: Entry) -> bytes:
    try:
        text = text_of(entry, "fields")
        fields = json.loads(text)
        if connection.vendor == "sqlite" and json.dumps(fields) != text:  # another spelling of a letter
            return b""
        return leaf_hash(leaf_bytes([LeafField(name, value, _salt(salt)) for name, value, salt in fields]))
    except (SealingError, ValueError, TypeError, AttributeError):
        return b""  # not even fields any more: differs from every hash


def _salt(text: str) -> bytes:
    """A salt as it is written. Raises ValueError for another spelling of it, in capitals for instance."""
    salt = bytes.fromhex(text)
    if salt.hex() != text:
        raise ValueError("not in lower case hex digits")
    return salt


def _columns(entry: Entry) -> list[str]:
    """Columns that no longer repeat their field."""
    fields = {name: value for name, value, _ in json.loads(text_of(entry, "fields"))}
    columns = {
        "kind": text_of(entry, "kind"),
        "counterparty": text_of(entry, "counterparty"),
        "recorded_at": format_time(entry.recorded_at),
    }
    return [name for name, value in columns.items() if fields.get(name) != value]


def _expired(entry: Entry, destructions: Destructions) -> Iterator[Fault]:
    """Of an expired entry nothing is left but the leaf, and another entry says so."""
    left = (text_of(entry, "fields"), text_of(entry, "kind"), text_of(entry, "counterparty"))
    if left != ("[]", DESTROYED, ""):
        yield _fault(entry, "is marked as destroyed, but something of it is left")
    if not destructions.cover(entry.index):
        yield _fault(entry, "is marked as destroyed, but no entry of the log says so")
