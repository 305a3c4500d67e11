"""DSSE: the standard's encoding, both signatures, and nothing beside them."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.sealing import canonical, dsse
from palermo.sealing.errors import FormatError, SealingError, SignatureError, UnknownKeyError
from palermo.sealing.keys import SigningKey

KEY = SigningKey.generate(random.Random(1).randbytes)
OTHER = SigningKey.generate(random.Random(2).randbytes)
KEYS = dsse.by_id(KEY.public)
ENVELOPE = dsse.sign("text/plain", b"hello", KEY)


def test_pae_is_that_of_the_standard() -> None:
    """The example of the DSSE protocol, section "Test vectors"."""
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_gives_back_what_was_signed() -> None:
    verified = dsse.verify(ENVELOPE, KEYS, payload_type="text/plain")
    assert (verified.payload, verified.payload_type, verified.key_id) == (b"hello", "text/plain", KEY.key_id)
    envelope = json.loads(ENVELOPE)
    assert set(envelope) == {"payload", "payloadType", "signatures"}, "the fields of the standard"


def test_another_signer_or_type_is_refused() -> None:
    with pytest.raises(UnknownKeyError, match="not among the signer's keys"):
        dsse.verify(ENVELOPE, dsse.by_id(OTHER.public))
    with pytest.raises(FormatError, match="is of type"):
        dsse.verify(ENVELOPE, KEYS, payload_type="text/html")


def third_signature(envelope: dict[str, Any]) -> None:
    envelope["signatures"] += json.loads(dsse.sign("text/plain", b"hello", OTHER))["signatures"]


def first_alone(envelope: dict[str, Any]) -> None:
    del envelope["signatures"][1]


def other_order(envelope: dict[str, Any]) -> None:
    envelope["signatures"].reverse()


def two_keys(envelope: dict[str, Any]) -> None:
    envelope["signatures"][1] = json.loads(dsse.sign("text/plain", b"hello", OTHER))["signatures"][1]


def other_payload(envelope: dict[str, Any]) -> None:
    envelope["payload"] = canonical.encode_base64(b"hullo")


def other_type(envelope: dict[str, Any]) -> None:
    envelope["payloadType"] = "text/html"


def other_name(envelope: dict[str, Any]) -> None:
    for signature in envelope["signatures"]:
        signature["keyid"] = signature["keyid"].replace(KEY.key_id, OTHER.key_id)


@pytest.mark.parametrize(
    ("tamper", "error"),
    [
        (third_signature, FormatError),
        (first_alone, FormatError),
        (other_order, FormatError),
        (two_keys, FormatError),
        (other_payload, SignatureError),
        (other_type, SignatureError),
        (other_name, SignatureError),
    ],
)
def test_every_signature_counts(tamper: Callable[[dict[str, Any]], None], error: type[SealingError]) -> None:
    """All signers are known here: a signature too many, missing, or under another name refuses all the same."""
    envelope = json.loads(ENVELOPE)
    tamper(envelope)
    with pytest.raises(error):
        dsse.verify(canonical.encode(envelope), dsse.by_id(KEY.public, OTHER.public))


def test_a_flipped_bit_anywhere_is_refused() -> None:
    chosen = random.Random(3).randbytes(len(ENVELOPE))
    for at in range(0, len(ENVELOPE), 3):
        flipped = ENVELOPE[:at] + bytes([ENVELOPE[at] ^ (1 << chosen[at] % 8)]) + ENVELOPE[at + 1 :]
        with pytest.raises(SealingError):
            dsse.verify(flipped, KEYS)


@given(st.binary(max_size=200) | st.builds(lambda at, more: ENVELOPE[:at] + more, st.integers(0, 5000), st.binary()))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        assert dsse.verify(data, KEYS).payload == b"hello"
    except SealingError as error:
        assert error.part


def test_too_long_a_payload_is_not_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dsse, "MAX_PAYLOAD_BYTES", 4)
    with pytest.raises(FormatError, match="too long"):
        dsse.sign("text/plain", b"hello", KEY)
