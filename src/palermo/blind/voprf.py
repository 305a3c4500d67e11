"""VOPRF mode of RFC 9497 with the suite ristretto255-SHA512: the functions by the RFC's own names, batched.

Shapes: inputs are byte strings up to 65,535 bytes, elements 32-byte points, a proof 64 bytes (c, then s), an output 64.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from palermo.blind import group
from palermo.blind.errors import GroupError, InputError, ProofError
from palermo.blind.group import Point, Scalar

MAX_BATCH = 2**16 - 1
"""Most elements in one proof: the RFC numbers them with two bytes."""
SEED_BYTES = 32
PROOF_BYTES = 2 * group.SCALAR_BYTES
OUTPUT_BYTES = 64

_CONTEXT = b"OPRFV1-\x01-ristretto255-SHA512"  # section 3.1: mode 1 is VOPRF
_HASH_TO_GROUP = b"HashToGroup-" + _CONTEXT
_HASH_TO_SCALAR = b"HashToScalar-" + _CONTEXT
_DERIVE_KEY_PAIR = b"DeriveKeyPair" + _CONTEXT
_SEED = b"Seed-" + _CONTEXT
# RFC 9496 section 4: the canonical generator's encoding
_GENERATOR = Point(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


class KeyPair(NamedTuple):
    """skS and pkS."""

    secret: Scalar
    public: Point


def derive_key_pair(seed: bytes, info: bytes) -> KeyPair:
    """DeriveKeyPair, section 3.2.1: ``seed`` is 32 bytes, ``info`` at most 65,535."""
    if len(seed) != SEED_BYTES:
        raise InputError(f"a seed is {SEED_BYTES} bytes, not {len(seed)}")
    material = seed + _prefixed(info)
    for counter in range(256):
        secret = group.hash_to_scalar(material + bytes([counter]), _DERIVE_KEY_PAIR)
        if any(secret):
            return KeyPair(secret, group.multiply_base(secret))
    raise InputError("no key can be derived from this seed (RFC 9497 DeriveKeyPairError); draw another seed")


def blind(inputs: Sequence[bytes], blinds: Sequence[Scalar]) -> list[Point]:
    """Blind, section 3.3.2, under given blinds (one fresh random scalar an input)."""
    return group.multiply_each(blinds, group.hash_to_points(_checked_inputs(inputs), _HASH_TO_GROUP))


def blind_evaluate(key: KeyPair, blinded: Sequence[Point]) -> list[Point]:
    """BlindEvaluate without its proof, section 3.3.2: see :func:`prove`."""
    return group.multiply(key.secret, blinded)


def prove(key: KeyPair, blinded: Sequence[Point], evaluated: Sequence[Point], randomness: Scalar) -> bytes:
    """GenerateProof, section 2.2.1: one proof that every element was multiplied by the key of ``key.public``."""
    composites = _composite_scalars(key.public, blinded, evaluated)
    m = group.linear_combination(composites, blinded)
    [z] = group.multiply(key.secret, [m])  # ComputeCompositesFast
    t2 = group.multiply_base(randomness)
    [t3] = group.multiply(randomness, [m])
    c = _challenge(key.public, m, z, t2, t3)
    return c + group.subtract_product(randomness, c, key.secret)


def verify(public: Point, blinded: Sequence[Point], evaluated: Sequence[Point], proof: bytes) -> None:
    """VerifyProof, section 2.2.2. Raises :class:`ProofError` unless the proof holds for ``public``."""
    if len(proof) != PROOF_BYTES:
        raise ProofError(f"a proof is {PROOF_BYTES} bytes, not {len(proof)}; refuse the evaluation")
    try:
        c, s = group.require_scalar(proof[: group.SCALAR_BYTES]), group.require_scalar(proof[group.SCALAR_BYTES :])
        composites = _composite_scalars(public, blinded, evaluated)
        m = group.linear_combination(composites, blinded)
        z = group.linear_combination(composites, evaluated)
        t2 = group.linear_combination([s, c], [_GENERATOR, public])
        t3 = group.linear_combination([s, c], [m, z])
    except GroupError as error:
        raise ProofError(f"the proof cannot be checked: {error}") from error
    if _challenge(public, m, z, t2, t3) != c:
        raise ProofError("the proof does not hold under the manifest's public key; refuse the evaluation")


def finalize(inputs: Sequence[bytes], blinds: Sequence[Scalar], evaluated: Sequence[Point]) -> list[bytes]:
    """Finalize, section 3.3.2, once the proof has been verified: one 64-byte output an input."""
    unblinded = group.multiply_each(group.invert(blinds), evaluated)
    return [_output(value, point) for value, point in zip(inputs, unblinded, strict=True)]


def evaluate(key: KeyPair, inputs: Sequence[bytes]) -> list[bytes]:
    """Evaluate, section 3.3.1: what the key's owner computes over its own inputs."""
    points = group.multiply(key.secret, group.hash_to_points(_checked_inputs(inputs), _HASH_TO_GROUP))
    return [_output(value, point) for value, point in zip(inputs, points, strict=True)]


def _composite_scalars(public: Point, blinded: Sequence[Point], evaluated: Sequence[Point]) -> list[Scalar]:
    """The weights d_i of ComputeComposites, section 2.2.1."""
    if not 0 < len(blinded) == len(evaluated) <= MAX_BATCH:
        raise ProofError(f"{len(blinded)} blinded and {len(evaluated)} evaluated elements cannot share one proof")
    seed = _prefixed(hashlib.sha512(_prefixed(public) + _prefixed(_SEED)).digest())
    return [
        group.hash_to_scalar(seed + index.to_bytes(2) + _prefixed(c) + _prefixed(d) + b"Composite", _HASH_TO_SCALAR)
        for index, (c, d) in enumerate(zip(blinded, evaluated, strict=True))
    ]


def _challenge(public: Point, m: Point, z: Point, t2: Point, t3: Point) -> Scalar:
    transcript = b"".join(map(_prefixed, (public, m, z, t2, t3))) + b"Challenge"
    return group.hash_to_scalar(transcript, _HASH_TO_SCALAR)


def _output(value: bytes, unblinded: Point) -> bytes:
    return hashlib.sha512(_prefixed(value) + _prefixed(unblinded) + b"Finalize").digest()


def _prefixed(value: bytes) -> bytes:
    return len(value).to_bytes(2) + value


def _checked_inputs(inputs: Sequence[bytes]) -> Sequence[bytes]:
    for value in inputs:
        if len(value) > 2**16 - 1:
            raise InputError(f"an input of {len(value)} bytes is longer than RFC 9497 allows; at most 65,535")
    return inputs
