"""Envelopes and receipts: what a relay sees, what opens, and what is refused."""

import dataclasses
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.sealing import dsse, hpke, parcel, records
from palermo.sealing import envelope as module
from palermo.sealing.envelope import Header, Opened, open_envelope, peek, seal_envelope, verify_message
from palermo.sealing.errors import (
    BindingError,
    FormatError,
    OpeningError,
    SealingError,
    SignatureError,
    UnknownKeyError,
)
from palermo.sealing.keys import RecipientKey, SigningKey, VerifyKey
from palermo.sealing.receipt import RECEIPT_TYPE, Receipt, ReceiptStatus, parse_receipt, sign_receipt, verify_receipt

RNG = random.Random(1).randbytes
SENDER, STRANGER, RECEIVER = SigningKey.generate(RNG), SigningKey.generate(RNG), SigningKey.generate(RNG)
RECIPIENT, FORMER = RecipientKey.generate(RNG), RecipientKey.generate(RNG)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HEADER = Header(
    payload_type="palermo/requests.request+v1",
    sender="AU-POL",
    recipient="BO-CA",
    recipient_key_id=RECIPIENT.key_id,
    message_id="7f1c2b6a9d3e4f50a1b2c3d4e5f60718",
    sequence=1,
    case_reference="AU-CASE-7",
    purpose="confirmation of a hit",
    created_at=NOW,
    not_after=NOW + timedelta(days=7),
    directory_version=3,
)
PAYLOAD = b"who holds account XB00 0001?"
ENVELOPE = seal_envelope(HEADER, PAYLOAD, SENDER, RECIPIENT.public)


def keys_of(code: str) -> Sequence[VerifyKey]:
    return [SENDER.public] if code == "AU-POL" else []


def open_it(data: bytes) -> Opened:
    return open_envelope(data, {RECIPIENT.key_id: RECIPIENT, FORMER.key_id: FORMER}, keys_of)


def seal_by_hand(
    header: Header, outer: parcel._Clear, key: SigningKey = SENDER, payload_type: str = module.MESSAGE_TYPE
) -> bytes:
    """An envelope whose clear part and header are chosen freely, as a hostile member could make it."""
    head = records.to_bytes(header)
    signed = dsse.sign(payload_type, len(head).to_bytes(4, "big") + head + PAYLOAD, key)
    info = bytes.fromhex(outer.header_digest)
    return sealed_by_hand(records.to_bytes(outer), info, signed)


def sealed_by_hand(clear: bytes, info: bytes, signed: bytes, *, padding: int | None = None) -> bytes:
    """What lies within is chosen freely; ``padding`` zeros where given, else as many as version 2 wants."""
    opening = b"palermo-envelope/2\n" + clear + b"\n"
    inner = len(signed).to_bytes(4, "big") + signed
    size = parcel._plain_size(len(opening), len(signed)) if padding is None else len(inner) + padding
    return opening + hpke.seal(RECIPIENT.public, info, inner.ljust(size, b"\0"))


def outer_of(header: Header, **changes: str) -> parcel._Clear:
    data = seal_envelope(header, PAYLOAD, SENDER, RECIPIENT.public)
    outer = peek(data)
    clear = parcel._Clear(outer.recipient, outer.recipient_key_id, outer.suite, outer.header_digest)
    return dataclasses.replace(clear, **changes)


def test_what_is_sealed_opens() -> None:
    opened = open_it(ENVELOPE)
    assert (opened.header, opened.payload, opened.key_id) == (HEADER, PAYLOAD, SENDER.key_id)
    assert opened.digest == module.envelope_digest(ENVELOPE)


def test_the_signed_message_proves_itself_without_the_recipient_key() -> None:
    message = verify_message(open_it(ENVELOPE).signed, [SENDER.public])
    assert (message.header, message.payload, message.key_id) == (HEADER, PAYLOAD, SENDER.key_id)
    assert message.header_digest == peek(ENVELOPE).header_digest
    with pytest.raises(UnknownKeyError):
        verify_message(open_it(ENVELOPE).signed, [STRANGER.public])


def test_a_relay_sees_the_recipient_and_nothing_of_the_rest() -> None:
    outer = peek(ENVELOPE)
    assert (outer.recipient, outer.recipient_key_id, outer.suite) == ("BO-CA", RECIPIENT.key_id, hpke.SUITE)
    clear = ENVELOPE[: -len(outer.ciphertext)]
    for hidden in (b"AU-POL", b"AU-CASE-7", b"confirmation", HEADER.message_id.encode(), b"requests", b"2026"):
        assert hidden not in clear
        assert hidden not in ENVELOPE


def test_the_same_message_sealed_twice_looks_different() -> None:
    assert peek(seal_envelope(HEADER, PAYLOAD, SENDER, RECIPIENT.public)).ciphertext != peek(ENVELOPE).ciphertext


def test_a_former_recipient_key_still_opens_and_a_destroyed_one_says_so() -> None:
    header = dataclasses.replace(HEADER, recipient_key_id=FORMER.key_id)
    data = seal_envelope(header, PAYLOAD, SENDER, FORMER.public)
    assert open_it(data).payload == PAYLOAD
    with pytest.raises(UnknownKeyError, match="not held here"):
        open_envelope(data, {RECIPIENT.key_id: RECIPIENT}, keys_of)


def test_a_header_cannot_be_sealed_to_a_key_it_does_not_name() -> None:
    with pytest.raises(BindingError):
        seal_envelope(HEADER, PAYLOAD, SENDER, FORMER.public)


@pytest.mark.parametrize(
    ("changes", "error", "part"),
    [
        ({"recipient": "CE-FIU"}, BindingError, "header"),
        ({"header_digest": "0" * 64}, BindingError, "header"),
        ({"suite": "other"}, FormatError, "suite"),
        ({"recipient_key_id": FORMER.key_id}, OpeningError, "ciphertext"),
    ],
)
def test_clear_part_and_signed_header_must_agree(changes: dict[str, str], error: type[SealingError], part: str) -> None:
    with pytest.raises(error) as caught:
        open_it(seal_by_hand(HEADER, outer_of(HEADER, **changes)))
    assert part in caught.value.part


def test_a_sender_is_who_signs() -> None:
    with pytest.raises(UnknownKeyError, match="AU-POL"):
        open_it(seal_envelope(HEADER, PAYLOAD, STRANGER, RECIPIENT.public))
    unknown = dataclasses.replace(HEADER, sender="CE-FIU")
    with pytest.raises(UnknownKeyError, match="CE-FIU"):
        open_it(seal_envelope(unknown, PAYLOAD, SENDER, RECIPIENT.public))


def test_another_signed_thing_is_no_message() -> None:
    with pytest.raises(FormatError, match="is of type"):
        open_it(seal_by_hand(HEADER, outer_of(HEADER), payload_type=RECEIPT_TYPE))


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol_version": 3},
        {"protocol_version": 1, "partner_checkpoint": "a checkpoint"},
        {"sender": ""},
        {"recipient": "a b"},
        {"message_id": "x" * 65},
        {"recipient_key_id": "../x"},
        {"payload_type": "a b"},
        {"sequence": 0},
        {"directory_version": -1},
        {"not_after": NOW},
        {"created_at": NOW.replace(tzinfo=None)},
    ],
)
def test_a_header_outside_the_format_does_not_exist(changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        dataclasses.replace(HEADER, **changes)  # type: ignore[arg-type]


def test_a_flipped_bit_anywhere_is_refused() -> None:
    chosen = random.Random(4).randbytes(len(ENVELOPE))
    for at in [*range(300), *range(300, len(ENVELOPE), 29)]:
        flipped = ENVELOPE[:at] + bytes([ENVELOPE[at] ^ (1 << chosen[at] % 8)]) + ENVELOPE[at + 1 :]
        with pytest.raises(SealingError) as caught:
            open_it(flipped)
        assert caught.value.part


@given(
    st.binary(max_size=300)
    | st.builds(lambda at, more: ENVELOPE[:at] + more, st.integers(0, len(ENVELOPE)), st.binary(max_size=50))
    | st.builds(
        lambda at, more: ENVELOPE[:at] + more + ENVELOPE[at:], st.integers(0, 250), st.binary(min_size=1, max_size=9)
    )
)
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        assert open_it(data).payload == PAYLOAD
    except SealingError:
        assert data != ENVELOPE


@settings(max_examples=30)
@given(st.binary(max_size=200))
def test_garbage_that_a_member_encrypted_and_signed_is_refused(content: bytes) -> None:
    info = bytes(32)
    clear = records.to_bytes(outer_of(HEADER, header_digest=info.hex()))
    for signed in (content, dsse.sign(module.MESSAGE_TYPE, content, SENDER)):
        with pytest.raises(SealingError):
            open_it(sealed_by_hand(clear, info, signed))


@pytest.mark.parametrize("padding", [0, 1, 4096])
def test_a_padding_of_another_length_is_refused(padding: int) -> None:
    opened = open_it(ENVELOPE)
    clear = records.to_bytes(outer_of(HEADER))
    with pytest.raises(OpeningError, match="padded"):
        open_it(sealed_by_hand(clear, bytes.fromhex(peek(ENVELOPE).header_digest), opened.signed, padding=padding))


def test_a_padding_that_carries_something_is_refused() -> None:
    opening, info = len(ENVELOPE) - len(peek(ENVELOPE).ciphertext), bytes.fromhex(peek(ENVELOPE).header_digest)
    signed = open_it(ENVELOPE).signed
    plain = bytearray((len(signed).to_bytes(4, "big") + signed).ljust(parcel._plain_size(opening, len(signed)), b"\0"))
    plain[-1] = 1
    with pytest.raises(OpeningError, match="padded"):
        open_it(ENVELOPE[:opening] + hpke.seal(RECIPIENT.public, info, bytes(plain)))


@pytest.mark.parametrize(("size", "padded"), [(0, 8192), (3000, 16384), (600_000, 1 << 20), (1_000_000, 2 << 20)])
def test_the_size_of_an_envelope_is_a_bucket_from_version_2_on(size: int, padded: int) -> None:
    envelope = seal_envelope(HEADER, bytes(size), SENDER, RECIPIENT.public)
    assert len(envelope) == padded and open_it(envelope).payload == bytes(size)
    first = seal_envelope(dataclasses.replace(HEADER, protocol_version=1), bytes(size), SENDER, RECIPIENT.public)
    assert first.startswith(b"palermo-envelope/1\n") and len(first) < padded
    assert open_it(first).payload == bytes(size)


def test_buckets_are_powers_of_two_and_then_whole_mebibytes() -> None:
    assert [parcel.bucket(size) for size in (1, 4096, 4097, 1 << 20, (1 << 20) + 1, 5 << 20)] == [
        4096, 4096, 8192, 1 << 20, 2 << 20, 5 << 20,
    ]  # fmt: skip


@pytest.mark.parametrize("version", [0, 3, 99999])
def test_another_version_is_named_where_it_can_be(version: int) -> None:
    clear = ENVELOPE.split(b"\n")[1]
    with pytest.raises(FormatError) as caught:
        peek(b"palermo-envelope/%d\n%b\n..." % (version, clear))
    if version == 3:
        assert isinstance(caught.value, parcel.VersionError)
        assert (caught.value.version, caught.value.recipient) == (3, "BO-CA")
    else:
        assert not isinstance(caught.value, parcel.VersionError)


def test_the_version_of_the_clear_part_is_the_signed_one() -> None:
    first = seal_envelope(dataclasses.replace(HEADER, protocol_version=1), PAYLOAD, SENDER, RECIPIENT.public)
    clear = first.split(b"\n")[1]
    signed = open_it(first).signed
    with pytest.raises(BindingError, match="version"):
        open_it(sealed_by_hand(clear, bytes.fromhex(peek(first).header_digest), signed))


def test_too_long_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcel, "MAX_PARCEL_BYTES", 100)
    with pytest.raises(FormatError, match="more than"):
        peek(ENVELOPE)
    monkeypatch.setattr(module, "MAX_PAYLOAD_BYTES", 3)
    with pytest.raises(FormatError, match="more than"):
        seal_envelope(HEADER, PAYLOAD, SENDER, RECIPIENT.public)


RECEIPT = Receipt(
    envelope_digest=module.envelope_digest(ENVELOPE),
    message_id=HEADER.message_id,
    sender="AU-POL",
    recipient="BO-CA",
    status=ReceiptStatus.ACCEPTED,
    received_at=NOW,
    ledger_index=0,
)
SIGNED_RECEIPT = sign_receipt(RECEIPT, RECEIVER)
RECEIVER_KEYS = dsse.by_id(RECEIVER.public)


def test_a_receipt_is_the_recipients_word_on_one_envelope() -> None:
    receipt = verify_receipt(SIGNED_RECEIPT, RECEIVER_KEYS)
    assert receipt == RECEIPT == parse_receipt(SIGNED_RECEIPT)
    receipt.check_answers(HEADER, module.envelope_digest(ENVELOPE))
    with pytest.raises(UnknownKeyError):
        verify_receipt(SIGNED_RECEIPT, dsse.by_id(SENDER.public))


@pytest.mark.parametrize("name", ["envelope_digest", "message_id", "sender", "recipient"])
def test_a_receipt_for_another_message_is_named(name: str) -> None:
    other = dataclasses.replace(RECEIPT, **{name: "0" * 32})  # type: ignore[arg-type]
    with pytest.raises(BindingError, match=name):
        other.check_answers(HEADER, RECEIPT.envelope_digest)


def test_a_rejection_needs_no_ledger_entry() -> None:
    rejected = dataclasses.replace(RECEIPT, status=ReceiptStatus.REJECTED, reason="unknown type", ledger_index=None)
    assert verify_receipt(sign_receipt(rejected, RECEIVER), RECEIVER_KEYS) == rejected


def test_a_flipped_bit_in_a_receipt_is_refused() -> None:
    chosen = random.Random(5).randbytes(len(SIGNED_RECEIPT))
    for at in range(0, len(SIGNED_RECEIPT), 3):
        flipped = SIGNED_RECEIPT[:at] + bytes([SIGNED_RECEIPT[at] ^ (1 << chosen[at] % 8)]) + SIGNED_RECEIPT[at + 1 :]
        with pytest.raises((FormatError, SignatureError, UnknownKeyError)):
            verify_receipt(flipped, RECEIVER_KEYS)


@given(st.binary(max_size=100))
def test_a_signed_thing_that_is_no_receipt_is_refused(content: bytes) -> None:
    for data in (content, dsse.sign(RECEIPT_TYPE, content, RECEIVER)):
        with pytest.raises(SealingError):
            verify_receipt(data, RECEIVER_KEYS)
