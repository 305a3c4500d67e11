"""Why was this not delivered? An answer for any message, in either direction, on the page and by command."""

import json
import random
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from typer.testing import CliRunner

from palermo.cli.main import app
from palermo.config.commands import node as node_commands
from palermo.node.directory.models import Authority, PublicKey
from palermo.node.exchange import actions, delivery, handlers, queries, refusals
from palermo.node.exchange.models import Outgoing
from palermo.node.office.errors import AccessDeniedError, InvalidError, NotFoundError
from palermo.sealing.receipt import ReceiptStatus

NOTE = "palermo/test.note+v1"
BB = "bb-pol.invalid"


@pytest.fixture
def send(network, notes):
    def _send(message_id: str = "m1", **changes):
        values = {"recipient": "BB-POL", "payload": b"hello", "case_reference": "C-1", "purpose": "test"}
        return actions.send(message_id=message_id, payload_type=NOTE, **{**values, "now": network.now, **changes})

    return _send


@pytest.fixture
def deliver(network, line):
    def _deliver(answer, after: timedelta = timedelta(0)) -> int:
        line.answers[BB] = answer
        with line.client() as client:
            return delivery.deliver_due(network.now + after, client, rng=random.Random(7))

    return _deliver


@pytest.fixture
def why(network):
    return lambda after=timedelta(0), message_id="m1": queries.why(message_id, now=network.now + after)


def test_a_message_that_waits_for_a_dead_partner(send, deliver, why, network):
    row = send()
    assert why().summary == "It waits here for BB-POL. It was not handed in yet, without a receipt."
    deliver(httpx.ConnectError("refused"))
    found = why()
    assert (found.direction, found.partner, found.stage, found.attempts) == (
        "out",
        "BB-POL",
        "submission-accepted",
        1,
    )
    assert "No answer from http://bb-pol.invalid" in found.last_error
    assert found.next == "It is handed in again." and network.now < found.next_at < network.now + timedelta(seconds=2)
    assert found.limit_at == row.not_after
    assert [event.what for event in found.events] == ["submission-accepted"]
    assert "duty desk of BB-POL" in found.advice[0] and "palermo courier export FILE --to BB-POL" in found.advice[1]


def test_a_message_whose_time_ran_out_and_its_late_receipt(send, deliver, why, partner):
    send()
    deliver(httpx.ConnectError("refused"), timedelta(days=7))
    found = why(timedelta(days=7))
    assert "may or may not have arrived" in found.summary and found.next == "It is handed in again."
    assert [event.what for event in found.events] == ["submission-accepted", "not-delivered"]
    assert any("Do not assume" in sentence for sentence in found.advice)
    assert (why(timedelta(days=38)).next, why(timedelta(days=38)).next_at) == ("", None)
    deliver(partner.receipt, timedelta(days=8))
    found = why(timedelta(days=8))
    assert found.summary.startswith("It was delivered")
    assert [event.what for event in found.events] == ["submission-accepted", "not-delivered", "delivered"]
    assert (found.last_error, found.next, found.advice) == ("", "", ())


def test_a_rejection_names_its_reason(send, deliver, why, partner):
    send()
    deliver(lambda envelope: partner.receipt(envelope, ReceiptStatus.REJECTED, reason="The case is closed."))
    found = why()
    assert found.summary == "BB-POL did not take it, and signed why: The case is closed."
    assert (found.events[-1].what, found.events[-1].by) == ("not-delivered", "BB-POL")


def test_by_courier_by_relay_or_to_nobody_that_is_listed(send, why, network):
    send()
    rows = Authority.objects.filter(code="BB-POL")
    rows.update(endpoint="", relay="")
    assert "waits for a courier" in why().next
    rows.update(relay="CC-FIU", protocol=2)
    Outgoing.objects.update(handed_at=network.now)
    assert why().next_at == network.now + timedelta(hours=6)
    PublicKey.objects.filter(authority__code="BB-POL").delete()
    rows.delete()
    assert "until a directory lists" in why().next and "palermo directory import" in why().advice[0]


def test_what_came_in(network, partner, notes, why):
    actions.receive(partner.envelope(message_id="in1"), now=network.now)
    found = why(message_id="in1")
    assert (found.direction, found.partner, found.stage) == ("in", "BB-POL", "delivered")
    assert "same receipt" in found.next
    notes.then = handlers.RefusedError("We hold no such case.")
    actions.receive(partner.envelope(message_id="in2"), now=network.now)
    found = why(message_id="in2")
    assert found.summary.endswith("We hold no such case.") and found.stage == "not-delivered"
    actions.receive(partner.envelope(b"other", message_id="in1"), now=network.now)
    found = why(message_id="in1")
    assert "equivocation" in [event.what for event in found.events] and "second message" in found.advice[0]


def test_what_never_left(send, why):
    with refusals.kept(), pytest.raises(InvalidError):
        send(recipient="")
    found = why()
    assert (found.direction, found.stage) == ("refused", "submission-rejected")
    assert "means nobody" in found.summary


def test_an_id_that_was_never_seen(why, network):
    with pytest.raises(NotFoundError, match="No message nothing was sent, received or refused here"):
        why(message_id="nothing")


def test_officers_without_access_to_the_post_see_nothing(send, network, make_officer):
    send()
    for role in ("supervisor", "auditor", "administrator"):
        assert queries.why_for(make_officer(role, role), "m1", now=network.now).partner == "BB-POL"
    for role in ("investigator", "central_authority"):
        officer = make_officer(role, role)
        for message_id in ("m1", "nothing"):
            with pytest.raises(AccessDeniedError):
                queries.why_for(officer, message_id, now=network.now)
        with pytest.raises(AccessDeniedError):
            queries.statement(officer, "m1", "submission-accepted")


@pytest.fixture
def command(monkeypatch, network, tmp_path):
    monkeypatch.setattr(node_commands, "enter", lambda home: None)
    monkeypatch.setattr(timezone, "now", lambda: network.now)
    return lambda *words: CliRunner().invoke(app, ["node", "why", *words, "--home", str(tmp_path)])


def test_the_command(send, deliver, command):
    send()
    deliver(httpx.ConnectError("refused"))
    done = command("m1")
    assert done.exit_code == 0
    for words in ("Message m1 to BB-POL: submission-accepted", "Last error: No answer", "Next: ", "- Call the contact"):
        assert words in done.output
    said = json.loads(command("m1", "--json").output)
    assert (said["found"], said["stage"], said["attempts"]) == (True, "submission-accepted", 1)
    assert said["events"][0]["at"] == "2026-03-02T09:00:00Z"


def test_the_command_on_an_unknown_id(command):
    done = command("nothing")
    assert done.exit_code == 1 and "No message nothing" in done.stderr
    done = command("nothing", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["found"] is False
