"""Each target of the fuzzer, for some hundred changed inputs: the search by coverage is ``tests/fuzz/run.py``."""

import pytest
from fuzzing.targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = 150


@st.composite
def changed(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A valid input with some bytes replaced, cut out, doubled or put in."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 8)))
        middle = draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=8))
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_valid_input_is_read(name) -> None:
    for seed in TARGETS[name].seeds():
        TARGETS[name].read(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_anything_else_is_refused_or_written_as_it_was_read(name) -> None:
    seeds = TARGETS[name].seeds()

    @settings(max_examples=EXAMPLES)
    @given(changed(seeds) | st.binary(max_size=200))
    def search(data: bytes) -> None:
        TARGETS[name].read(data)

    search()
