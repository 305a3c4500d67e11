"""A node restored from a back-up that is 1,000 messages old: nothing is lost, done twice, or forked."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from homes import CODES, KIND, A, B, C

from palermo.node import restored
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory_queries
from palermo.node.exchange import actions, recovery, witnessing
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing, Peer, QueuedLetter
from palermo.node.exchange.routes import due_messages
from palermo.node.exchange.states import Outbox
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import disclosures
from palermo.node.ledger import queries as ledger_queries
from palermo.node.ledger.models import Witnessed
from palermo.node.office.errors import ConflictError
from palermo.node.office.models import Task
from palermo.sealing.ledger_export import verify_export
from palermo.sealing.verify import Verdict

MESSAGES = 1000


@pytest.mark.parametrize("number", [20, pytest.param(MESSAGES, marks=pytest.mark.slow)])
def test_a_back_up_that_is_many_messages_old(nodes, number):
    for text in ("first", "second"):
        nodes.write(B, A, text)
        nodes.write(A, B, text)
    nodes.settle_down()
    nodes.close_intervals()
    kept, size = nodes.back_up(A)
    for place in range(number // 2):
        nodes.write(B, A, f"to-a-{place}")
        nodes.write(A, (B, C)[place % 2], f"from-a-{place}")
    nodes.settle_down()
    nodes.close_intervals()
    with nodes.at(A):
        expected = set(Incoming.objects.values_list("message_id", flat=True))
        sent = set(Outgoing.objects.values_list("message_id", flat=True))
        before = ledger_queries.size()
    assert len(expected) + len(sent) == number + 4
    nodes.now += timedelta(days=9)  # longer than the messages live
    kept_effects = [found for found in nodes.effects[A] if found[1] in (f"{B}-first", f"{B}-second")]
    nodes.restore(A, kept, size)
    nodes.effects[A] = list(kept_effects)

    with nodes.at(A):
        with pytest.raises(ledger.RestoredError):
            ledger.append(kind="x", counterparty="", fields={}, now=nodes.now)
        with pytest.raises(ledger.RestoredError):
            actions.send(recipient=B, payload_type=KIND, payload=b"x", case_reference="", purpose="test", now=nodes.now)
        assert not due_messages(nodes.now).exists()
        assert witnessing.turn(nodes.now) == 0
    for _ in range(3):
        with nodes.at(A):
            recovery.turn(nodes.now)
        nodes.settle_down()

    with nodes.at(A):
        assert restored.read() is None
        assert set(Incoming.objects.values_list("message_id", flat=True)) == expected
        assert set(Outgoing.objects.values_list("message_id", flat=True)) == sent
        assert not Outgoing.objects.exclude(state=Outbox.ACCEPTED).exists()
        assert ledger_queries.size() > before
        assert Peer.objects.get(code=B).next_sequence == Outgoing.objects.filter(recipient=B).count() + 1
        assert ledger_queries.check() == []
        assert not QueuedLetter.objects.exists()
    assert len(nodes.effects[A]) == len(set(nodes.effects[A])) == len(expected), "each acted on once"
    for code in (B, C):
        assert len(nodes.effects[code]) == len(set(nodes.effects[code]))

    nodes.write(A, B, "after")
    nodes.write(B, A, "after")
    nodes.settle_down()
    nodes.close_intervals()
    for code in CODES:
        with nodes.at(code):
            assert not Witnessed.objects.filter(conflicts_with__isnull=False).exists(), "nobody saw a fork"
            assert not Witnessed.objects.filter(partner=code).exists()
            assert not Equivocation.objects.exists()
            assert ledger_queries.newest_cosigned().size == ledger_queries.size()
    with nodes.at(A):
        lines = disclosures.shown(SimpleNamespace(pk=1, roles=["auditor"], is_active=True))
        report = verify_export(lines, directory_queries.trust())
        assert report.verdict is Verdict.PROVEN, report.checks
        assert report.expired.total() > 0, "lost entries are shown as lost"


def test_a_partner_that_has_not_answered_gets_nothing_new(nodes):
    nodes.write(A, B, "first")
    nodes.settle_down()
    nodes.close_intervals()
    nodes.restore(A, *nodes.back_up(A))
    with nodes.at(A):
        recovery.turn(nodes.now)
        restored.note_log_recovered()
        assert restored.waits_for(B)
    with pytest.raises(ConflictError, match="has not said yet"):
        nodes.write(A, B, "second")


def test_partners_answer_to_a_new_key_where_the_one_they_sealed_to_is_lost(nodes):
    nodes.write(A, B, "first")
    nodes.settle_down()
    nodes.close_intervals()
    kept = nodes.back_up(A)
    with nodes.at(A):
        lost = own_keys.create_recipient_key(nodes.now + timedelta(minutes=1))
    nodes.now += timedelta(minutes=2)
    for code in (B, C):
        with nodes.at(code):
            directory_actions.take_recipient_key(A, lost, now=nodes.now)
    nodes.write(A, B, "second")
    nodes.write(B, A, "sealed-to-the-lost-key")
    nodes.settle_down()
    nodes.close_intervals()
    nodes.restore(A, *kept)
    for _ in range(3):
        with nodes.at(A):
            recovery.turn(nodes.now)
        nodes.settle_down()
    with nodes.at(A):
        assert restored.read() is None
        assert set(Outgoing.objects.values_list("message_id", flat=True)) == {f"{A}-first", f"{A}-second"}
        assert ledger_queries.check() == []
        told = Task.objects.filter(key=f"exchange.unreadable-again:{B}-sealed-to-the-lost-key")
        assert told.count() == 1, "a person is told what to ask for anew"
