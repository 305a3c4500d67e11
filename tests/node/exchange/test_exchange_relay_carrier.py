"""This node sends to a partner behind a relay: what it hands in, and what a fault on the way costs."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from relaying import RELAY_ROLES, InTurn, with_entries

from palermo.node.exchange import actions, carriers, delivery, polling, relay, relay_limits
from palermo.node.exchange.models import Outgoing, Peer, QueuedLetter
from palermo.node.exchange.relay_carrier import RelayCarrier
from palermo.node.exchange.relay_models import Holding, RelayParcel
from palermo.node.exchange.relay_statements import keep
from palermo.node.exchange.routes import HANDED_PATIENCE, Route, way_to
from palermo.node.exchange.stage_models import Statement
from palermo.sealing import batch, parcel
from palermo.sealing.errors import BindingError, SealingError
from palermo.sealing.stage import Stage, StageReceipt, sign_stage

OWN, RELAY, RECIPIENT = "AA-POL", "BB-POL", "CC-FIU"
BEHIND = {RELAY: {"roles": RELAY_ROLES}, RECIPIENT: {"endpoint": "", "relay": RELAY}}


@dataclass
class Line:
    """The line to BB-POL's relay. ``answer``: what it says instead of what the relay says; None for that."""

    network: object
    now: object
    answer: object = None
    posts: list[bytes] = field(default_factory=list)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.posts.append(request.content)
        with self.network.as_authority(RELAY):
            if request.url.path == "/exchange/v2/collections":
                return httpx.Response(200, content=relay.collect(request.content, now=self.now))
            assert request.url.path == f"/exchange/v2/relay/{RECIPIENT}"
            ticket, *parcels = batch.unpack(request.content)
            admitted = relay.admit(ticket, RECIPIENT, now=self.now)
            stated = batch.pack(relay.hold(admitted, parcels, now=self.now))
        if isinstance(self.answer, Exception):
            raise self.answer
        return httpx.Response(200, content=stated if self.answer is None else self.answer)

    def deliver(self, later: timedelta = timedelta(0)) -> int:
        self.now = self.network.now + later
        Peer.objects.update(next_attempt_at=None)
        with self.client() as client:
            return delivery.deliver_due(self.now, client, rng=random.Random(1))


@pytest.fixture
def line(network, notes, monkeypatch) -> Line:
    for module in (delivery, polling):
        monkeypatch.setattr(module, "ThreadPoolExecutor", InTurn)
    monkeypatch.setitem(carriers._carriers, (Route.RELAY, 2), RelayCarrier())
    with_entries(network, BEHIND)
    made = Line(network, network.now)
    monkeypatch.setattr("palermo.node.exchange.relay_carrier.timezone.now", lambda: made.now)
    return made


def send(network, payload: bytes = b"hello", **changes) -> Outgoing:
    values = {
        "recipient": RECIPIENT,
        "payload_type": "palermo/test.note+v1",
        "payload": payload,
        "case_reference": "",
        "purpose": "test of the relay",
        "not_after": network.now + timedelta(days=30),
        "now": network.now,
    }
    return Outgoing.objects.get(message_id=actions.send(**{**values, **changes}).message_id)


def test_messages_and_letters_are_handed_in_once(line, network):
    rows = [send(network, b"one"), send(network, b"two")]
    actions.write_letter(recipient=RECIPIENT, kind="test+v1", body=b"psst", key="k", now=network.now)
    assert line.deliver() == 3
    held = list(RelayParcel.objects.order_by("pk").values_list("digest", flat=True))
    assert held[:2] == [row.digest for row in rows] and len(held) == 3
    assert not QueuedLetter.objects.exists(), "the relay has it"
    assert {row.handed_at for row in Outgoing.objects.all()} == {network.now}
    assert {row.state for row in Outgoing.objects.all()} == {"queued"}, "only the recipient's receipt settles it"
    assert {row.stage for row in Outgoing.objects.all()} == {Stage.RELAYED}
    assert list(Statement.objects.values_list("issuer", "stage").distinct().filter(issuer=RELAY)) == [
        (RELAY, Stage.RELAYED)
    ]
    assert (line.deliver(), len(line.posts)) == (0, 1)


def test_the_receipt_that_comes_back_settles_it(line, network, other_partner, notes):
    row = send(network)
    line.deliver()
    receipt = other_partner.receipt(bytes(row.envelope))
    actions.settle(row.pk, receipt, now=network.now)
    assert (line.deliver(HANDED_PATIENCE), len(line.posts)) == (0, 1)


def test_what_has_no_receipt_is_handed_in_once_more_after_a_while(line, network):
    """The relay may have lost its disk, or the recipient's letter of receipts was lost."""
    send(network)
    line.deliver()
    RelayParcel.objects.all().delete()
    assert line.deliver(HANDED_PATIENCE) == 1
    assert RelayParcel.objects.get().state == Holding.WAITING


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadError("the line broke"),
        b"<html>",
        batch.pack([]),
        batch.pack([b"no statement"]),
    ],
)
def test_an_answer_that_is_lost_or_false_leaves_it_here(line, network, answer):
    row = send(network)
    line.answer = answer
    assert line.deliver() == 0
    row.refresh_from_db()
    assert row.handed_at is None and Peer.objects.get(code=RECIPIENT).last_error
    line.answer = None
    assert line.deliver() == 1
    assert RelayParcel.objects.count() == 1


def test_a_full_mailbox_loses_nothing(line, network, monkeypatch):
    monkeypatch.setattr(relay_limits, "MAILBOX", relay_limits.Bound(2**40, 1, "test"))
    first, second = send(network, b"one"), send(network, b"two")
    assert line.deliver() == 1
    second.refresh_from_db()
    assert second.handed_at is None
    assert "has no room for CC-FIU" in Peer.objects.get(code=RECIPIENT).last_error
    RelayParcel.objects.update(state=Holding.COLLECTED, content=None)
    assert line.deliver() == 1
    assert set(RelayParcel.objects.values_list("digest", flat=True)) == {first.digest, second.digest}


def test_a_failure_that_the_relay_states_is_learnt_by_asking(line, network, partner):
    row = send(network)
    line.deliver()
    line.now = network.now + relay_limits.KEEP
    with network.as_authority(RELAY):
        assert relay.sweep(line.now) == 1
    with line.client() as client:
        polling.poll_due(line.now, client)
    assert not RelayParcel.objects.exists(), "this node knows: the relay need not tell again"
    row.refresh_from_db()
    assert (row.state, row.stage) == ("queued", Stage.RELAY_FAILED), "it may still go another way"
    [statement] = Statement.objects.filter(message=row, stage=Stage.RELAY_FAILED)
    assert statement.issuer == RELAY and "did not collect it within 14 days" in statement.reason


def test_only_the_relays_own_word_on_our_parcels_counts(line, network):
    row = send(network)

    def said(key: str = RELAY, **changes) -> bytes:
        values = {
            "stage": Stage.RELAYED,
            "message_id": "",
            "envelope_digest": row.digest,
            "sender": OWN,
            "recipient": RECIPIENT,
            "issuer": RELAY,
            "at": network.now,
        }
        return sign_stage(StageReceipt(**{**values, **changes}), network.members[key].signing)

    assert keep(RELAY, said(), now=network.now).stage is Stage.RELAYED
    assert keep(RELAY, said(envelope_digest=parcel.digest(b"a letter")), now=network.now)
    for statement, error in (
        (said(key=RECIPIENT), SealingError),
        (said(issuer=RECIPIENT), BindingError),
        (said(sender=RECIPIENT), BindingError),
        (said(stage=Stage.DELIVERED), BindingError),
        (b"{}", SealingError),
    ):
        with pytest.raises(error):
            keep(RELAY, statement, now=network.now)


def test_more_than_a_ticket_names_goes_with_several(line):
    posts = []

    def answer(request: httpx.Request) -> httpx.Response:
        posts.append(batch.unpack(request.content))
        return httpx.Response(200, content=batch.pack(posts[-1][1:]))

    parcels = tuple(b"%d" % number for number in range(101))
    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        assert RelayCarrier().carry(client, way_to(RECIPIENT), parcels) == list(parcels)
    assert [len(items) for items in posts] == [101, 2] and posts[0][0] != posts[1][0]


def test_to_who_speaks_version_1_alone_no_relay_carries(line, network):
    with_entries(network, {**BEHIND, RECIPIENT: {**BEHIND[RECIPIENT], "protocol": 1}})
    send(network)
    assert (line.deliver(), line.posts) == (0, [])
