"""Many messages at once: the same outcome as one by one, by few statements, and one that fails spoils no other."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from palermo.node.exchange import actions, handlers, queries
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing
from palermo.node.exchange.stage_models import Statement
from palermo.node.exchange.wire import NOT_YET
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.models import Entry
from palermo.node.office import actions as office
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.models import AuditRow
from palermo.sealing.receipt import ReceiptStatus

NOTE = "palermo/test.note+v1"


@pytest.fixture
def obeyed(notes):
    """A handler that does what the payload says."""

    def effect(message, *, now):
        office.audit(None, "effect", message.message_id, now=now)
        if message.payload == b"refuse":
            raise handlers.RefusedError("not this one")
        if message.payload == b"not yet":
            raise handlers.NotYetError("the manifest is on its way")
        if message.payload == b"bug":
            raise RuntimeError("a bug")

    handlers.register(NOTE, effect)


def effects() -> list[str]:
    return list(AuditRow.objects.filter(verb="effect").order_by("pk").values_list("target", flat=True))


def test_one_batch_has_the_outcome_of_its_messages_one_by_one(partner, obeyed):
    first = partner.envelope(b"go", message_id="m1", sequence=1)
    parcels = [
        first,
        partner.envelope(b"refuse", message_id="m2", sequence=2),
        partner.envelope(b"not yet", message_id="m3", sequence=3),
        partner.envelope(b"another", message_id="m1", sequence=4),
        first,
        partner.envelope(b"bug", message_id="m5", sequence=5),
        partner.envelope(b"another", message_id="m6", sequence=2),
        partner.envelope(b"go", message_id="m7", sequence=7),
    ]
    answers = actions.receive_parcels(parcels, now=partner.now)
    said = ["later" if answer.startswith(NOT_YET) else partner.read(answer).status for answer in answers]
    accepted, rejected = ReceiptStatus.ACCEPTED, ReceiptStatus.REJECTED
    assert said == [accepted, rejected, "later", rejected, accepted, "later", rejected, accepted]
    assert answers[0] == answers[4]
    assert partner.read(answers[1]).reason == "not this one" and "under this id" in partner.read(answers[3]).reason
    assert "under this sequence" in partner.read(answers[6]).reason
    assert effects() == ["m1", "m7"]
    assert (Incoming.objects.count(), Equivocation.objects.count()) == (3, 2)
    kinds = sorted(kind.partition(".")[0] for kind in Entry.objects.values_list("kind", flat=True))
    assert kinds == ["equivocation", "equivocation", "received", "received", "refused"]
    receipts = [partner.read(answer) for answer in answers if not answer.startswith(NOT_YET)]
    for receipt in receipts:
        assert ledger.opened(receipt.ledger_index)[3].value == receipt.message_id
    assert actions.receive_parcels(parcels[:2], now=partner.now) == answers[:2]
    assert queries.check() == [] and ledger.check() == []


def test_what_was_put_off_is_taken_when_it_comes_again(partner, obeyed):
    late = partner.envelope(b"not yet", message_id="m1", sequence=1)
    (answer, taken) = actions.receive_parcels([late, partner.envelope(b"go")], now=partner.now)
    assert answer.startswith(NOT_YET) and partner.read(taken).ledger_index == 0
    handlers.register(NOTE, lambda message, *, now: None)
    assert partner.read(actions.receive_parcels([late], now=partner.now)[0]).ledger_index == 1


def test_a_batch_takes_few_statements(partner, obeyed):
    def statements(number: int) -> int:
        parcels = [partner.envelope(b"go") for _ in range(number)]
        with CaptureQueriesContext(
            connection,
        ) as asked:
            actions.receive_parcels(parcels, now=partner.now)
        return len(asked)

    statements(1)
    few, many = statements(2), statements(32)
    assert many - few <= 30 * 4, "each message: its savepoint, its effect, and next to nothing else"


def draft(recipient: str = "BB-POL", **changes) -> actions.Draft:
    values = {"payload_type": NOTE, "payload": b"hello", "case_reference": "C-1", "purpose": "test of the post"}
    return actions.Draft(recipient=recipient, **{**values, **changes})


def test_many_are_sent_as_if_one_by_one(network, partner, notes):
    first = actions.send_all([draft(message_id="m1")], now=network.now)
    rows = actions.send_all([draft(), draft("CC-FIU"), draft(message_id="m1"), draft()], now=network.now)
    assert [(row.partner, row.sequence, row.ledger_index) for row in rows] == [
        ("BB-POL", 2, 1),
        ("CC-FIU", 1, 2),
        ("BB-POL", 1, 0),
        ("BB-POL", 3, 3),
    ]
    assert rows[2] == first[0]
    assert Statement.objects.count() == Outgoing.objects.count() == 4
    assert [partner.open(bytes(row.envelope)).header.sequence for row in Outgoing.objects.filter(recipient="BB-POL")]
    assert queries.check() == [] and ledger.check() == []


@pytest.mark.django_db(transaction=True)
def test_one_that_may_not_be_sent_keeps_back_all_and_is_named(network):
    with pytest.raises(InvalidError):
        actions.send_all([draft(), draft(purpose=" ", message_id="bad")], now=network.now)
    assert not Outgoing.objects.exists() and ledger.size() == 0
    with pytest.raises(ConflictError):
        actions.send_all([draft(message_id="m1"), draft(message_id="m1", payload=b"other")], now=network.now)
    assert not Outgoing.objects.exists() and ledger.size() == 0
