"""How much a partner may hand in: above it there is a signed refusal, and nothing big is kept."""

from datetime import timedelta

import pytest

from palermo.node.exchange import actions, queries, quotas
from palermo.node.exchange.models import Equivocation, Incoming
from palermo.node.ledger import queries as ledger

SIZE = 100_000


@pytest.fixture
def narrow(monkeypatch):
    """A quota of two and a half envelopes of this size."""
    monkeypatch.setitem(quotas.QUOTAS, "envelopes", quotas.Quota(int(2.5 * SIZE), "for the test"))


def _post(partner, *, now=None, **header):
    return partner.read(actions.receive(partner.envelope(b"x" * 65_000, **header), now=now or partner.now))


def test_above_the_quota_a_message_is_refused_and_its_content_is_not_kept(narrow, partner, notes):
    receipts = [_post(partner) for _ in range(4)]
    assert [receipt.status for receipt in receipts] == ["accepted", "accepted", "rejected", "rejected"]
    assert "Send it again tomorrow" in receipts[2].reason
    assert len(notes.seen) == 2
    kept = Incoming.objects.order_by("pk").values_list("signed", flat=True)
    assert [signed is not None for signed in kept] == [True, True, False, False]
    assert queries.check() == [] and ledger.size() == 4


def test_far_above_it_nothing_is_kept_but_the_count(narrow, partner, notes):
    for _ in range(12):
        receipt = _post(partner)
    assert (receipt.status, receipt.ledger_index) == ("rejected", None)
    assert Incoming.objects.count() <= 5
    assert queries.check() == []


def test_a_flood_of_tiny_messages_ends_too(narrow, partner, notes):
    for _ in range(60):
        actions.receive(partner.envelope(b"x"), now=partner.now)
    assert Incoming.objects.count() <= 2 * 2.5 * SIZE / quotas.LEAST_BYTES
    assert ledger.size() == Incoming.objects.count()


def test_a_flood_of_contradictions_ends_too(narrow, partner, notes):
    for _ in range(6):
        _post(partner, message_id="m1")
    assert Equivocation.objects.count() == 1


def test_tomorrow_is_another_day_and_another_partner_another_quota(narrow, partner, other_partner, notes):
    for _ in range(3):
        _post(partner)
    assert _post(other_partner).status == "accepted"
    assert _post(partner, now=partner.now + timedelta(days=1)).status == "accepted"


def test_the_same_envelope_again_counts_once(narrow, partner, notes):
    envelope = partner.envelope(b"x" * 65_000)
    assert len({actions.receive(envelope, now=partner.now) for _ in range(5)}) == 1
    assert _post(partner).status == "accepted"


def test_every_quota_says_why():
    assert all(row.bytes > 0 and row.reason for row in quotas.QUOTAS.values())
