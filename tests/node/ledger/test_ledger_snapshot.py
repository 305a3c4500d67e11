"""The log can be checked while the node writes: what is read is of one moment, and nobody waits."""

import threading

import pytest
from django.db import connections

from palermo.node.ledger import actions, queries
from palermo.node.ledger.snapshot import snapshot

pytestmark = pytest.mark.django_db(transaction=True)
several_connections = pytest.mark.skipif(
    connections["default"].vendor == "sqlite", reason="the tests' SQLite database is in memory, of one connection"
)


def in_another_thread(work) -> None:
    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert not thread.is_alive(), "a writer waits for a reader"


def test_a_snapshot_ends_and_may_be_taken_within_another(network):
    actions.checkpoint(now=network.now)
    with snapshot():
        with snapshot():
            assert queries.check() == []
        assert queries.size() == 8
    actions.append(kind="sent.test", counterparty="BB-POL", fields={}, now=network.now)
    assert queries.size() == 9 and queries.check() == []


@several_connections
def test_what_is_written_meanwhile_is_not_seen_and_does_not_wait(network):
    def write() -> None:
        actions.append(kind="sent.test", counterparty="BB-POL", fields={}, now=network.now)
        actions.checkpoint(now=network.now)

    write()
    with snapshot():
        before = queries.size()
        in_another_thread(write)
        assert queries.size() == before and queries.check() == []
    assert queries.size() == 2 * before and queries.check() == []
