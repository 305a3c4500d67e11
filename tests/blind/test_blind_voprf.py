"""The VOPRF is RFC 9497's: its vectors, another implementation, and what a verifier must refuse."""

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voprf import ristretto as other

from palermo.blind import group, voprf
from palermo.blind.errors import GroupError, InputError, ProofError
from palermo.blind.group import Point, Scalar

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc9497_voprf_ristretto255_sha512.json").read_text())
KEY = voprf.derive_key_pair(bytes.fromhex(VECTORS["seed"]), bytes.fromhex(VECTORS["key_info"]))
NOT_POINTS = {
    "identity": bytes(32),
    "negative": bytes.fromhex("01" + "00" * 31),
    "not canonical (the prime itself)": bytes.fromhex(
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    ),
    "not square": bytes.fromhex("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"),
    "low order on the curve (y = -1)": bytes.fromhex(
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    ),
    "too short": bytes(31),
}


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_key_derivation_is_the_rfcs() -> None:
    assert KEY.secret.hex() == VECTORS["skSm"]
    assert KEY.public.hex() == VECTORS["pkSm"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_every_step_of_the_rfcs_vectors(vector: dict) -> None:
    inputs, blinds = unhex(vector["input"]), [Scalar(b) for b in unhex(vector["blind"])]
    blinded = voprf.blind(inputs, blinds)
    assert blinded == unhex(vector["blinded_element"])
    evaluated = voprf.blind_evaluate(KEY, blinded)
    assert evaluated == unhex(vector["evaluation_element"])
    proof = voprf.prove(KEY, blinded, evaluated, Scalar(bytes.fromhex(vector["proof_random_scalar"])))
    assert proof.hex() == vector["proof"]
    voprf.verify(KEY.public, blinded, evaluated, proof)
    assert voprf.finalize(inputs, blinds, evaluated) == unhex(vector["output"])
    assert voprf.evaluate(KEY, inputs) == unhex(vector["output"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=6), st.binary(min_size=32, max_size=32))
def test_agrees_with_another_implementation_in_both_roles(inputs: list[bytes], seed: bytes) -> None:
    rng = random.Random(seed).randbytes
    key = voprf.derive_key_pair(seed, b"labels")
    theirs = other.Evaluator.from_seed(seed, b"labels")
    assert theirs.public_key.serialize() == key.public
    expected = [theirs.evaluate_known_input(one) for one in inputs]
    assert voprf.evaluate(key, inputs) == expected

    blinds = [group.random_scalar(rng) for _ in inputs]
    blinded = voprf.blind(inputs, blinds)
    answer = theirs.evaluate_batch([other.BlindedInput.deserialize(one) for one in blinded]).serialize()
    evaluated = [Point(answer[start : start + 32]) for start in range(64, len(answer), 32)]
    voprf.verify(key.public, blinded, evaluated, answer[:64])
    assert voprf.finalize(inputs, blinds, evaluated) == expected

    clients, asked = zip(*(other.Client.blind(one) for one in inputs), strict=True)
    elements = [Point(one.serialize()) for one in asked]
    returned = voprf.blind_evaluate(key, elements)
    proof = voprf.prove(key, elements, returned, group.random_scalar(rng))
    batch = other.VerifiableBatchOutput.deserialize(proof + b"".join(returned))
    assert other.Client.finalize_batch(list(clients), batch, theirs.public_key) == expected


def test_all_cores_give_what_one_gives(world, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = [index.to_bytes(4) for index in range(300)]
    spread = voprf.evaluate(KEY, inputs)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    assert voprf.evaluate(KEY, inputs) == spread == [voprf.evaluate(KEY, [one])[0] for one in inputs]


@pytest.fixture(scope="module")
def proven() -> tuple[list[Point], list[Point], bytes]:
    rng = random.Random(5).randbytes
    blinded = group.random_points(4, rng)
    evaluated = voprf.blind_evaluate(KEY, blinded)
    return blinded, evaluated, voprf.prove(KEY, blinded, evaluated, group.random_scalar(rng))


@settings(max_examples=60, deadline=None)
@given(bit=st.integers(0, 64 * 8 - 1))
def test_a_flipped_bit_of_the_proof_is_refused(proven, bit: int) -> None:
    blinded, evaluated, proof = proven
    flipped = bytearray(proof)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofError):
        voprf.verify(KEY.public, blinded, evaluated, bytes(flipped))


def test_one_element_under_another_key_spoils_the_whole_proof(proven) -> None:
    blinded, evaluated, proof = proven
    stranger = voprf.derive_key_pair(bytes(32), b"another tier")
    mixed = [*evaluated[:-1], voprf.blind_evaluate(stranger, blinded[-1:])[0]]
    forged = voprf.prove(KEY, blinded, mixed, group.random_scalar(random.Random(6).randbytes))
    for wrong in (
        (KEY.public, blinded, mixed, proof),
        (KEY.public, blinded, mixed, forged),
        (stranger.public, blinded, evaluated, proof),
        (KEY.public, blinded[::-1], evaluated, proof),
        (KEY.public, blinded[:-1], evaluated, proof),
        (KEY.public, [], [], proof),
        (KEY.public, blinded, evaluated, proof[:-1]),
        (KEY.public, blinded, evaluated, bytes(64)),
    ):
        with pytest.raises(ProofError):
            voprf.verify(*wrong)


@pytest.mark.parametrize("encoding", NOT_POINTS.values(), ids=NOT_POINTS.keys())
def test_what_is_no_point_is_refused_never_repaired(encoding: bytes) -> None:
    with pytest.raises(GroupError):
        group.require_points([encoding])
    if len(encoding) == 32:
        with pytest.raises(GroupError):
            group.multiply(KEY.secret, [Point(encoding)])


def test_scalars_are_never_clamped_and_never_zero() -> None:
    two, three = (Scalar(value.to_bytes(32, "little")) for value in (2, 3))
    [six_from_two] = group.multiply(three, [group.multiply_base(two)])
    assert six_from_two == group.multiply_base(Scalar((6).to_bytes(32, "little")))
    with pytest.raises(GroupError):
        group.multiply_base(Scalar(bytes(32)))
    with pytest.raises(GroupError):
        group.require_scalar(group.ORDER.to_bytes(32, "little"))
    zeros_then_one = iter([bytes(64), group.ORDER.to_bytes(64, "little"), (1).to_bytes(64, "little")])
    assert group.random_scalar(lambda size: next(zeros_then_one)) == (1).to_bytes(32, "little")


def test_inversion_of_many_is_inversion_of_each() -> None:
    rng = random.Random(7).randbytes
    scalars = [group.random_scalar(rng) for _ in range(9)]
    values = [int.from_bytes(one, "little") for one in scalars]
    assert [int.from_bytes(one, "little") for one in group.invert(scalars)] == [pow(v, -1, group.ORDER) for v in values]
    assert group.invert([]) == []
    with pytest.raises(GroupError):
        group.invert([scalars[0], Scalar(bytes(32))])


def test_inputs_and_seeds_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(InputError):
        voprf.derive_key_pair(bytes(31), b"")
    with pytest.raises(InputError):
        voprf.evaluate(KEY, [bytes(2**16)])
    with pytest.raises(GroupError):
        group.expand_message_xmd(b"", b"tag", 65)


def test_importing_the_group_leaves_no_file_behind() -> None:
    group.random_points(1, random.Random(8).randbytes)
    import sys

    assert not Path(sys.modules["rbcl._sodium"].lib_path).exists()
    assert Path(sys.modules["rbcl._sodium"].lib_path).parent == Path(tempfile.gettempdir())
