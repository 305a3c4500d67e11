"""Canonical JSON and records: one spelling for each value, and nothing but FormatError for anything else."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.sealing import canonical, records
from palermo.sealing.errors import FormatError

SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="ascii")), VALUES, max_size=4))
def test_what_is_written_is_read_back_and_is_the_only_spelling(value: dict[str, object]) -> None:
    data = canonical.encode(value)
    assert canonical.decode(data, "value") == value
    assert canonical.encode(json.loads(data)) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a": 1}', "canonical"),
        (b'{"b":1,"a":1}', "canonical"),
        (b'{"a":1}\n', "canonical"),
        (b'{"a":"\\u0041"}', "canonical"),
        (b'{"a":1.0}', "whole number"),
        (b'{"a":1e3}', "whole number"),
        (b'{"a":NaN}', "whole number"),
        (b'{"a":9007199254740992}', "2\\*\\*53"),
        (b'{"a":' + b"9" * 5000 + b"}", "2\\*\\*53"),
        (b'{"a":-0}', "canonical"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":"\xff"}', "not the JSON"),
        (b"[1]", "object"),
        (b"", "not the JSON"),
        (b"\xef\xbb\xbf{}", "not the JSON"),
        (b'{"a":' + b"[" * 100 + b"]" * 100 + b"}", "nested"),
        (b'{"a":"' + b"x" * (1 << 20) + b'"}', "bytes"),
    ],
)
def test_other_spellings_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        canonical.decode(data, "value")


def test_bounds_hold_whatever_the_input() -> None:
    """Ten megabytes that fill the memory with empty lists, or that keep a quadratic scan busy for days."""
    size = 10 << 20
    for data in (b'"' + b'\\"' * (size // 2), b'{"a":[' + b"[]," * (size // 3) + b"[]]}", b"," * size, b'"' * size):
        with pytest.raises(FormatError):
            canonical.decode(data, "value", max_bytes=2 * size)


def test_brackets_within_text_are_not_depth() -> None:
    value = {"a": '[[[["{' * 50 + "\\"}
    assert canonical.decode(canonical.encode(value), "value") == value


@pytest.mark.parametrize("text", ["QQ", "QQ= =", "QR==", "Q Q==", "QQ==\n", "-_==", "ä"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(FormatError):
        canonical.decode_base64(text, "value")


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    number: int
    data: bytes


@dataclass(frozen=True)
class Outer:
    name: str
    inner: tuple[Inner, ...]
    at: datetime
    colour: Colour
    maybe: int | None = None
    flag: bool = False
    kind: str = records.always("outer/1")


AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTER = Outer("x", (Inner(1, b"\x00"),), AT, Colour.RED)
FIELDS = {
    "name": "x",
    "inner": [{"number": 1, "data": "AA=="}],
    "at": "2026-03-01T12:00:00Z",
    "colour": "red",
    "kind": "outer/1",
}


def test_a_record_leaves_out_what_holds_its_default() -> None:
    assert records.to_bytes(OUTER) == canonical.encode(FIELDS)
    assert records.from_bytes(Outer, canonical.encode(FIELDS), "outer") == OUTER
    assert records.from_bytes(Outer, canonical.encode(FIELDS | {"maybe": 0}), "outer").maybe == 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"new": 1}, "newer version"),
        ({"flag": False}, "spelt"),
        ({"maybe": None}, "spelt"),
        ({"name": 1}, "outer.name"),
        ({"inner": {}}, "outer.inner"),
        ({"inner": [1]}, r"outer.inner\[0\]"),
        ({"inner": [{"number": True, "data": ""}]}, "number"),
        ({"inner": [{"number": "1", "data": ""}]}, "number"),
        ({"inner": [{"number": 1, "data": "A"}]}, "data"),
        ({"at": "2026-03-01T13:00:00+01:00"}, "outer.at"),
        ({"at": "2026-03-01T12:00:00"}, "outer.at"),
        ({"at": "2026-03-01 12:00:00Z"}, "outer.at"),
        ({"at": "yesterday"}, "outer.at"),
        ({"colour": "blue"}, "outer.colour"),
        ({"colour": None}, "outer.colour"),
        ({"maybe": "1"}, "outer.maybe"),
        ({"flag": 1}, "outer.flag"),
    ],
)
def test_a_record_is_read_strictly(change: dict[str, object], where: str) -> None:
    with pytest.raises(FormatError, match=where):
        records.from_bytes(Outer, canonical.encode(FIELDS | change), "outer")


def test_a_missing_field_is_named_and_a_version_mark_cannot_be_left_out() -> None:
    for name in ("name", "kind"):
        with pytest.raises(FormatError, match=name):
            records.from_bytes(Outer, canonical.encode({key: FIELDS[key] for key in FIELDS if key != name}), "outer")


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_a_time_survives(at: datetime) -> None:
    try:
        text = records.format_time(at)
    except OverflowError:  # the first or last day of the calendar, in another zone
        return
    assert records.parse_time(text, "at") == at


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(FormatError, match="zone"):
        records.format_time(AT.replace(tzinfo=None))
