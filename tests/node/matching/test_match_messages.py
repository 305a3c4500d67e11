"""Payloads of a blind match: one encoding each, read strictly."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.node.matching.messages import (
    AnswerMessage,
    ConfirmMessage,
    Disclosed,
    EvaluationMessage,
    ManifestMessage,
    MessageError,
    RunMessage,
)
from palermo.subjects.entities import Entity

RUN_ID, LOCATOR, REFERENCE, DIGEST = "0" * 31 + "1", "a" * 32, "b" * 32, "c" * 64
EXISTENCE = Disclosed("existence", "desk", "H1", "TLP:AMBER", "", None)
DATA = Disclosed("data", "desk", "H1", "TLP:AMBER", "ask", Entity("x-1", "Person", {"name": ("Invented",)}))
MESSAGES = [
    ManifestMessage(b"signed", {"email": b"1", "phone": b"2"}),
    RunMessage(RUN_ID, DIGEST, "Art. 1", "Officer Rossi", {"phone": 16}, b"request"),
    EvaluationMessage(RUN_ID, evaluation=b"evaluation"),
    EvaluationMessage(RUN_ID, refusal="no"),
    ConfirmMessage(RUN_ID, b"confirm"),
    AnswerMessage(RUN_ID, b"answer", {}, {}),
    AnswerMessage(RUN_ID, b"answer", {LOCATOR: (REFERENCE,)}, {REFERENCE: DATA}),
    AnswerMessage(RUN_ID, b"answer", {LOCATOR: (REFERENCE,)}, {REFERENCE: EXISTENCE}),
    AnswerMessage(RUN_ID, b"", {}, {}, refusal="no"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_what_was_written_is_read(message):
    assert type(message).from_bytes(message.to_bytes()) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_key_missing_or_added_and_another_encoding_are_refused(message):
    document = json.loads(message.to_bytes())
    for changed in [document | {"extra": 1}, dict(list(document.items())[1:])]:
        with pytest.raises(MessageError):
            type(message).from_bytes(json.dumps(changed, sort_keys=True, separators=(",", ":")).encode())
    for data in [json.dumps(document).encode(), message.to_bytes() + b"\n", b" " + message.to_bytes()]:
        if data != message.to_bytes():
            with pytest.raises(MessageError):
                type(message).from_bytes(data)


FAULTS = [
    (RunMessage, {"run_id": "x"}),
    (RunMessage, {"run_id": RUN_ID.upper().replace("0", "A")}),
    (RunMessage, {"manifest_digest": "c" * 63}),
    (RunMessage, {"elements": {"phone": 0}}),
    (RunMessage, {"elements": {"phone": True}}),
    (RunMessage, {"elements": {"phone": 2**20 + 1}}),
    (RunMessage, {"elements": {"Phone": 16}}),
    (RunMessage, {"elements": []}),
    (RunMessage, {"legal_basis": "x" * 201}),
    (RunMessage, {"officer": None}),
    (RunMessage, {"officer": "\ud800"}),
    (RunMessage, {"request": "not base64"}),
    (RunMessage, {"request": "cmVxdWVzdB=="}),
    (EvaluationMessage, {"refusal": "no"}),
    (EvaluationMessage, {"evaluation": ""}),
    (AnswerMessage, {"refusal": "no"}),
    (AnswerMessage, {"answer": ""}),
    (AnswerMessage, {"matches": {}}),
    (AnswerMessage, {"disclosures": {}}),
    (AnswerMessage, {"matches": {LOCATOR: []}}),
    (AnswerMessage, {"matches": {LOCATOR: [REFERENCE, REFERENCE]}}),
    (AnswerMessage, {"matches": {"short": [REFERENCE]}}),
    (AnswerMessage, {"disclosures": {REFERENCE: {}}}),
    (AnswerMessage, {"disclosures": {REFERENCE: DATA.to_json() | {"entity": "{}"}}}),
    (AnswerMessage, {"disclosures": {REFERENCE: DATA.to_json() | {"entity": 7}}}),
    (AnswerMessage, {"disclosures": {REFERENCE: DATA.to_json() | {"reveals": "all"}}}),
    (AnswerMessage, {"disclosures": {REFERENCE: DATA.to_json() | {"reveals": "existence"}}}),
    (AnswerMessage, {"disclosures": {REFERENCE: DATA.to_json() | {"caveats": "x" * 2001}}}),
]


@pytest.mark.parametrize(("kind", "change"), FAULTS)
def test_each_fault_is_refused(kind, change):
    good = {RunMessage: MESSAGES[1], EvaluationMessage: MESSAGES[2], AnswerMessage: MESSAGES[6]}[kind]
    document = json.loads(good.to_bytes()) | change
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(MessageError):
        kind.from_bytes(data)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(str.encode), st.sampled_from([b"[" * 100_000])))
@settings(max_examples=100)
def test_garbage_is_refused_with_one_error(data):
    for kind in (ManifestMessage, RunMessage, EvaluationMessage, ConfirmMessage, AnswerMessage):
        with pytest.raises(MessageError):
            kind.from_bytes(data)
