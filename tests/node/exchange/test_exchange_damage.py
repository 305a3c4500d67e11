"""A flipped bit in any stored envelope, signed message, receipt or column is found, and named where it is."""

from datetime import timedelta

import pytest
from django.db.models import F

from palermo.node.exchange import actions, queries
from palermo.node.exchange.models import Equivocation, Incoming, Outgoing


@pytest.fixture
def boxes(network, partner, notes):
    """One message sent and receipted, one received, and one that contradicts it."""
    row = actions.send(
        recipient="BB-POL",
        payload_type="palermo/test.note+v1",
        payload=b"hello",
        case_reference="C-1",
        purpose="test",
        message_id="ours",
        now=network.now,
    )
    out = Outgoing.objects.get(message_id=row.message_id)
    actions.settle(out.pk, partner.receipt(bytes(out.envelope)), now=network.now)
    actions.receive(partner.envelope(b"yes", message_id="theirs"), now=network.now)
    actions.receive(partner.envelope(b"no", message_id="theirs"), now=network.now)
    assert queries.check() == []
    return network


WHERE = {
    Outgoing: "message ours to BB-POL",
    Incoming: "message theirs from BB-POL",
    Equivocation: "second message under theirs from BB-POL",
}
BYTES = [
    (Outgoing, "envelope", "envelope"),
    (Outgoing, "receipt", "receipt"),
    (Incoming, "envelope", "envelope"),
    (Incoming, "signed", "signed message"),
    (Incoming, "receipt", "receipt"),
    (Equivocation, "envelope", "envelope"),
    (Equivocation, "signed", "signed message"),
    (Equivocation, "receipt", "receipt"),
]


@pytest.mark.parametrize(("box", "column", "what"), BYTES)
def test_a_flipped_bit(boxes, box, column, what):
    data = bytes(getattr(box.objects.get(), column))
    for place in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
        changed = bytearray(data)
        changed[place] ^= 1
        box.objects.update(**{column: bytes(changed)})
        assert [(fault.what, fault.where) for fault in queries.check()] == [(what, WHERE[box])], place
    box.objects.update(**{column: data})
    assert queries.check() == []


COLUMNS = [
    (Outgoing, {"digest": "0" * 64}),
    (Outgoing, {"state": "rejected", "stage": "not-delivered"}),
    (Outgoing, {"reason": "none"}),
    (Outgoing, {"partner_index": 5}),
    (Outgoing, {"recipient": "CC-FIU"}),
    (Incoming, {"digest": "0" * 64}),
    (Incoming, {"state": "rejected"}),
    (Incoming, {"reason": "none"}),
    (Incoming, {"ledger_index": 77}),
    (Incoming, {"message_id": "another"}),
    (Incoming, {"sequence": 55}),
    (Incoming, {"purpose": "another"}),
    (Incoming, {"case_reference": "another"}),
    (Incoming, {"payload_type": "another/type"}),
    (Incoming, {"in_reply_to": "another"}),
    (Incoming, {"created_at": F("created_at") + timedelta(seconds=1)}),
    (Incoming, {"not_after": F("not_after") + timedelta(seconds=1)}),
    (Incoming, {"sender": "CC-FIU"}),
    (Equivocation, {"digest": "0" * 64}),
]


@pytest.mark.parametrize(("box", "change"), COLUMNS)
def test_a_changed_column(boxes, box, change):
    box.objects.update(**change)
    faults = queries.check()
    assert faults and all(fault.detail for fault in faults)


def test_a_receipt_put_with_another_message(boxes, partner):
    """Every signature holds, but the receipt is for other bytes."""
    Incoming.objects.update(receipt=Equivocation.objects.get().receipt)
    assert ("receipt", "is that of another message") in [(fault.what, fault.detail) for fault in queries.check()]


def test_signed_messages_swapped(boxes):
    first, second = Incoming.objects.get(), Equivocation.objects.get()
    Incoming.objects.update(signed=second.signed)
    Equivocation.objects.update(signed=first.signed)
    details = [fault.detail for fault in queries.check() if fault.what == "signed message"]
    assert details.count("belongs to another envelope") == 2


def test_what_was_signed_outlives_the_key_that_opened_it(boxes):
    """The recipient key is destroyed after 30 days; damage is found all the same."""
    for file in boxes.members["AA-POL"].home.glob("keys/recipient-*.key"):
        file.unlink()
    assert queries.check() == []
    signed = bytearray(Incoming.objects.get().signed)
    signed[len(signed) // 2] ^= 1
    Incoming.objects.update(signed=bytes(signed))
    assert [fault.what for fault in queries.check()] == ["signed message"]
