"""Binary fuse filters: every size works, nothing is forgotten, little else passes, and bytes are parsed strictly."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.blind import filters, fuse
from palermo.blind.errors import BlindError, FilterError, MalformedError
from palermo.blind.filters import Filter

MASK_64 = 2**64 - 1


def columns(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2**64, count, np.uint64), rng.integers(0, 2**32, count, np.uint32)


def mix(bits: int) -> int:
    bits = (bits ^ bits >> 33) * 0xFF51AFD7ED558CCD & MASK_64
    bits = (bits ^ bits >> 33) * 0xC4CEB9FE1A85EC53 & MASK_64
    return bits ^ bits >> 33


def plainly_contains(filter_: Filter, where: int, what: int) -> bool:
    """Membership in plain Python: what the vectorised look-up must equal."""
    shape, length = filter_.shape, 1 << filter_.shape.length_bits
    first = mix((where + shape.hash_seed) & MASK_64)
    second = mix(first ^ 0x9E3779B97F4A7C15)
    base = (first >> 32) * (shape.starts * length) >> 32
    seen = int(filter_.table[base])
    for i in (1, 2, 3):
        seen ^= int(filter_.table[(base + i * length) ^ (second >> 21 * (i - 1) & length - 1)])
    return seen == what


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 150, 499, 1_000, 3_001, 10_000, 99_000, 120_000])
def test_any_number_of_items_is_found_again_and_others_are_not(count: int) -> None:
    where, what = columns(count)
    filter_ = Filter.parse(filters.build(where, what, random.Random(count).randbytes))
    assert filter_.contains(where, what).all()
    assert not filter_.contains(*columns(20_000, seed=4)).any()
    assert not filter_.contains(where, what ^ np.uint32(1)).any()
    for index in range(0, count, max(1, count // 50)):
        assert plainly_contains(filter_, int(where[index]), int(what[index]))


def test_vectorised_lookup_equals_the_plain_one_also_on_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "FINGERPRINT_BITS", 4)  # so that some misses pass
    filter_ = Filter.parse(filters.build(*columns(500), random.Random(1).randbytes))
    where, what = columns(2_000, seed=9)
    expected = [plainly_contains(filter_, int(a), int(b) & 15) for a, b in zip(where, what, strict=True)]
    assert filter_.contains(where, what).tolist() == expected
    assert 60 < sum(expected) < 200


TIGHT = [filters.TIGHT_FROM, 801, 897, 1_000, 1_025, 2_000, 2_049, 5_000, 10_000, 31_000, 100_000, 250_000]


@pytest.mark.parametrize("count", TIGHT)
def test_at_most_4_6_bytes_an_item_from_the_stated_size_on(count: int) -> None:
    data = filters.build(*columns(count), random.Random(2).randbytes)
    assert len(data) / count <= 4.6


@pytest.mark.parametrize("count", [0, 1, 64, 65, 100, 129, 255, 400, 600, 799])
def test_a_small_set_takes_at_most_six_bytes_for_each_of_its_padded_count(count: int) -> None:
    data = filters.build(*columns(count), random.Random(2).randbytes)
    assert filters.bytes_per_item(data) <= 6


@pytest.mark.parametrize("count", [0, 1, 64, 65, 100, 128, 129, 1_000, 1_001, 54_321, 1_000_003])
def test_padded_counts_hide_the_count_and_cost_little(count: int) -> None:
    padded = filters.padded_count(count)
    assert max(64, count) <= padded <= max(64, count * 1.016)
    assert filters.padded_count(padded) == padded


def test_the_bytes_depend_on_randomness_alone_besides_the_items() -> None:
    where, what = columns(200)
    one, same, other = (filters.build(where, what, random.Random(seed).randbytes) for seed in (1, 1, 2))
    assert one == same != other
    assert (
        Filter.parse(filters.build(*columns(199), random.Random(1).randbytes)).count == Filter.parse(one).count == 200
    )


def test_two_items_in_the_same_slots_are_refused_with_a_reason() -> None:
    where, what = columns(100)
    where[1] = where[0]
    with pytest.raises(FilterError, match="new seed"):
        filters.build(where, what, random.Random(1).randbytes)


def test_too_many_items_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "MAX_ITEMS", 100)
    with pytest.raises(FilterError):
        filters.build(*columns(101), random.Random(1).randbytes)


def test_a_core_that_peeling_leaves_is_solved() -> None:
    where, _ = columns(10_112)
    shape = fuse.Shape.of(10_112, 17)
    _rounds, core = fuse._peel(fuse.slots(shape, where), shape.slots)
    assert len(core) > 1_000


@pytest.fixture(scope="module")
def encoded() -> bytes:
    return filters.build(*columns(70), random.Random(1).randbytes)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_bytes_are_refused_or_answer_without_error(encoded: bytes, data: st.DataObject) -> None:
    damaged = bytearray(encoded)
    damaged[data.draw(st.integers(0, 41))] ^= data.draw(st.integers(1, 255))
    try:
        filter_ = Filter.parse(bytes(damaged))
    except BlindError:
        return
    filter_.contains(*columns(50))


def test_other_lengths_versions_and_widths_are_refused(encoded: bytes) -> None:
    for wrong in (
        b"",
        encoded[:-1],
        encoded + b"\0",
        encoded.replace(b"v1", b"v2"),
        encoded[:24] + b"\x04" + encoded[25:],
    ):
        with pytest.raises(MalformedError):
            Filter.parse(wrong)
