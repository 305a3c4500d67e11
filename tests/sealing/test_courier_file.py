"""The courier file: written whole, read strictly, and worth what is left of it when a part is damaged."""

import base64
import hashlib
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.sealing import courier, dsse, records
from palermo.sealing.courier import Manifest, Part, open_stream, write_file, write_stream
from palermo.sealing.errors import BindingError, FormatError, SealingError, SignatureError, UnknownKeyError
from palermo.sealing.keys import SigningKey

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = SigningKey.generate()
CONTENTS = (b"first parcel " * 100, b"second parcel " * 200, b"third " * 300)


def keys(code: str):
    return [KEY.public] if code == "AA-POL" else []


def part(content: bytes, **more) -> Part:
    return Part(hashlib.sha256(content).hexdigest(), len(content), **more)


def manifest(contents=CONTENTS, **changes) -> Manifest:
    values = {
        "sender": "AA-POL",
        "recipient": "BB-POL",
        "made_at": NOW,
        "keys_end_at": NOW + timedelta(days=20),
        "deliver_before": NOW + timedelta(days=7),
        "parts": tuple(part(content) for content in contents),
    }
    return Manifest(**{**values, **changes})


def written(contents=CONTENTS, **changes) -> bytes:
    out = io.BytesIO()
    write_stream(out, manifest(contents, **changes), contents, KEY)
    return out.getvalue()


FILE = written()
HEAD = len(FILE) - sum(map(len, CONTENTS)) - len(b"palermo-courier-end " + b"0" * 64 + b"\n")


def taken(data: bytes) -> tuple[list[bytes | None], str]:
    file = open_stream(io.BytesIO(data), keys)
    parts = [carried.content for carried in file.parts()]
    return parts, file.fault


def test_what_is_written_is_read():
    file = open_stream(io.BytesIO(FILE), keys)
    assert file.manifest == manifest()
    assert [carried.content for carried in file.parts()] == list(CONTENTS)
    assert file.fault == ""


def test_the_second_line_tells_the_courier_what_it_carries_and_until_when():
    line = FILE.split(b"\n")[1].decode()
    assert line == (
        f"From AA-POL to BB-POL, made 2026-03-02T09:00:00Z: 3 parts, {sum(map(len, CONTENTS))} bytes. "
        "Keys end 2026-03-22T09:00:00Z. Deliver before 2026-03-09T09:00:00Z."
    )


def test_pieces_of_a_file_have_no_end_of_their_own():
    piece = (b"piece",)
    made = manifest(piece, parts=(part(b"piece", transfer="t-1", number=7),), deliver_before=None)
    out = io.BytesIO()
    write_stream(out, made, piece, KEY)
    assert b"1 part, 5 bytes." in out.getvalue() and b"Deliver before" not in out.getvalue()
    assert open_stream(io.BytesIO(out.getvalue()), keys).manifest == made


def test_a_damaged_part_costs_that_part_alone():
    broken = bytearray(FILE)
    broken[HEAD + len(CONTENTS[0]) + 5] ^= 1
    file = open_stream(io.BytesIO(bytes(broken)), keys)
    first, second, third = file.parts()
    assert (first.content, second.content, third.content) == (CONTENTS[0], None, CONTENTS[2])
    assert "damaged" in second.fault and second.part == manifest().parts[1]
    assert "digest" in file.fault


def test_a_cut_file_gives_what_came_before_the_cut():
    parts, fault = taken(FILE[: HEAD + len(CONTENTS[0]) + 10])
    assert parts == [CONTENTS[0], None, None] and fault


def test_something_after_the_end_is_named():
    parts, fault = taken(FILE + b"x")
    assert parts == list(CONTENTS) and fault


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: b"", FormatError),
        (lambda data: b"palermo-courier/2\n" + data[18:], FormatError),
        (lambda data: data[: HEAD - 10], FormatError),
        (lambda data: data.replace(b"Keys end 2026-03-22", b"Keys end 2026-03-23", 1), BindingError),
        (lambda data: data.replace(b"to BB-POL, made", b"to CC-FIU, made", 1), BindingError),
        (lambda data: data[:18] + b"x" * 2000 + data[18:], FormatError),
    ],
)
def test_a_changed_head_refuses_the_file(change, error):
    with pytest.raises(error):
        open_stream(io.BytesIO(change(FILE)), keys)


def test_a_manifest_signed_by_another_is_refused():
    out = io.BytesIO()
    write_stream(out, manifest(), CONTENTS, SigningKey.generate())
    with pytest.raises(UnknownKeyError):
        open_stream(io.BytesIO(out.getvalue()), keys)


def test_a_manifest_is_no_other_signed_thing():
    data = FILE[:18] + manifest().summary.encode() + b"\n"
    data += dsse.sign("application/vnd.palermo.receipt.v1", records.to_bytes(manifest()), KEY) + b"\n"
    with pytest.raises(FormatError):
        open_stream(io.BytesIO(data), keys)


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": "no code"},
        {"recipient": ""},
        {"made_at": NOW.replace(tzinfo=None)},
        {"parts": ()},
        {"parts": (part(b"a"), part(b"a"))},
    ],
)
def test_a_manifest_of_nonsense_cannot_be_made(changes):
    with pytest.raises(FormatError):
        manifest(**changes)


@pytest.mark.parametrize(
    "values",
    [
        ("0" * 63, 1),
        ("0" * 64, 0),
        ("0" * 64, courier.MAX_PART_BYTES + 1),
        ("0" * 64, 1, "", 1),
        ("0" * 64, 1, "../x"),
        ("0" * 64, 1, "t", -1),
    ],
)
def test_a_part_of_nonsense_cannot_be_made(values):
    with pytest.raises(FormatError):
        Part(*values)


@pytest.mark.parametrize("contents", [CONTENTS[:2], (*CONTENTS, b"more"), (b"other", *CONTENTS[1:])])
def test_only_what_the_manifest_states_is_written(tmp_path, contents):
    path = tmp_path / "stick.palermo"
    path.write_bytes(b"an earlier export")
    with pytest.raises(BindingError):
        write_file(path, manifest(), contents, KEY)
    assert [file.name for file in tmp_path.iterdir()] == ["stick.palermo"]
    assert path.read_bytes() == b"an earlier export"


def test_a_file_is_there_whole(tmp_path):
    digest = write_file(tmp_path / "stick.palermo", manifest(), CONTENTS, KEY)
    data = (tmp_path / "stick.palermo").read_bytes()
    assert taken(data) == (list(CONTENTS), "")
    assert data.endswith(b"palermo-courier-end " + digest.encode() + b"\n")


@given(place=st.integers(0, len(FILE) - 1), bit=st.integers(0, 7))
@settings(max_examples=200, deadline=None)
def test_no_flipped_bit_brings_in_other_bytes(place, bit):
    """Whatever is flipped: refused as a whole, or every part is given back as sent or not at all."""
    data = bytearray(FILE)
    data[place] ^= 1 << bit
    try:
        parts, fault = taken(bytes(data))
    except SealingError:
        assert place < HEAD
        return
    assert fault
    assert all(content in (None, sent) for content, sent in zip(parts, CONTENTS, strict=True))
    assert parts.count(None) == (1 if HEAD <= place < HEAD + sum(map(len, CONTENTS)) else 0)


@given(cut=st.integers(0, len(FILE) - 1), tail=st.binary(max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_cut_or_replaced_end_goes_unnoticed(cut, tail):
    data = FILE[:cut] + tail
    if data == FILE:
        return
    try:
        parts, fault = taken(data)
    except SealingError:
        return
    assert fault
    assert all(content in (None, sent) for content, sent in zip(parts, CONTENTS, strict=True))


@given(junk=st.binary(max_size=300), at=st.sampled_from([0, 18, 100]))
@settings(max_examples=150, deadline=None)
def test_hostile_bytes_are_refused_and_nothing_else(junk, at):
    with pytest.raises(SealingError):
        open_stream(io.BytesIO(FILE[:at] + junk), keys)


def test_a_signature_that_fails_is_said_to_fail():
    other = replace(manifest(), made_at=NOW + timedelta(days=1))
    out = io.BytesIO()
    write_stream(out, other, CONTENTS, KEY)
    payload = dsse.parse(out.getvalue().split(b"\n")[2]).payload
    signed = FILE.split(b"\n")[2].replace(
        base64.b64encode(dsse.parse(FILE.split(b"\n")[2]).payload), base64.b64encode(payload)
    )
    data = FILE[:18] + other.summary.encode() + b"\n" + signed + b"\n"
    with pytest.raises(SignatureError):
        open_stream(io.BytesIO(data), keys)
