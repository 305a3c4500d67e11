"""Binary fuse filter with 32-bit fingerprints (Graf & Lemire 2022, four-wise): a set that can be asked, not read.

An item stands for 64 bits that say *where* and 32 bits that say *what* (see ``tokens``): it is in the set if the XOR
of its four slots is its fingerprint. Something else passes with probability 2^-32. Slots are numpy ``uint32``;
building and asking are vectorised over all items. The set's size is padded (:func:`padded_count`) with random items,
and free slots hold random bits, so that the bytes tell no more than the padded count.

Size: at most 4.6 bytes an item from :data:`TIGHT_FROM` items on. Smaller sets are padded and their ends weigh more: at
most 6 bytes for each of the padded count, which is at least 64.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from palermo.blind import fuse
from palermo.blind.errors import FilterError, MalformedError
from palermo.blind.group import Random
from palermo.blind.wire import Reader

FINGERPRINT_BITS = 32
MAX_ITEMS = 2**27
MAX_BYTES = 5 * MAX_ITEMS
MIN_PADDED = 64
TIGHT_FROM = 800
"""From so many items on a filter takes at most 4.6 bytes for each."""

_MAGIC = b"palermo-blind-filter-v1\n"
_ATTEMPTS = 200
_HASHES_BYTES = 8


def padded_count(count: int) -> int:
    """The size a set of ``count`` items is shown as: at least 64, rounded up to 7 significant bits (1.6% at most)."""
    step = max(1, 1 << max(0, (count - 1).bit_length() - 7))
    return max(MIN_PADDED, -(-count // step) * step)


def build(where: NDArray[np.uint64], what: NDArray[np.uint32], rng: Random) -> bytes:
    """The filter of items given by their slot bits and fingerprints, both of shape (items,).

    Raises :class:`FilterError` if no arrangement is found, which honest tokens never cause.
    """
    padded = padded_count(len(where))
    if padded > MAX_ITEMS:
        raise FilterError(f"{len(where)} items are too many for one filter; publish them under several tiers or epochs")
    padding = padded - len(where)
    where = np.concatenate([where, np.frombuffer(rng(8 * padding), np.uint64)])
    what = np.concatenate([what, np.frombuffer(rng(4 * padding), np.uint32)]) & _mask()
    for attempt in range(_ATTEMPTS):
        shape = fuse.Shape.of(padded, int.from_bytes(rng(_HASHES_BYTES)), growth=attempt // 16)
        table = np.frombuffer(rng(4 * shape.slots), np.uint32) & _mask()
        if fuse.solve(shape, where, what, table):
            return _encode(padded, shape, table)
    raise FilterError("no arrangement of the filter was found: two items share their slots; publish with a new seed")


@dataclass(frozen=True)
class Filter:
    """A parsed filter: the padded number of items, the arrangement, and the slots."""

    count: int
    shape: fuse.Shape
    table: NDArray[np.uint32]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("filter", data, _MAGIC, MAX_BYTES)
        bits, count, hash_seed = reader.integer(1), reader.integer(4), reader.integer(8)
        shape = fuse.Shape(reader.integer(1), reader.integer(4), hash_seed)
        if bits != FINGERPRINT_BITS:
            raise reader.error(f"its fingerprints have {bits} bits, not {FINGERPRINT_BITS}")
        if padded_count(count) != count or count > MAX_ITEMS:
            raise reader.error(f"{count} is no padded count")
        if not (1 <= shape.length_bits <= 18 and shape.starts >= 1 and count <= shape.slots <= 2 * count + 1024):
            raise reader.error("its arrangement does not fit its count")
        table = np.frombuffer(reader.take(4 * shape.slots), "<u4")
        reader.finish()
        if data != _encode(count, shape, table):
            raise MalformedError("filter", "its encoding is not canonical")
        return cls(count, shape, table)

    def contains(self, where: NDArray[np.uint64], what: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Which of the items are in the set, shape (items,); each other passes with probability 2^-32."""
        seen = np.bitwise_xor.reduce(self.table[fuse.slots(self.shape, where)], axis=0)
        found: NDArray[np.bool_] = seen == (what & _mask())
        return found


def bytes_per_item(data: bytes) -> float:
    """Size of a filter over its padded count."""
    return len(data) / Filter.parse(data).count


def _mask() -> np.uint32:
    return np.uint32(2**FINGERPRINT_BITS - 1)


def _encode(count: int, shape: fuse.Shape, table: NDArray[np.uint32]) -> bytes:
    header = bytes([FINGERPRINT_BITS]) + count.to_bytes(4) + shape.hash_seed.to_bytes(8)
    return _MAGIC + header + bytes([shape.length_bits]) + shape.starts.to_bytes(4) + table.astype("<u4").tobytes()
