"""Deriving one log again from its stored entries: leaves, tiles, roots, and what was signed over them.

How single rows are judged: :mod:`palermo.node.ledger.entry_checking`.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from django.db.models import QuerySet

from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.entry_checking import CHUNK, TEXTS, Destructions, as_stored, checkpoint_faults, examine
from palermo.node.ledger.logs import OwnLog
from palermo.node.ledger.models import Checkpoint, Entry, Log, Tile
from palermo.node.ledger.rows import Fault
from palermo.sealing.merkle import EMPTY_ROOT, HASH_BYTES, node_hash, nodes
from palermo.sealing.tiles import HEIGHT, WIDTH

Progress = Callable[[int], object]
"""Told how many entries have been read."""


class Rederivation:
    """One pass over the entries of a log, with the tree as it should be growing beside it.

    ``root_at``: sizes whose root is wanted; ``roots`` holds them after :meth:`faults` ran to its end. ``size`` counts
    the log's leaves; faults name entries by their number in the ledger.
    """

    def __init__(self, progress: Progress, root_at: frozenset[int], log: OwnLog) -> None:
        self.roots: dict[int, bytes] = {}
        self.size = 0
        self._first, self._number, self._end = log.identity.first, log.identity.number, log.end
        self._root_at = root_at
        self._progress = progress
        signed = Checkpoint.objects.filter(origin=log.identity.origin).order_by("size", "pk")
        self._checkpoints = as_stored(signed, "text")
        self._next = next(self._checkpoints, None)
        self._keys = own_verify_keys()
        self._destructions = Destructions()
        self._levels: list[list[bytes]] = [[]]  # what the last, still growing tile of each level should hold
        self._full: Counter[int] = Counter()  # how many full tiles each level has
        self._peaks: list[tuple[int, bytes]] = []  # full subtrees from left to right, as (height, hash)
        self._slots: tuple[int, bytes] = (-1, b"")  # the level-0 tile last read

    def faults(self) -> Iterator[Fault]:
        """Entries and full tiles as they come, then the growing tiles, then what is too much."""
        yield from self._signed()
        for entry in as_stored(self._entries(), *TEXTS):
            expected = self._first + self.size
            if entry.index != expected:
                yield Fault("ledger entry", f"entry {expected}", "is missing", expected)
                return
            believed, found = examine(entry, self._slot(self.size), self._destructions)
            yield from found
            self.size += 1
            yield from self._grow(believed)
            yield from self._signed()
            if self.size % CHUNK == 0:
                self._progress(self.size)
        self._progress(self.size)
        for level, hashes in enumerate(self._levels):
            if hashes:
                yield from self._tile(level, self._full[level], hashes)
        yield from self._surplus()

    def _entries(self) -> QuerySet[Entry]:
        of_log = Entry.objects.filter(index__gte=self._first).order_by("index")
        return of_log if self._end is None else of_log.filter(index__lt=self._end)

    def _tiles_of_log(self) -> QuerySet[Tile]:
        return Tile.objects.filter(log=self._number)

    def _slot(self, index: int) -> bytes:
        number, place = divmod(index, WIDTH)
        if self._slots[0] != number:
            hashes = self._tiles_of_log().filter(level=0, number=number).values_list("hashes", flat=True).first()
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
        # A hash of a tile was written when the last entry below it was.
        where, first = f"tile {level}/{number}", self._first + number * WIDTH ** (level + 1) + WIDTH**level - 1
        tile = self._tiles_of_log().filter(level=level, number=number).first()
        if tile is None:
            yield Fault("ledger tile", where, "is missing", first)
            return
        stored = bytes(tile.hashes)
        if (tile.width, len(stored)) != (len(expected), len(expected) * HASH_BYTES):
            detail = f"is {tile.width} wide, {len(stored)} bytes; not {len(expected)} hashes"
            yield Fault("ledger tile", where, detail, first)
            return
        for place, value in enumerate(expected):
            if stored[place * HASH_BYTES : (place + 1) * HASH_BYTES] != value:
                entry = first + place * WIDTH**level
                detail = f"hash {place} is not that of the {self._below(level, number, place)}"
                yield Fault("ledger tile", where, detail, entry)

    def _signed(self) -> Iterator[Fault]:
        if self.size in self._root_at:
            self.roots[self.size] = self._root()
        while self._next is not None and self._next.size == self.size:
            yield from checkpoint_faults(self._next, self._root(), self._keys)
            self._next = next(self._checkpoints, None)

    def _root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            root = node_hash(left, root)
        return root

    def _surplus(self) -> Iterator[Fault]:
        size = self._first + self.size
        said = self._end
        if said is None:
            said = Log.objects.filter(pk=1).values_list("size", flat=True).first() or 0
        if said != size:
            yield Fault("ledger", "size", f"is recorded as {said}, but there are {size} entries", min(said, size))
        if self._next is not None:
            where = f"checkpoint of size {self._next.size}"
            yield Fault("ledger checkpoint", where, f"there are only {self.size} entries", size)
        for tile in self._tiles_of_log().order_by("level", "number").defer("hashes").iterator(CHUNK):
            growing = bool(tile.level < len(self._levels) and self._levels[tile.level])
            if tile.number >= self._full[tile.level] + growing:
                where = f"tile {tile.level}/{tile.number}"
                yield Fault("ledger tile", where, "lies beyond the end of the log", size)

    def _below(self, level: int, number: int, place: int) -> str:
        index = number * WIDTH + place
        return f"entry {self._first + index}" if level == 0 else f"tile {level - 1}/{index}"
