"""How a binary fuse filter is arranged and solved: positions, peeling, and elimination of what peeling leaves.

Each item is one equation over GF(2): the XOR of its four slots is its fingerprint. Four consecutive segments hold the
four slots, so the equations form a band. *Peeling* takes the items that are alone in some slot, again and again, all
of a round at once in numpy; it solves large sets entirely. In small sets the band's ends weigh more and peeling stops
at a core: those equations are solved by *elimination* along the band, which needs far less spare room than peeling
(4.5 bytes an item at 1,000 items as at 10^7).
"""

import math
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

ARITY = 4
SPARE = 1.115
"""Slots per item: 4.46 bytes an item, below the 4.6 allowed with room for rounding."""
_TIGHTEST = 0.955  # most items per slot between the ends that elimination still solves

Positions = NDArray[np.int64]
Round = tuple[NDArray[np.int64], NDArray[np.int64]]


class Shape(NamedTuple):
    """Segments of ``2 ** length_bits`` slots; an item starts in one of the first ``starts``; the seed of the hash."""

    length_bits: int
    starts: int
    hash_seed: int

    @classmethod
    def of(cls, count: int, hash_seed: int, growth: int = 0) -> Self:
        """The arrangement for ``count`` items, ``growth`` segments larger than the least."""
        bits = _length_bits(count)
        length = 1 << bits
        total = max(math.floor(count * SPARE / length), math.ceil(count / (_TIGHTEST * length)) + ARITY - 1)
        return cls(bits, total - (ARITY - 1) + growth, hash_seed)

    @property
    def slots(self) -> int:
        """How many slots the table has."""
        return (self.starts + ARITY - 1) << self.length_bits


def _length_bits(count: int) -> int:
    """Longer segments solve better, shorter ones waste less at the ends: measured; Graf & Lemire's from 100,000."""
    if count >= 100_000:
        return min(18, math.floor(math.log(count) / math.log(2.91) - 0.5))
    return 2 + sum(count >= least for least in (150, 700, 2_500, 8_000, 30_000))


def slots(shape: Shape, where: NDArray[np.uint64]) -> Positions:
    """The four slots of each item, shape (4, items)."""
    first = _mix(where + np.uint64(shape.hash_seed))
    second = _mix(first ^ np.uint64(0x9E3779B97F4A7C15))
    length = np.uint64(1 << shape.length_bits)
    base = ((first >> np.uint64(32)) * (np.uint64(shape.starts) * length)) >> np.uint64(32)
    within = length - np.uint64(1)
    rows = [base]
    rows += [(base + np.uint64(i) * length) ^ ((second >> np.uint64(21 * (i - 1))) & within) for i in range(1, ARITY)]
    return np.stack(rows).astype(np.int64)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """MurmurHash3's 64-bit finaliser (Appleby): slot bits come from a secret PRF, so no stronger hash is needed."""
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    bits = (bits ^ (bits >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return bits ^ (bits >> np.uint64(33))


def solve(shape: Shape, where: NDArray[np.uint64], what: NDArray[np.uint32], table: NDArray[np.uint32]) -> bool:
    """Fill ``table`` in place so that each item's slots XOR to its fingerprint; False if this seed cannot."""
    positions = slots(shape, where)
    rounds, core = _peel(positions, shape.slots)
    if not _eliminate(positions[:, core], what[core], table):
        return False
    for items, alone in reversed(rounds):  # no other item of the round touches these slots
        table[alone] ^= what[items] ^ np.bitwise_xor.reduce(table[positions[:, items]], axis=0)
    return True


def _peel(positions: Positions, size: int) -> tuple[list[Round], NDArray[np.int64]]:
    """Rounds of (items, the slot each is alone in), and the items that were never alone."""
    count = positions.shape[1]
    load = np.bincount(positions.ravel(), minlength=size)
    # The sum of the items in a slot names its only item once the load is one; exact in a float64 up to 2^53.
    names = np.tile(np.arange(count, dtype=np.float64), ARITY)
    total = np.bincount(positions.ravel(), weights=names, minlength=size).astype(np.int64)
    rounds: list[Round] = []
    left = np.ones(count, dtype=np.bool_)
    alone = np.flatnonzero(load == 1)
    while alone.size:
        items, first = np.unique(total[alone], return_index=True)
        rounds.append((items, alone[first]))
        left[items] = False
        touched = positions[:, items].ravel()
        np.subtract.at(load, touched, 1)
        np.subtract.at(total, touched, np.tile(items, ARITY))
        alone = np.unique(touched)
        alone = alone[load[alone] == 1]
    return rounds, np.flatnonzero(left)


def _eliminate(positions: Positions, what: NDArray[np.uint32], table: NDArray[np.uint32]) -> bool:
    """Solve the core's equations along the band and back. A row is an integer: the bits from its first slot on."""
    rows: dict[int, tuple[int, int]] = {}
    order = np.argsort(positions[0], kind="stable")
    for item_slots, value in zip(positions[:, order].T.tolist(), what[order].tolist(), strict=True):
        at = min(item_slots)
        bits = sum(1 << (slot - at) for slot in item_slots)
        while bits:
            skip = (bits & -bits).bit_length() - 1
            at, bits = at + skip, bits >> skip
            if at not in rows:
                rows[at] = (bits, value)
                break
            bits, value = bits ^ rows[at][0], value ^ rows[at][1]
        else:  # the same four slots as others together: no solution under this seed, unless by chance it is consistent
            if value:
                return False
    for at in sorted(rows, reverse=True):
        bits, value = rows[at]
        band = np.frombuffer(bits.to_bytes(-(-bits.bit_length() // 8), "little"), np.uint8)
        others = at + np.flatnonzero(np.unpackbits(band, bitorder="little"))[1:]
        table[at] = np.uint32(value) ^ np.bitwise_xor.reduce(table[others])
    return True
