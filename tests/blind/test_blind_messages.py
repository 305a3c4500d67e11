"""A table of faults: whatever is not the one encoding of a sensible message is refused, with a reason."""

import random

import pytest

from palermo.blind import MalformedError, MismatchError, group, messages
from palermo.blind.messages import Answer, Confirm, Evaluation, EvaluationBatch, Request, RequestBatch
from palermo.blind.querier_run import QuerierRun, Stage
from palermo.blind.wire import Reader, counted, prefixed

POINTS = group.random_points(16, random.Random(1).randbytes)
REQUEST = Request("run-1", "XA", "XB", bytes(32), "case", "basis", bytes(32), [RequestBatch("phone", POINTS)])
EVALUATION = Evaluation("run-1", bytes(32), [EvaluationBatch("phone", POINTS, [bytes(64)])])
CONFIRM = Confirm("run-1", bytes(32), [(bytes([n]) * 16, bytes(32)) for n in range(16)])
ANSWER = Answer("run-1", bytes(32), [None, b"\x07" * 32])


@pytest.mark.parametrize("message", [REQUEST, EVALUATION, CONFIRM, ANSWER], ids=lambda message: type(message).__name__)
def test_a_sound_message_reads_back(message) -> None:
    assert type(message).parse(message.to_bytes()) == message


@pytest.mark.parametrize(
    "fault, reason",
    [
        (REQUEST._replace(run_id=""), "name"),
        (REQUEST._replace(case_reference="a\nb"), "name"),
        (REQUEST._replace(legal_basis="x" * 201), "name"),
        (REQUEST._replace(batches=[RequestBatch("Phone", POINTS)]), "kind"),
        (REQUEST._replace(batches=[RequestBatch("phone", POINTS)] * 2), "sorted"),
        (REQUEST._replace(batches=[RequestBatch("b", POINTS), RequestBatch("a", POINTS)]), "sorted"),
        (REQUEST._replace(batches=[RequestBatch(f"k{n:02}", POINTS) for n in range(65)]), "more than 64"),
        (REQUEST._replace(batches=[RequestBatch("phone", POINTS[:15])]), "bucket"),
        (REQUEST._replace(batches=[RequestBatch("phone", [])]), "bucket"),
        (REQUEST._replace(batches=[RequestBatch("phone", [*POINTS[:15], bytes(32)])]), "element 15"),
        (REQUEST._replace(batches=[RequestBatch("phone", [b"\xff" * 32, *POINTS[1:]])]), "element 0"),
        (EVALUATION._replace(batches=[EvaluationBatch("phone", POINTS, [])]), "proof"),
        (EVALUATION._replace(batches=[EvaluationBatch("phone", POINTS, [bytes(64)] * 2)]), "proof"),
        (CONFIRM._replace(entries=CONFIRM.entries[:15]), "bucket"),
        (CONFIRM._replace(entries=CONFIRM.entries[::-1]), "sorted"),
        (CONFIRM._replace(entries=[CONFIRM.entries[0]] * 16), "distinct"),
        (CONFIRM._replace(entries=[]), "bucket"),
    ],
)
def test_a_senseless_message_is_refused_with_a_reason(fault, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        type(fault).parse(fault.to_bytes())


def test_an_answers_entry_is_a_mac_or_none() -> None:
    data = ANSWER.to_bytes()
    with pytest.raises(MalformedError, match="neither"):
        Answer.parse(data[:-33] + b"\x02" + data[-32:])
    with pytest.raises(MalformedError, match="neither"):
        Answer.parse(data[:-33] + b"\x00" + data[-32:])


def test_size_is_bounded_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_BYTES", 100)
    for message in (REQUEST, EVALUATION, CONFIRM):
        with pytest.raises(MalformedError, match="more than the 100"):
            type(message).parse(message.to_bytes())


def test_a_claimed_count_is_believed_only_if_the_bytes_are_there() -> None:
    reader = Reader("list", counted([]).replace(b"\0\0\0\0", b"\xff\xff\xff\xff"), b"", 100)
    with pytest.raises(MalformedError, match="too early"):
        reader.chunks(32)


def test_texts_are_utf_8_and_fit_their_prefix() -> None:
    with pytest.raises(MalformedError, match="UTF-8"):
        Reader("text", prefixed(b"\xff"), b"", 100).text()
    with pytest.raises(MalformedError, match="two bytes"):
        prefixed(bytes(2**16))


def test_a_stored_run_of_no_known_stage_is_refused() -> None:
    data = QuerierRun(Stage.CONCLUDED, b"", REQUEST.to_bytes(), [], {}, b"", b"", []).to_bytes()
    assert QuerierRun.parse(data).request == REQUEST.to_bytes()
    with pytest.raises(MalformedError, match="stage 9"):
        QuerierRun.parse(data.replace(b"-v1\n\x03", b"-v1\n\x09", 1))


def test_an_evaluation_or_answer_of_another_size_is_refused(world) -> None:
    match = world.Match(world.phones(range(5), "h"), world.phones(range(5), "q"))
    querier, request = match.start()
    run = match.evaluate(request)
    evaluation = Evaluation.parse(run.evaluation)
    for wrong in (
        evaluation._replace(run_id="run-2"),
        evaluation._replace(batches=[]),
        evaluation._replace(batches=[evaluation.batches[0]._replace(kind="iban")]),
    ):
        with pytest.raises(MismatchError):
            querier.finalize(wrong.to_bytes())
    locators = querier.finalize(run.evaluation)
    answer = Answer.parse(match.confirm(run, locators).answer)
    for wrong in (answer._replace(run_id="run-2"), answer._replace(macs=answer.macs[:-1])):
        with pytest.raises(MismatchError):
            querier.conclude(wrong.to_bytes())


def test_a_confirm_cannot_name_more_locators_than_were_asked(world) -> None:
    match = world.Match(world.phones(range(5), "h"), world.phones(range(5), "q"))
    querier, request = match.start()
    run = match.evaluate(request)
    named = Confirm.parse(querier.finalize(run.evaluation))
    fishing = sorted([*named.entries, *((bytes([n]) * 16, bytes(32)) for n in range(8))])
    with pytest.raises(MismatchError, match="more locators"):
        match.confirm(run, named._replace(entries=fishing).to_bytes())
