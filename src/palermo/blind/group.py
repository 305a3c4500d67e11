"""The group ristretto255 (RFC 9496) over libsodium: the only module that touches ``rbcl``.

A point is its canonical 32-byte encoding, a scalar 32 bytes little-endian below the order L. The identity is refused
everywhere, as RFC 9497 section 3.3 demands; an encoding off the group likewise. Scalar arithmetic is libsodium's, in
constant time. The functions that take many elements use all cores: libsodium's calls release the interpreter lock.
"""

import functools
import hashlib
import itertools
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import NewType, ParamSpec, TypeVar

from palermo.blind.errors import GroupError

Point = NewType("Point", bytes)
Scalar = NewType("Scalar", bytes)
Random = Callable[[int], bytes]
"""A source of randomness: given a number of bytes, returns that many (``os.urandom``)."""

POINT_BYTES = 32
SCALAR_BYTES = 32
UNIFORM_BYTES = 64
ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = Point(bytes(POINT_BYTES))

_SHA512_BLOCK_BYTES = 128
_FEW = 64  # below this, starting threads costs more than it saves

_P = ParamSpec("_P")
_R = TypeVar("_R")


@functools.cache
def _sodium() -> ModuleType:
    """Import ``rbcl`` on first use, and unlink the copy of libsodium that its import leaves in the temporary folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # rbcl leaves that file's handle to the collector
        import rbcl
    Path(sys.modules["rbcl._sodium"].lib_path).unlink(missing_ok=True)
    return rbcl


def expand_message_xmd(message: bytes, dst: bytes, length: int = UNIFORM_BYTES) -> bytes:
    """RFC 9380 section 5.3.1 with SHA-512, for one output block (``length`` up to 64 bytes)."""
    if not 0 < length <= UNIFORM_BYTES or len(dst) > 255:
        raise GroupError(f"cannot expand to {length} bytes under a tag of {len(dst)}: at most 64 and 255")
    tag = dst + bytes([len(dst)])
    first = hashlib.sha512(bytes(_SHA512_BLOCK_BYTES) + message + length.to_bytes(2) + b"\0" + tag).digest()
    return hashlib.sha512(first + b"\x01" + tag).digest()[:length]


def hash_to_scalar(message: bytes, dst: bytes) -> Scalar:
    """RFC 9497 section 4.1: 64 uniform bytes, little-endian, modulo L. May be zero."""
    return Scalar(_sodium().crypto_core_ristretto255_scalar_reduce(expand_message_xmd(message, dst)))


def hash_to_points(messages: Sequence[bytes], dst: bytes) -> list[Point]:
    """RFC 9497 section 4.1 for many messages: hash to 64 uniform bytes, map to the group."""
    from_hash = _sodium().crypto_core_ristretto255_from_hash

    def work(part: Sequence[bytes]) -> list[Point]:
        return [from_hash(expand_message_xmd(message, dst)) for message in part]

    return _refuse_identity(_spread(work, messages))


def random_points(count: int, rng: Random) -> list[Point]:
    """``count`` points whose discrete logarithm nobody knows."""
    from_hash = _sodium().crypto_core_ristretto255_from_hash
    return _refuse_identity([from_hash(rng(UNIFORM_BYTES)) for _ in range(count)])


def random_scalar(rng: Random) -> Scalar:
    """A uniform non-zero scalar."""
    reduce = _sodium().crypto_core_ristretto255_scalar_reduce
    while not any(scalar := reduce(rng(UNIFORM_BYTES))):
        continue
    return Scalar(scalar)


def require_points(encodings: Iterable[bytes]) -> list[Point]:
    """The encodings as points. Raises :class:`GroupError` on the identity and on what is not canonical."""
    is_valid = _sodium().crypto_core_ristretto255_is_valid_point
    points = list(encodings)
    for index, encoding in enumerate(points):
        if len(encoding) != POINT_BYTES or encoding == IDENTITY or not is_valid(encoding):
            raise GroupError(f"element {index} is no ristretto255 point other than the identity; refuse the message")
    return [Point(encoding) for encoding in points]


def require_scalar(encoding: bytes) -> Scalar:
    """The encoding as a scalar. Raises :class:`GroupError` unless it is 32 bytes below the order."""
    if len(encoding) != SCALAR_BYTES or int.from_bytes(encoding, "little") >= ORDER:
        raise GroupError("a scalar is not 32 bytes below the group's order; refuse the message")
    return Scalar(encoding)


def multiply_base(scalar: Scalar) -> Point:
    """``scalar`` times the generator."""
    return Point(_checked(_sodium().crypto_scalarmult_ristretto255_base, scalar))


def multiply(scalar: Scalar, points: Sequence[Point]) -> list[Point]:
    """One scalar times each point."""
    return multiply_each([scalar] * len(points), points)


def multiply_each(scalars: Sequence[Scalar], points: Sequence[Point]) -> list[Point]:
    """The i-th scalar times the i-th point."""
    scalarmult = _sodium().crypto_scalarmult_ristretto255

    def work(part: Sequence[tuple[Scalar, Point]]) -> list[Point]:
        return [Point(_checked(scalarmult, scalar, point)) for scalar, point in part]

    return _spread(work, list(zip(scalars, points, strict=True)))


def linear_combination(scalars: Sequence[Scalar], points: Sequence[Point]) -> Point:
    """The sum of the i-th scalar times the i-th point; at least one term."""
    sodium = _sodium()
    add, scalarmult = sodium.crypto_core_ristretto255_add, sodium.crypto_scalarmult_ristretto255

    def work(part: Sequence[tuple[Scalar, Point]]) -> list[Point]:
        return [functools.reduce(add, (Point(_checked(scalarmult, scalar, point)) for scalar, point in part))]

    return functools.reduce(add, _spread(work, list(zip(scalars, points, strict=True))))


def subtract_product(r: Scalar, c: Scalar, k: Scalar) -> Scalar:
    """``r - c * k`` modulo L: the response of a proof."""
    sodium = _sodium()
    return Scalar(sodium.crypto_core_ristretto255_scalar_sub(r, sodium.crypto_core_ristretto255_scalar_mul(c, k)))


def invert(scalars: Sequence[Scalar]) -> list[Scalar]:
    """The inverse of each non-zero scalar, by Montgomery's trick: one inversion, three products an element."""
    if not scalars:
        return []
    sodium = _sodium()
    product = sodium.crypto_core_ristretto255_scalar_mul
    running = list(itertools.accumulate(scalars, product))
    if not any(running[-1]):
        raise GroupError("zero has no inverse; draw another blind")
    inverse = sodium.crypto_core_ristretto255_scalar_invert(running[-1])
    inverses = []
    for scalar, before in zip(reversed(scalars), reversed(running[:-1]), strict=False):
        inverses.append(Scalar(product(inverse, before)))
        inverse = product(inverse, scalar)
    inverses.append(Scalar(inverse))
    return inverses[::-1]


def _checked(call: Callable[_P, bytes], *args: _P.args, **kwargs: _P.kwargs) -> bytes:
    try:
        return call(*args, **kwargs)
    except RuntimeError as error:  # libsodium returned -1: bad encoding, or the product is the identity
        raise GroupError(
            "a group element is not canonical, or a product is the identity; refuse the message"
        ) from error


def _refuse_identity(points: list[Point]) -> list[Point]:
    if IDENTITY in points:
        raise GroupError("an input hashes to the identity (RFC 9497 InvalidInputError); leave that input out")
    return points


_Part = TypeVar("_Part")


def _spread(work: Callable[[Sequence[_Part]], list[_R]], elements: Sequence[_Part]) -> list[_R]:
    """``work`` over slices of ``elements`` in one thread a core, results in order."""
    cores = len(os.sched_getaffinity(0))
    if len(elements) < _FEW or cores == 1:
        return work(elements)
    size = -(-len(elements) // cores)
    slices = [elements[start : start + size] for start in range(0, len(elements), size)]
    with ThreadPoolExecutor(max_workers=len(slices)) as pool:
        return list(itertools.chain.from_iterable(pool.map(work, slices)))
