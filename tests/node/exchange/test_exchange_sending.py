"""Sending: one transaction holds number, envelope, ledger entry and outbox row, or none of them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange import actions, queries
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.ledger import queries as ledger
from palermo.node.ledger.models import Checkpoint
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import FormatError


def send(network, recipient: str = "BB-POL", payload: bytes = b"hello", **changes):
    values = {
        "payload_type": "palermo/test.note+v1",
        "case_reference": "CASE-2026-7",
        "purpose": "test of the post",
        "legal_basis": "UNTOC 27",
        "now": network.now,
    }
    return actions.send(recipient=recipient, payload=payload, **{**values, **changes})


def test_the_partner_can_open_what_was_sent(network, partner):
    row = send(network, in_reply_to="question-1", fields={"manifest": "ab" * 32})
    opened = partner.open(bytes(Outgoing.objects.get().envelope))
    header = opened.header
    assert opened.payload == b"hello" and opened.digest == row.digest
    assert (header.sender, header.recipient, header.sequence) == ("AA-POL", "BB-POL", 1)
    assert (header.message_id, header.in_reply_to) == (row.message_id, "question-1")
    assert (header.created_at, header.not_after) == (network.now, network.now + timedelta(days=7))
    assert header.directory_version == 1
    assert header.partner_checkpoint == "", "version 1 has no place for it"
    signed = verify_checkpoint(header.checkpoint, partner.own_verify, origin="palermo/AA-POL")
    assert signed.size == 0
    fields = {field.name: field.value for field in ledger.opened(row.ledger_index)}
    assert fields["kind"] == "sent.palermo/test.note+v1"
    assert (fields["envelope"], fields["legal_basis"]) == (row.digest, "UNTOC 27")
    assert fields["manifest"] == "ab" * 32
    assert queries.check() == [] and ledger.check() == []


def test_each_partner_has_its_own_numbers(network):
    rows = [send(network, code) for code in ("BB-POL", "BB-POL", "CC-FIU", "BB-POL")]
    assert [row.sequence for row in rows] == [1, 2, 1, 3]
    assert [row.ledger_index for row in rows] == [0, 1, 2, 3]


def test_sending_again_under_the_same_id_is_one_message(network):
    first = send(network, message_id="run-1.ask")
    assert send(network, message_id="run-1.ask", now=network.now + timedelta(hours=1)) == first
    assert (Outgoing.objects.count(), ledger.size()) == (1, 1)
    for change in ({"payload": b"other"}, {"recipient": "CC-FIU"}, {"payload_type": "palermo/other+v1"}):
        with pytest.raises(ConflictError):
            send(network, message_id="run-1.ask", **change)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"recipient": "ZZ-POL"}, DirectoryError),
        ({"purpose": " "}, InvalidError),
        ({"purpose": "two\x00parts"}, InvalidError),
        ({"case_reference": "C" * 201}, InvalidError),
        ({"not_after": timedelta(0)}, InvalidError),
        ({"not_after": timedelta(days=32)}, InvalidError),
        ({"payload_type": "no type"}, FormatError),
        ({"message_id": "no id"}, FormatError),
        ({"fields": {"purpose": "x"}}, ValueError),
        ({"fields": {"kind": "x"}}, ValueError),
    ],
)
def test_what_may_not_be_sent_leaves_no_trace(network, change, error):
    if "not_after" in change:
        change = {"not_after": network.now + change["not_after"]}
    with pytest.raises(error), transaction.atomic():
        send(network, **change)
    assert not Outgoing.objects.exists() and ledger.size() == 0
    assert send(network).sequence == 1


WRITES = [
    "palermo.node.ledger.models.Log",
    "palermo.node.ledger.models.Tile",
    "palermo.node.ledger.models.Entry",
    "palermo.node.ledger.models.Checkpoint",
    "palermo.node.exchange.models.Outgoing",
    "palermo.node.exchange.models.Peer",
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", WRITES)
def test_dying_beside_any_write_leaves_no_trace(network, killed_beside, write, when):
    def counts():
        return (Outgoing.objects.count(), ledger.size(), Checkpoint.objects.count(), Peer.objects.count())

    before = counts()
    with killed_beside(write, when):
        send(network)
    assert counts() == before
    assert send(network).sequence == 1
    assert queries.check() == [] and ledger.check() == []


def test_the_database_guards_ids_numbers_and_states(network):
    send(network, message_id="one")
    send(network, message_id="two")
    for change in (
        {"message_id": "one"},
        {"sequence": 1},
        {"ledger_index": 0},
        {"state": "delivered"},
        {"state": "accepted"},
        {"receipt": b"r"},
        {"not_after": network.now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Outgoing.objects.filter(message_id="two").update(**change)


def test_only_who_may_see_the_post_does(network, make_officer):
    sent = send(network)
    supervisor = make_officer("boss", "supervisor")
    assert queries.outbox(supervisor) == [sent] and queries.message_for(supervisor, sent.message_id) == sent
    row = replace(sent, case_reference="", purpose="", legal_basis="", withheld=True)
    auditor, investigator = make_officer("auditor", "auditor"), make_officer("inv", "investigator")
    assert queries.outbox(auditor) == [row] == queries.outbox(auditor, partner="BB-POL", state="queued")
    assert queries.outbox(auditor, partner="CC-FIU") == [] == queries.outbox(auditor, page=2)
    assert queries.inbox(auditor) == [] == queries.equivocations(auditor)
    assert queries.message_for(auditor, row.message_id) == row
    assert queries.message(row.message_id) == sent and sent.case_reference and sent.purpose
    assert [(peer.code, peer.waiting) for peer in queries.peers(auditor)] == [("BB-POL", 1)]
    with pytest.raises(NotFoundError):
        queries.receipt(auditor, row.message_id)
    for read in (queries.outbox, queries.inbox, queries.equivocations):
        with pytest.raises(AccessDeniedError):
            read(investigator)
    for read_one in (queries.message_for, queries.receipt):
        with pytest.raises(AccessDeniedError):
            read_one(investigator, row.message_id)
