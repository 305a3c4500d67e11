"""Many writers at once, where the database lets them: ``PALERMO_TEST_DATABASE=postgresql``."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from palermo.node.exchange import actions, handlers, queries
from palermo.node.exchange.models import Incoming, Outgoing
from palermo.node.ledger import actions as ledger_actions
from palermo.node.ledger import queries as ledger

THREADS, EACH = 8, 10
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


def together(work) -> list:
    """Run ``work(number)`` in several threads at once, each with a connection of its own."""

    def run(number: int) -> list:
        try:
            return [work(number, turn) for turn in range(EACH)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return [result for results in pool.map(run, range(THREADS)) for result in results]


@pytest.fixture
def note(monkeypatch):
    monkeypatch.setattr(handlers, "_handlers", {})
    handlers.register("palermo/test.note+v1", lambda message, *, now: None)
    return {
        "payload_type": "palermo/test.note+v1",
        "payload": b"hello",
        "case_reference": "CASE-2026-7",
        "purpose": "test of the post",
    }


def test_entries_appended_by_many_threads_make_one_log(network):
    def work(number: int, turn: int) -> int:
        fields = {"n": f"{number}.{turn}"}
        index = ledger_actions.append(kind="sent.test", counterparty="BB-POL", fields=fields, now=network.now).index
        if turn % 5 == 0:
            ledger_actions.checkpoint(now=network.now)
        return index

    indexes = together(work)
    assert len(set(indexes)) == len(indexes) == THREADS * EACH, "padding takes the numbers between them"
    assert ledger.check() == []


def test_messages_sent_by_many_threads_are_numbered_without_gap(network, note):
    def work(number: int, turn: int) -> int:
        return actions.send(recipient="BB-POL", now=network.now, **note).sequence

    assert sorted(together(work)) == list(range(1, THREADS * EACH + 1))
    assert ledger.size() == Outgoing.objects.count() == THREADS * EACH
    assert ledger.check() == []


def test_one_envelope_posted_by_many_threads_is_taken_once(network, note):
    with network.as_authority("BB-POL"):
        actions.send(recipient="AA-POL", now=network.now, **note)
    envelope = bytes(Outgoing.objects.get().envelope)
    receipts = together(lambda number, turn: actions.receive(envelope, now=network.now))
    assert len(set(receipts)) == 1 and Incoming.objects.count() == 1
    assert queries.check() == []


def test_sending_and_receiving_at_once_never_deadlocks(network, note):
    handlers.register("palermo/test.note+v1", lambda message, *, now: actions.send(recipient="CC-FIU", now=now, **note))
    with network.as_authority("BB-POL"):
        sent = [actions.send(recipient="AA-POL", now=network.now, **note).message_id for _ in range(THREADS * EACH)]
    envelopes = [bytes(Outgoing.objects.get(message_id=message_id).envelope) for message_id in sent]

    def work(number: int, turn: int) -> None:
        actions.receive(envelopes[number * EACH + turn], now=network.now)
        actions.send(recipient="CC-FIU", now=network.now, **note)

    together(work)
    assert Incoming.objects.filter(state="accepted").count() == THREADS * EACH
    to_fiu = Outgoing.objects.filter(recipient="CC-FIU").order_by("sequence").values_list("sequence", flat=True)
    assert list(to_fiu) == list(range(1, 2 * THREADS * EACH + 1))
    # BB-POL shares this database in the test alone, and so the checkpoint that it signed.
    assert [fault for fault in ledger.check() if "palermo/BB-POL" not in fault.detail] == []
