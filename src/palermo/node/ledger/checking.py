"""Reading the whole log again: does everything stored still fit together, and if not, what is damaged?

Each leaf hash is held four times: it follows from the fields, it follows from the leaf, it is a column, and it is a
slot of a tile. What most of them say is believed, the others are named; so a flipped bit is found where it is, and not
in every tile and checkpoint above it.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeVar

from django.db.models import BinaryField, Func, Model, QuerySet

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.ledger.models import Checkpoint, Entry, Log, Tile, Witnessed
from palermo.node.ledger.rows import Fault
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import SealingError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.leaf import LeafField, leaf_bytes
from palermo.sealing.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash, nodes
from palermo.sealing.records import format_time
from palermo.sealing.tiles import HEIGHT, WIDTH

_CHUNK = 500
_Row = TypeVar("_Row", bound=Model)
_TEXTS = ("kind", "counterparty", "fields")


class StoredBytes(Func):
    """A text column as the bytes on disk. A flipped bit may leave no UTF-8 and no JSON, and must still be named."""

    template = "CAST(%(expressions)s AS BLOB)"
    output_field = BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL reads no text that is not UTF-8, so there the bytes are the encoded text."""
        return self.as_sql(compiler, connection, template="convert_to(%(expressions)s::text, 'UTF8')", **context)


def check() -> list[Fault]:
    """Everything in the log that does not fit, what comes first in the log first; empty when all is whole."""
    return [*_Tree().faults(), *_witnessed()]


def _as_stored(rows: QuerySet[_Row], *texts: str) -> Iterator[_Row]:
    """Rows with these columns as bytes, each under ``stored_`` and its name."""
    stored: QuerySet[_Row] = rows.defer(*texts).annotate(**{f"stored_{name}": StoredBytes(name) for name in texts})
    return stored.iterator(_CHUNK)


def _text(row: Model, name: str) -> str:
    """Such a column's text; what is no UTF-8 shows as escapes, which no signature and no hash fits."""
    return bytes(getattr(row, f"stored_{name}")).decode("utf-8", "backslashreplace")


class _Tree:
    """One pass over the entries, with the tree as it should be growing beside it."""

    def __init__(self) -> None:
        self._checkpoints = _as_stored(Checkpoint.objects.order_by("size", "pk"), "text")
        self._next = next(self._checkpoints, None)
        self._keys = [own_keys.signing_key().public, *directory.verify_keys(directory.own_code())]
        self._levels: list[list[bytes]] = [[]]  # what the last, still growing tile of each level should hold
        self._full: Counter[int] = Counter()  # how many full tiles each level has
        self._peaks: list[tuple[int, bytes]] = []  # full subtrees from left to right, as (height, hash)
        self._slots: tuple[int, bytes] = (-1, b"")  # the level-0 tile last read

    def faults(self) -> Iterator[Fault]:
        """Entries and full tiles as they come, then the growing tiles, then what is too much."""
        size = 0
        yield from self._signed(size)
        for entry in _as_stored(Entry.objects.order_by("index"), *_TEXTS):
            if entry.index != size:
                yield Fault("ledger entry", f"entry {size}", "is missing")
                return
            believed, faults = _examine(entry, self._slot(size))
            yield from faults
            size += 1
            yield from self._grow(believed)
            yield from self._signed(size)
        for level, hashes in enumerate(self._levels):
            if hashes:
                yield from self._tile(level, self._full[level], hashes)
        yield from self._surplus(size)

    def _slot(self, index: int) -> bytes:
        number, place = divmod(index, WIDTH)
        if self._slots[0] != number:
            hashes = Tile.objects.filter(level=0, number=number).values_list("hashes", flat=True).first()
            self._slots = (number, bytes(hashes or b""))
        return self._slots[1][place * HASH_BYTES : (place + 1) * HASH_BYTES]

    def _grow(self, leaf: bytes) -> Iterator[Fault]:
        height, node = 0, leaf
        while self._peaks and self._peaks[-1][0] == height:
            height, node = height + 1, node_hash(self._peaks.pop()[1], node)
        self._peaks.append((height, node))
        level, value = 0, leaf
        while True:
            if level == len(self._levels):
                self._levels.append([])
            hashes = self._levels[level]
            hashes.append(value)
            if len(hashes) < WIDTH:
                return
            yield from self._tile(level, self._full[level], hashes)
            level, value = level + 1, nodes(hashes)(HEIGHT, 0)
            self._full[level - 1] += 1
            self._levels[level - 1] = []

    def _tile(self, level: int, number: int, expected: list[bytes]) -> Iterator[Fault]:
        where = f"tile {level}/{number}"
        tile = Tile.objects.filter(level=level, number=number).first()
        if tile is None:
            yield Fault("ledger tile", where, "is missing")
            return
        stored = bytes(tile.hashes)
        if (tile.width, len(stored)) != (len(expected), len(expected) * HASH_BYTES):
            yield Fault("ledger tile", where, f"is {tile.width} wide, {len(stored)} bytes; not {len(expected)} hashes")
            return
        for place, value in enumerate(expected):
            if stored[place * HASH_BYTES : (place + 1) * HASH_BYTES] != value:
                yield Fault("ledger tile", where, f"hash {place} is not that of the {_below(level, number, place)}")

    def _signed(self, size: int) -> Iterator[Fault]:
        while self._next is not None and self._next.size == size:
            yield from _checkpoint_faults(self._next, self._root(), self._keys)
            self._next = next(self._checkpoints, None)

    def _root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            root = node_hash(left, root)
        return root

    def _surplus(self, size: int) -> Iterator[Fault]:
        log = Log.objects.filter(pk=1).values_list("size", flat=True).first() or 0
        if log != size:
            yield Fault("ledger", "size", f"is recorded as {log}, but there are {size} entries")
        if self._next is not None:
            yield Fault("ledger checkpoint", f"checkpoint of size {self._next.size}", f"there are only {size} entries")
        for tile in Tile.objects.order_by("level", "number").defer("hashes").iterator(_CHUNK):
            growing = bool(tile.level < len(self._levels) and self._levels[tile.level])
            if tile.number >= self._full[tile.level] + growing:
                yield Fault("ledger tile", f"tile {tile.level}/{tile.number}", "lies beyond the end of the log")


def _below(level: int, number: int, place: int) -> str:
    index = number * WIDTH + place
    return f"entry {index}" if level == 0 else f"tile {level - 1}/{index}"


def _examine(entry: Entry, slot: bytes) -> tuple[bytes, list[Fault]]:
    """The leaf hash to believe, and what in this entry disagrees with it."""
    says = {
        "fields": _hash_of_fields(entry),
        "leaf": leaf_hash(bytes(entry.leaf)),
        "leaf hash": bytes(entry.leaf_hash),
        "slot": slot,
    }
    believed = Counter(says.values()).most_common(1)[0][0]
    where = f"entry {entry.index}"
    faults = [
        Fault("ledger entry", where, f"its {name} does not fit the tree: changed after it was written")
        for name, value in says.items()
        if value != believed and name != "slot"
    ]
    if says["fields"] == believed:
        faults.extend(Fault("ledger entry", where, f"its column {name} is not its field") for name in _columns(entry))
    return believed, faults


def _hash_of_fields(entry: Entry) -> bytes:
    try:
        fields = json.loads(_text(entry, "fields"))
        return leaf_hash(leaf_bytes([LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in fields]))
    except (SealingError, ValueError, TypeError, AttributeError):
        return b""  # not even fields any more: differs from every hash


def _columns(entry: Entry) -> list[str]:
    """Columns that no longer repeat their field."""
    fields = {name: value for name, value, _ in json.loads(_text(entry, "fields"))}
    columns = {
        "kind": _text(entry, "kind"),
        "counterparty": _text(entry, "counterparty"),
        "recorded_at": format_time(entry.recorded_at),
    }
    return [name for name, value in columns.items() if fields.get(name) != value]


def _checkpoint_faults(row: Checkpoint, root: bytes, keys: list[VerifyKey]) -> Iterator[Fault]:
    where = f"checkpoint of size {row.size}"
    try:
        signed = verify_checkpoint(_text(row, "text"), *keys, origin=row.origin)
    except SealingError as error:
        yield Fault("ledger checkpoint", where, str(error))
        return
    if signed.size != row.size or signed.root != bytes(row.root):
        yield Fault("ledger checkpoint", where, "its size or root is not what the text signs")
    if signed.root != root:
        yield Fault("ledger checkpoint", where, f"signs another root than that of the first {row.size} entries")


def _witnessed() -> Iterator[Fault]:
    for row in _as_stored(Witnessed.objects.order_by("pk"), "text"):
        where = f"checkpoint of {row.partner} at size {row.size}"
        try:
            signed = verify_checkpoint(
                _text(row, "text"), *directory.verify_keys(row.partner), origin=directory.log_origin(row.partner)
            )
        except (SealingError, directory.DirectoryError) as error:
            yield Fault("witnessed checkpoint", where, str(error))
            continue
        if signed.size != row.size or signed.root != bytes(row.root):
            yield Fault("witnessed checkpoint", where, "its size or root is not what the text signs")
