"""Each step of a message's way is stated once, signed; a person learns in time of what does not arrive."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.directory.models import Authority, PublicKey
from palermo.node.exchange import actions, handlers, queries, refusals, relay_statements
from palermo.node.exchange.actions import opening
from palermo.node.exchange.models import Incoming, Outgoing, QueuedLetter
from palermo.node.exchange.stage_models import Refusal, Statement
from palermo.node.exchange.stages import MOVES, RETRIEVE_WITHIN
from palermo.node.exchange.wire import CLOCK_SKEW
from palermo.node.office import queries as office
from palermo.node.office.errors import InvalidError
from palermo.sealing.errors import BindingError, SealingError
from palermo.sealing.letter import Letter
from palermo.sealing.receipt import ReceiptStatus
from palermo.sealing.stage import Stage, StageReceipt, sign_stage, verify_stage

NOTE = "palermo/test.note+v1"
LETTER = "palermo/test.read+v1"


@pytest.fixture
def supervisor(make_officer):
    return make_officer("supervisor", "supervisor")


@pytest.fixture
def send(network, notes):
    handlers.register(LETTER, handlers.Handler(notes.effect, notes.lost, for_person=True))
    Authority.objects.filter(code="BB-POL").update(protocol=2)

    def _send(message_id: str = "m1", **changes):
        values = {
            "recipient": "BB-POL",
            "payload_type": LETTER,
            "payload": b"hello",
            "case_reference": "C-1",
            "purpose": "test",
            "now": network.now,
        }
        return actions.send(message_id=message_id, **{**values, **changes})

    return _send


@pytest.fixture
def settle(network, partner):
    def _settle(message_id: str = "m1", status=ReceiptStatus.ACCEPTED, after=timedelta(0), **changes):
        row = Outgoing.objects.get(message_id=message_id)
        return actions.settle(row.pk, partner.receipt(bytes(row.envelope), status, **changes), now=network.now + after)

    return _settle


def stated(message_id: str = "m1") -> list[str]:
    return list(Statement.objects.filter(message__message_id=message_id).order_by("pk").values_list("stage", flat=True))


def titles(officer) -> list[str]:
    return [task.kind for task in office.work_queue(officer)]


def retrieved(partner, row: Outgoing, **changes) -> bytes:
    values = {
        "stage": Stage.RETRIEVED,
        "message_id": row.message_id,
        "envelope_digest": row.digest,
        "sender": "AA-POL",
        "recipient": "BB-POL",
        "issuer": "BB-POL",
        "at": partner.now,
    }
    return sign_stage(StageReceipt(**{**values, **changes}), partner.member.signing)


def letter(partner, body: bytes, sender: str = "BB-POL") -> Letter:
    return Letter(
        kind=opening.RETRIEVED,
        letter_id="l1",
        sender=sender,
        recipient="AA-POL",
        recipient_key_id=partner.own_public.key_id,
        created_at=partner.now,
        not_after=partner.now + timedelta(days=1),
        body=body,
    )


# --- submission ------------------------------------------------------------------------------


def test_what_enters_the_outbox_is_stated_so(send, network):
    row = send()
    (statement,) = Statement.objects.all()
    said = verify_stage(bytes(statement.signed), [own_keys.signing_key().public])
    assert (said.stage, said.message_id, said.envelope_digest) == ("submission-accepted", "m1", row.digest)
    assert (said.sender, said.recipient, said.issuer, said.at) == ("AA-POL", "BB-POL", "AA-POL", network.now)
    send()  # the same message once more
    assert Statement.objects.count() == 1


@pytest.mark.parametrize(
    "change, error, words, task",
    [
        ({"recipient": "ZZ-POL"}, directory.UnknownAuthorityError, "lists no authority", True),
        ({"recipient": ""}, InvalidError, "means nobody", False),
        ({"recipient": "no code at all"}, directory.UnknownAuthorityError, "lists no authority", True),
        ({"purpose": " "}, InvalidError, "State the purpose", False),
        ({"not_after": None, "payload": bytes(49 << 20)}, SealingError, "more than the", False),
    ],
)
def test_what_is_refused_leaves_a_signed_reason(send, supervisor, change, error, words, task):
    with refusals.kept(), pytest.raises(error), transaction.atomic():
        send(**change)
    assert not Outgoing.objects.exists()
    refusal = Refusal.objects.get(message_id="m1")
    said = verify_stage(bytes(refusal.signed), [own_keys.signing_key().public])
    assert said.stage is Stage.SUBMISSION_REJECTED and words in said.reason == refusal.reason
    assert said.recipient == refusal.recipient == change.get("recipient", "BB-POL")
    assert titles(supervisor) == (["exchange.refused"] if task else [])


def test_a_partner_whose_key_has_ended(send):
    PublicKey.objects.filter(authority__code="BB-POL", purpose="recipient").delete()
    for _ in range(2):
        with refusals.kept(), pytest.raises(directory.DirectoryError):
            send()
    assert "no recipient key in force" in Refusal.objects.get().reason


def test_a_refusal_outside_a_request_does_not_break_the_callers_transaction(send, caplog):
    with pytest.raises(InvalidError):
        send(recipient="")
    assert not Refusal.objects.exists() and "was refused" in caplog.text


# --- relay -----------------------------------------------------------------------------------


@pytest.fixture
def by_relay(send):
    Authority.objects.filter(code="BB-POL").update(endpoint="", relay="CC-FIU")


def of_relay(other_partner, row, stage=Stage.RELAYED, reason="", **changes) -> bytes:
    statement = StageReceipt(
        **{
            "stage": stage,
            "message_id": "",
            "envelope_digest": row.digest,
            "sender": "AA-POL",
            "recipient": row.partner,
            "issuer": "CC-FIU",
            "at": other_partner.now,
            "reason": reason,
            **changes,
        }
    )
    return sign_stage(statement, other_partner.member.signing)


def test_the_relays_word_is_kept_once(send, by_relay, other_partner, network, settle, supervisor):
    row = send()
    for _ in range(2):
        relay_statements.keep("CC-FIU", of_relay(other_partner, row), now=network.now)
    assert stated() == ["submission-accepted", "relayed"]
    assert Outgoing.objects.get().stage == "relayed" and Outgoing.objects.get().limit_at == row.not_after
    failed = of_relay(other_partner, row, Stage.RELAY_FAILED, "BB-POL did not collect it within 14 days.")
    relay_statements.keep("CC-FIU", failed, now=network.now)
    assert titles(supervisor) == ["exchange.relay-failed"]
    settle()  # it came another way all the same
    assert (Outgoing.objects.get().stage, titles(supervisor)) == ("delivered", [])


def test_a_relays_word_on_another_message_is_refused(send, by_relay, other_partner, network):
    row = send()
    for change in ({"recipient": "DD-POL"}, {"message_id": "m2"}, {"sender": "DD-POL"}):
        with pytest.raises(BindingError):
            relay_statements.keep("CC-FIU", of_relay(other_partner, row, **change), now=network.now)
    relay_statements.keep("CC-FIU", of_relay(other_partner, row, envelope_digest="0" * 64), now=network.now)
    assert stated() == ["submission-accepted"]


def test_without_a_relays_word_in_a_day_a_person_is_told_and_it_goes_on(send, by_relay, network, supervisor, settle):
    row = send()
    assert actions.warn(now=network.now + timedelta(hours=18)) == 1 and titles(supervisor) == ["exchange.late"]
    assert actions.expire(now=network.now + timedelta(days=1)) == 1
    now = Outgoing.objects.get()
    assert (now.state, now.stage, now.limit_at) == ("queued", "relay-failed", row.not_after)
    assert titles(supervisor) == ["exchange.relay-failed"] and stated()[-1] == "relay-failed"
    settle(after=timedelta(days=2))
    assert titles(supervisor) == []


# --- delivery --------------------------------------------------------------------------------


def test_a_warning_comes_before_the_end_and_once(send, network, supervisor):
    send()  # ends in 7 days: warned a quarter of that before, 42 hours
    assert actions.warn(now=network.now + timedelta(days=5)) == 0
    assert actions.warn(now=network.now + timedelta(days=5, hours=6)) == 1
    assert actions.warn(now=network.now + timedelta(days=6)) == 0
    (task,) = office.work_queue(supervisor)
    assert (task.kind, task.due_at) == ("exchange.late", network.now + timedelta(days=7))


def test_at_its_end_this_node_states_that_it_was_not_delivered(send, network, supervisor, settle, notes):
    send()
    actions.warn(now=network.now + timedelta(days=6))
    assert actions.expire(now=network.now + timedelta(days=7)) == 1
    statement = Statement.objects.order_by("pk").last()
    said = verify_stage(bytes(statement.signed), [own_keys.signing_key().public])
    assert said.stage is Stage.NOT_DELIVERED and "No receipt of BB-POL" in said.reason
    assert titles(supervisor) == ["exchange.unknown"] and notes.undelivered == [("m1", "unknown")]
    assert actions.expire(now=network.now + timedelta(days=8)) == 0
    settle(after=timedelta(days=9))  # a late receipt still counts
    row = Outgoing.objects.get()
    assert (row.state, row.stage, titles(supervisor)) == ("accepted", "delivered", [])
    assert stated() == ["submission-accepted", "not-delivered"]


def test_a_rejection_is_not_a_delivery(send, settle):
    send()
    settle(status=ReceiptStatus.REJECTED, reason="Case closed.")
    row = Outgoing.objects.get()
    assert (row.state, row.stage, row.limit_at, row.warn_at) == ("rejected", "not-delivered", None, None)


# --- retrieval -------------------------------------------------------------------------------


def test_an_officer_of_the_recipient_opens_it_and_the_sender_learns_so(send, settle, network, partner):
    send()
    settle()
    row = Outgoing.objects.get()
    assert row.limit_at == network.now + RETRIEVE_WITHIN
    for _ in range(2):
        opening.receive_retrieved(letter(partner, retrieved(partner, row)), now=network.now)
    row = Outgoing.objects.get()
    assert (row.stage, row.limit_at, row.warn_at) == ("retrieved", None, None)
    assert stated() == ["submission-accepted", "retrieved"]


def test_the_word_that_it_was_opened_may_overtake_the_receipt(send, settle, network, partner):
    send()
    opening.receive_retrieved(letter(partner, retrieved(partner, Outgoing.objects.get())), now=network.now)
    assert Outgoing.objects.get().stage == "submission-accepted"
    settle()
    assert Outgoing.objects.get().stage == "retrieved"


def test_what_nobody_opens_goes_before_a_person(send, settle, network, partner, supervisor):
    send()
    settle()
    assert actions.warn(now=network.now + RETRIEVE_WITHIN - timedelta(days=1)) == 1
    assert titles(supervisor) == ["exchange.unread"]
    assert actions.expire(now=network.now + RETRIEVE_WITHIN) == 1
    assert (Outgoing.objects.get().stage, titles(supervisor)) == ("not-retrieved", ["exchange.not-retrieved"])
    opening.receive_retrieved(letter(partner, retrieved(partner, Outgoing.objects.get())), now=network.now)
    assert (Outgoing.objects.get().stage, titles(supervisor)) == ("retrieved", [])


@pytest.mark.parametrize("protocol, payload_type", [(1, LETTER), (2, NOTE)])
def test_nobody_waits_for_an_old_node_or_for_a_message_between_machines(send, settle, protocol, payload_type):
    Authority.objects.filter(code="BB-POL").update(protocol=protocol)
    send(payload_type=payload_type)
    settle()
    row = Outgoing.objects.get()
    assert (row.stage, row.limit_at, row.warn_at) == ("delivered", None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"stage": Stage.DELIVERED},
        {"issuer": "CC-FIU"},
        {"sender": "CC-FIU"},
        {"message_id": "m2"},
        {"recipient": "CC-FIU"},
    ],
)
def test_another_statement_in_such_a_letter_is_refused(send, settle, network, partner, change):
    send()
    settle()
    body = retrieved(partner, Outgoing.objects.get(), **change)
    with pytest.raises(handlers.RefusedError):
        opening.receive_retrieved(letter(partner, body), now=network.now)
    assert stated() == ["submission-accepted"]


def test_an_officer_here_opens_what_came(send, network, partner):
    actions.receive(partner.envelope(payload_type=LETTER), now=network.now)
    actions.receive(partner.envelope(), now=network.now)
    first, second = Incoming.objects.order_by("pk")
    assert actions.opened("BB-POL", first.message_id, now=network.now)
    assert not actions.opened("BB-POL", first.message_id, now=network.now)
    assert not actions.opened("BB-POL", second.message_id, now=network.now)  # for machines alone
    assert not actions.opened("CC-FIU", first.message_id, now=network.now)
    (queued,) = QueuedLetter.objects.all()
    said = verify_stage(bytes(queued.body), [own_keys.signing_key().public])
    assert (said.stage, said.message_id, said.envelope_digest) == ("retrieved", first.message_id, first.digest)
    assert (said.sender, said.recipient, said.issuer) == ("BB-POL", "AA-POL", "AA-POL")


# --- the table, and the database beneath it --------------------------------------------------


def test_every_stage_has_its_moves():
    assert set(MOVES) == set(Stage)
    assert all(stage not in after for stage, after in MOVES.items())


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("state", ["queued", "unknown", "accepted", "rejected"])
def test_the_database_refuses_a_stage_that_a_state_cannot_have(send, state, stage):
    send()
    fits = {
        "queued": {"submission-accepted", "relayed", "relay-failed"},
        "unknown": {"not-delivered"},
        "rejected": {"not-delivered"},
        "accepted": {"delivered", "retrieved", "not-retrieved"},
    }[state]
    change = {"state": state, "stage": stage, "receipt": b"r" if state in ("accepted", "rejected") else None}
    if stage in fits:
        Outgoing.objects.update(**change)
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        Outgoing.objects.update(**change)


# --- what is kept ----------------------------------------------------------------------------


def test_an_id_is_known_past_its_end_and_the_largest_skew(network, notes, partner):
    envelope = partner.envelope()
    receipt = actions.receive(envelope, now=network.now)
    for later in (timedelta(days=7), timedelta(days=7) + CLOCK_SKEW, timedelta(days=400)):
        assert actions.receive(envelope, now=network.now + later) == receipt
    assert len(notes.seen) == 1 and Incoming.objects.count() == 1


@pytest.mark.parametrize("change", [{"stage": "relayed"}, {"reason": "none"}, {"issuer": "CC-FIU"}, {"signed": b"{}"}])
def test_a_changed_statement_is_found(send, change):
    send()
    assert queries.check() == []
    Statement.objects.update(**change)
    assert [fault.what for fault in queries.check()] == ["statement"]


def test_a_changed_refusal_is_found(send):
    with refusals.kept(), pytest.raises(InvalidError):
        send(recipient="")
    assert queries.check() == []
    Refusal.objects.update(reason="another")
    assert [fault.what for fault in queries.check()] == ["statement"]
