"""Merkle trees of RFC 6962 and RFC 9162: root, inclusion and consistency proofs, and their verification.

A tree is seen through a *node getter*: ``get(level, index)`` is the hash of the full subtree over the leaves
``index * 2**level`` up to ``(index + 1) * 2**level``. In memory it comes from :func:`nodes`, from a database or files
from :func:`palermo.sealing.tiles.tile_nodes`. All hashes are SHA-256, 32 bytes.
"""

import functools
import hashlib
from collections.abc import Callable, Sequence

from palermo.sealing.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeGetter = Callable[[int, int], bytes]
"""``get(level, index)``: the hash of a full subtree."""


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf: SHA-256(0x00 ‖ data), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def nodes(leaf_hashes: Sequence[bytes]) -> NodeGetter:
    """A node getter over leaf hashes in memory; each node is hashed once."""

    @functools.cache
    def get(level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hashes[index]
        return node_hash(get(level - 1, 2 * index), get(level - 1, 2 * index + 1))

    return get


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes."""
    return root_of(nodes(leaf_hashes), len(leaf_hashes))


def root_of(get: NodeGetter, size: int) -> bytes:
    """Root of the tree of that size. Asks for at most log2(size) + 1 nodes."""
    return _range_hash(get, 0, size) if size else EMPTY_ROOT


def inclusion_proof(get: NodeGetter, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of a leaf, nearest sibling first (RFC 9162, 2.1.3.1). Raises ProofError outside the tree."""
    if not 0 <= index < size:
        raise ProofError("inclusion proof", f"leaf {index} does not exist in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(get, middle, end))
            end = middle
        else:
            path.append(_range_hash(get, start, middle))
            start = middle
    return tuple(reversed(path))


def range_proof(get: NodeGetter, start: int, end: int, size: int) -> tuple[bytes, ...]:
    """What is needed besides the leaves from start to end to compute the root: the subtrees beside them, left to right.

    At most 2 log2(size) hashes. Raises ProofError unless 0 <= start < end <= size.
    """
    _check_range(start, end, size)
    path: list[bytes] = []

    def walk(low: int, high: int) -> None:
        if high <= start or low >= end:
            path.append(_range_hash(get, low, high))
        elif not (start <= low and high <= end):
            middle = low + _split(high - low)
            walk(low, middle)
            walk(middle, high)

    walk(0, size)
    return tuple(path)


def verify_range(leaves: Sequence[bytes], start: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that these leaf hashes stand, in this order and from that index on, in the tree. Raises ProofError."""
    end = start + len(leaves)
    _check_range(start, end, size)
    _check_hashes(proof, "range proof")
    beside = iter(proof)

    def walk(low: int, high: int) -> bytes:
        if high <= start or low >= end:
            value = next(beside, None)
            if value is None:
                raise ProofError("range proof", "is too short")
            return value
        if high - low == 1:
            return leaves[low - start]
        middle = low + _split(high - low)
        return node_hash(walk(low, middle), walk(middle, high))

    if walk(0, size) != expected_root or next(beside, None) is not None:
        raise ProofError(
            "range proof", f"does not lead from entries {start} to {end - 1} to the root of {size} entries"
        )


def consistency_proof(get: NodeGetter, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """Proof that the tree of the old size is a prefix of that of the new size (RFC 9162 section 2.1.4.1).

    Raises ProofError unless 0 < old size <= new size.
    """
    if not 0 < old_size <= new_size:
        raise ProofError("consistency proof", f"there is none from size {old_size} to {new_size}")
    path: list[bytes] = []
    start, end, whole = 0, new_size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_hash(get, middle, end))
            end = middle
        else:
            path.append(_range_hash(get, start, middle))
            start, whole = middle, False
    if not whole:  # the verifier holds the old root already when the old tree is a full subtree of the new one
        path.append(_range_hash(get, start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> None:
    """Check that the leaf hash stands at that index of the tree (RFC 9162 section 2.1.3.2). Raises ProofError."""
    _check_hashes(proof, "inclusion proof")
    if not 0 <= index < size:
        raise ProofError("inclusion proof", f"leaf {index} does not exist in a tree of {size}")
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("inclusion proof", "is too long")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or current != expected_root:
        raise ProofError("inclusion proof", f"does not lead from leaf {index} to the root of the tree of {size}")


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2). Raises ProofError."""
    _check_hashes(proof, "consistency proof")
    if not 0 < old_size <= new_size:
        raise ProofError("consistency proof", f"there is none from size {old_size} to {new_size}")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ProofError("consistency proof", f"two trees of size {old_size}: the log shows two histories")
        return
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path or len(path) > 130:
        raise ProofError("consistency proof", "is empty or too long")
    old, new, last = _fold_consistency(path, old_size - 1, new_size - 1)
    if last != 0 or old != old_root or new != new_root:
        raise ProofError("consistency proof", f"the tree of {new_size} does not continue the tree of {old_size}")


def _fold_consistency(path: Sequence[bytes], node: int, last: int) -> tuple[bytes, bytes, int]:
    """Both roots that a path leads to, and what is left of the last leaf's index: 0 for a path of the right length."""
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("consistency proof", "is too long")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return old, new, last


def _split(width: int) -> int:
    """The largest power of two below the width (which is at least 2)."""
    return 1 << ((width - 1).bit_length() - 1)


def _range_hash(get: NodeGetter, start: int, end: int) -> bytes:
    """Hash of the leaves from start to end, where start is a multiple of the largest power of two that fits."""
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return get(level, start >> level)
    middle = start + _split(width)
    return node_hash(_range_hash(get, start, middle), _range_hash(get, middle, end))


def _check_range(start: int, end: int, size: int) -> None:
    if not 0 <= start < end <= size:
        raise ProofError("range proof", f"there are no entries {start} to {end - 1} in a tree of {size}")


def _check_hashes(proof: Sequence[bytes], part: str) -> None:
    if any(len(value) != HASH_BYTES for value in proof):
        raise ProofError(part, "holds something that is not a SHA-256 hash")
