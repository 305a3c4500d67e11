"""Letters and batches: what a machine tells another, and several byte strings as one."""

import dataclasses
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.sealing import batch, parcel
from palermo.sealing.envelope import open_envelope
from palermo.sealing.errors import BindingError, FormatError, SealingError, UnknownKeyError
from palermo.sealing.keys import RecipientKey, SigningKey, VerifyKey
from palermo.sealing.letter import Letter, open_letter, seal_letter

RNG = random.Random(2).randbytes
SENDER, STRANGER = SigningKey.generate(RNG), SigningKey.generate(RNG)
RECIPIENT, FORMER = RecipientKey.generate(RNG), RecipientKey.generate(RNG)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LETTER = Letter(
    kind="ledger.cosign+v1",
    letter_id="7f1c2b6a9d3e4f50a1b2c3d4e5f60718",
    sender="AU-POL",
    recipient="BO-CA",
    recipient_key_id=RECIPIENT.key_id,
    created_at=NOW,
    not_after=NOW + timedelta(days=1),
    body=b"a checkpoint",
)
SEALED = seal_letter(LETTER, SENDER, RECIPIENT.public)


def keys_of(code: str) -> Sequence[VerifyKey]:
    return [SENDER.public] if code == "AU-POL" else []


def open_it(data: bytes) -> Letter:
    return open_letter(data, {RECIPIENT.key_id: RECIPIENT}, keys_of)


def test_a_letter_opens_for_its_recipient_alone() -> None:
    assert open_it(SEALED) == LETTER
    with pytest.raises(UnknownKeyError):
        open_letter(SEALED, {FORMER.key_id: FORMER}, keys_of)
    with pytest.raises(UnknownKeyError):
        open_it(seal_letter(LETTER, STRANGER, RECIPIENT.public))
    with pytest.raises(BindingError):
        seal_letter(LETTER, SENDER, FORMER.public)


def test_on_the_way_a_letter_looks_like_a_message() -> None:
    outer = parcel.peek(SEALED)
    assert (outer.version, outer.recipient, len(SEALED)) == (2, "BO-CA", 8192)
    with pytest.raises(FormatError):
        open_envelope(SEALED, {RECIPIENT.key_id: RECIPIENT}, keys_of)


def test_a_body_of_any_size_within_the_bound() -> None:
    large = dataclasses.replace(LETTER, body=bytes(1 << 20))
    assert open_it(seal_letter(large, SENDER, RECIPIENT.public)) == large
    with pytest.raises(FormatError, match="body"):
        dataclasses.replace(LETTER, body=bytes((8 << 20) + 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": ""},
        {"recipient": "a b"},
        {"letter_id": "../x"},
        {"kind": "a b"},
        {"in_reply_to": "x" * 65},
        {"not_after": NOW},
        {"created_at": NOW.replace(tzinfo=None)},
    ],
)
def test_a_letter_outside_the_format_does_not_exist(changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        dataclasses.replace(LETTER, **changes)  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=50), max_size=6))
def test_a_batch_comes_apart_as_it_was_put_together(items: list[bytes]) -> None:
    assert batch.unpack(batch.pack(items)) == items


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: batch.HEADING + tail))
def test_what_comes_apart_goes_together_to_the_same_bytes(data: bytes) -> None:
    try:
        assert batch.pack(batch.unpack(data)) == data
    except SealingError as error:
        assert isinstance(error, FormatError)


def test_a_batch_is_bounded() -> None:
    with pytest.raises(FormatError):
        batch.pack([b""] * (batch.MAX_ITEMS + 1))
    with pytest.raises(FormatError):
        batch.unpack(batch.HEADING + bytes(4) * (batch.MAX_ITEMS + 1))
    with pytest.raises(FormatError):
        batch.unpack(batch.pack([b"whole"])[:-1])
