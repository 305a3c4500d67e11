"""Stage statements: who said which step of a message's way ended how; strictly read."""

import dataclasses
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from palermo.sealing import canonical, dsse, records
from palermo.sealing.errors import FormatError, SealingError, SignatureError, UnknownKeyError
from palermo.sealing.keys import SigningKey
from palermo.sealing.stage import (
    FAILURES,
    MAX_STATEMENT_BYTES,
    STAGE_TYPE,
    STEPS,
    Stage,
    StageReceipt,
    parse_stage,
    sign_stage,
    verify_stage,
)

KEY, STRANGER = (SigningKey.generate(random.Random(seed).randbytes) for seed in (1, 2))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RELAYED = StageReceipt(
    stage=Stage.RELAYED,
    message_id="",
    envelope_digest="ab" * 32,
    sender="AU-POL",
    recipient="BO-CA",
    issuer="CO-RELAY",
    at=NOW,
)
REFUSED = StageReceipt(
    stage=Stage.SUBMISSION_REJECTED,
    message_id="m-1",
    envelope_digest="",
    sender="AU-POL",
    recipient="nobody we know",
    issuer="AU-POL",
    at=NOW,
    reason="The directory lists no authority 'nobody we know'.",
)


@pytest.mark.parametrize("statement", [RELAYED, REFUSED, dataclasses.replace(REFUSED, recipient="")])
def test_a_statement_is_read_back_under_its_issuers_key_alone(statement: StageReceipt) -> None:
    signed = sign_stage(statement, KEY)
    assert verify_stage(signed, [STRANGER.public, KEY.public]) == parse_stage(signed) == statement
    with pytest.raises(UnknownKeyError):
        verify_stage(signed, [STRANGER.public])


def test_every_step_ends_one_of_two_ways() -> None:
    assert sorted(stage for step in STEPS for stage in step) == sorted(Stage)
    assert len(FAILURES) == len(STEPS)


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "au pol"},
        {"recipient": ""},
        {"issuer": ""},
        {"message_id": "no id"},
        {"envelope_digest": "AB" * 32},
        {"envelope_digest": ""},
        {"at": datetime(2026, 3, 2)},
        {"reason": "Relayed for a reason."},
        {"stage": Stage.RELAY_FAILED},
        {"stage": Stage.RELAY_FAILED, "reason": "x" * 2001},
        {"stage": Stage.RELAY_FAILED, "reason": "a\0b"},
        {"stage": Stage.SUBMISSION_REJECTED, "reason": "Unknown.", "recipient": "x" * 65},
    ],
)
def test_what_no_node_signs_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        dataclasses.replace(RELAYED, **change)
    written = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in change.items()}
    payload = canonical.encode(records.to_json(RELAYED) | written)
    with pytest.raises(FormatError):
        parse_stage(dsse.sign(STAGE_TYPE, payload, KEY))


def test_a_changed_byte_or_another_type_is_refused() -> None:
    signed = sign_stage(RELAYED, KEY)
    other = dsse.sign("application/vnd.palermo.receipt.v1", records.to_bytes(RELAYED), KEY)
    with pytest.raises(FormatError):
        verify_stage(other, [KEY.public])
    later = sign_stage(dataclasses.replace(RELAYED, sender="AU-FIU"), KEY)
    mixed = _with_payload_of(signed, later)
    with pytest.raises(SignatureError):
        verify_stage(mixed, [KEY.public])
    for data in (b"", b"{}", signed + b" ", b"x" * (MAX_STATEMENT_BYTES + 1)):
        with pytest.raises(SealingError):
            verify_stage(data, [KEY.public])


def _with_payload_of(signed: bytes, other: bytes) -> bytes:
    start, end = b'{"payload":"', b'","payloadType"'
    payload = other[len(start) : other.index(end)]
    return start + payload + signed[signed.index(end) :]
