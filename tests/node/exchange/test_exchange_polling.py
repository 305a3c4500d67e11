"""This node behind a relay: what it takes in from there, what it acknowledges, and what a fault on the way costs."""

import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from relaying import RELAY_ROLES, InTurn, with_entries

from palermo.node.directory.queries import UnknownAuthorityError
from palermo.node.exchange import collected, handlers, letters, polling, relay
from palermo.node.exchange.actions import receive_parcels, send
from palermo.node.exchange.handlers import NotYetError
from palermo.node.exchange.models import Incoming, Outgoing, QueuedLetter
from palermo.node.exchange.relay_models import Holding, Poll, RelayParcel
from palermo.sealing import batch, parcel
from palermo.sealing.directory import Role
from palermo.sealing.receipt import ReceiptStatus
from palermo.sealing.ticket import Held, Index, Ticket, sign_ticket

OWN, RELAY, SENDER = "AA-POL", "BB-POL", "CC-FIU"
NOTE = "palermo/test.note+v1"
NEVER = random.Random(1)


@dataclass
class Road:
    """CC-FIU hands in at BB-POL's relay; this node, AA-POL, asks there. ``faults``: what the line does, ask by ask."""

    network: object
    sender: object
    faults: list[str] = field(default_factory=list)
    asks: int = 0

    def hand_in(self, *envelopes: bytes) -> None:
        ticket = Ticket(
            relay=RELAY,
            member=SENDER,
            recipient=OWN,
            at=self.network.now,
            nonce=secrets.token_hex(16),
            digests=tuple(map(parcel.digest, envelopes)),
        )
        with self.network.as_authority(RELAY):
            signed = sign_ticket(ticket, self.network.members[SENDER].signing)
            answers = relay.hold(relay.admit(signed, OWN, now=self.network.now), envelopes, now=self.network.now)
        assert all(answers)

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert (request.url.host, request.url.path) == ("bb-pol.invalid", "/exchange/v2/collections")
        self.asks += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "ask lost":
            raise httpx.ConnectError("no line")
        with self.network.as_authority(RELAY):
            answer = relay.collect(request.content, now=self.network.now)
        if fault == "answer lost":
            raise httpx.ReadError("the line broke")
        return httpx.Response(200, content=answer[: len(answer) // 2] if fault == "answer cut" else answer)

    def poll(self, *, later: timedelta = timedelta(0)) -> int:
        Poll.objects.update(next_at=None)
        with self.client() as client:
            return polling.poll_due(self.network.now + later, client, rng=NEVER)

    def receipts(self) -> dict[str, ReceiptStatus]:
        """What stands in the letters to the sender, by digest of the envelope."""
        bodies = QueuedLetter.objects.filter(recipient=SENDER, kind=collected.RECEIPTS).values_list("body", flat=True)
        found = [self.sender.read(receipt) for body in bodies for receipt in batch.unpack(bytes(body))]
        return {receipt.envelope_digest: receipt.status for receipt in found}


@pytest.fixture
def road(network, other_partner, notes, monkeypatch) -> Road:
    monkeypatch.setattr(polling, "ThreadPoolExecutor", InTurn)
    with_entries(network, {OWN: {"endpoint": "", "relay": RELAY}, RELAY: {"roles": RELAY_ROLES}})
    other_partner.protocol = 2
    return Road(network, other_partner)


def states() -> list[str]:
    return list(RelayParcel.objects.order_by("pk").values_list("state", flat=True))


def test_what_waits_is_taken_in_answered_and_then_deleted_there(road, notes):
    envelopes = [road.sender.envelope(b"one"), road.sender.envelope(b"two")]
    road.hand_in(*envelopes)
    assert road.poll() == 2
    assert [note.payload for note in notes.seen] == [b"one", b"two"]
    assert road.receipts() == {parcel.digest(envelope): ReceiptStatus.ACCEPTED for envelope in envelopes}
    assert states() == [Holding.COLLECTED] * 2
    assert (road.asks, road.poll(), road.asks) == (2, 0, 3)


def test_the_sender_settles_its_message_by_the_letter_of_receipts(network, partner, notes):
    """The other way round: the receipt that a partner behind a relay wrote settles ours; a bad one spoils nothing."""
    letters.register(collected.RECEIPTS, collected.receive_receipts)
    with_entries(network, {"BB-POL": {"endpoint": ""}})
    row = send(recipient="BB-POL", payload_type=NOTE, payload=b"x", case_reference="", purpose="test", now=network.now)
    envelope = bytes(Outgoing.objects.get().envelope)
    foreign = partner.receipt(envelope, envelope_digest="0" * 64)
    letter = partner.letter(batch.pack([b"{}", foreign, partner.receipt(envelope)]), kind=collected.RECEIPTS)
    assert receive_parcels([letter], now=network.now) == [b""]
    assert Outgoing.objects.get(message_id=row.message_id).state == "accepted"
    assert receive_parcels([letter], now=network.now) == [b""]


def test_a_rejection_goes_back_too(road):
    envelope = road.sender.envelope(payload_type="palermo/unheard-of+v1")
    road.hand_in(envelope)
    road.poll()
    assert road.receipts() == {parcel.digest(envelope): ReceiptStatus.REJECTED}
    assert states() == [Holding.COLLECTED]


def test_an_envelope_that_proves_no_sender_is_rejected_to_whoever_handed_it_in(road, network):
    envelope = road.sender.envelope(key=network.members[OWN].signing)
    road.hand_in(envelope)
    road.poll()
    assert road.receipts() == {parcel.digest(envelope): ReceiptStatus.REJECTED}
    assert Incoming.objects.count() == 0


def test_what_cannot_be_taken_yet_stays_at_the_relay_and_hides_nothing(road, notes):
    first, second = road.sender.envelope(b"one"), road.sender.envelope(b"two")
    road.hand_in(first, second)
    effect = notes.effect

    def only_the_second(message, *, now):
        if message.payload == b"one":
            raise NotYetError("its file is on its way")
        effect(message, now=now)

    handlers.register(NOTE, handlers.Handler(only_the_second))
    assert road.poll() == 1
    assert states() == [Holding.WAITING, Holding.COLLECTED]
    handlers.register(NOTE, handlers.Handler(effect))
    assert road.poll() == 1
    assert states() == [Holding.COLLECTED] * 2


def test_a_receipt_that_cannot_be_sent_leaves_the_parcel_where_it_is(road, monkeypatch):
    def unknown(**_) -> str:
        raise UnknownAuthorityError(SENDER)

    monkeypatch.setattr(collected, "write_letter", unknown)
    road.hand_in(road.sender.envelope())
    assert (road.poll(), states()) == (0, [Holding.WAITING])


@pytest.mark.parametrize("fault", ["ask lost", "answer lost", "answer cut"])
def test_a_fault_of_the_line_is_noted_and_waited_out(road, fault):
    road.hand_in(road.sender.envelope())
    road.faults = [fault]
    assert road.poll() == 0
    row = Poll.objects.get()
    assert row.failures == 1 and row.last_error and row.next_at > road.network.now
    with road.client() as client:
        assert polling.poll_due(road.network.now, client) == 0, "it is left alone for a while"
    assert road.poll() == 1
    row.refresh_from_db()
    assert (row.failures, row.last_error, row.answered_at) == (0, "", road.network.now)


def test_an_acknowledgement_that_is_lost_costs_a_repetition(road, notes):
    road.hand_in(road.sender.envelope())
    road.faults = ["", "ask lost"]
    assert (road.poll(), states()) == (1, [Holding.WAITING])
    assert (road.poll(), states()) == (1, [Holding.COLLECTED])
    assert len(notes.seen) == 1 and len(road.receipts()) == 1


LINE = st.lists(st.sampled_from(["", "ask lost", "answer lost", "answer cut"]), max_size=6)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rounds=st.lists(st.tuples(st.integers(0, 2), LINE), min_size=1, max_size=4))
def test_whatever_the_line_does_each_has_its_effect_once_and_nothing_is_lost(road, notes, rounds):
    """Never deleted there before it is here, never twice here, and all of it here when the line is well again."""
    sent = []
    for count, faults in rounds:
        new = [road.sender.envelope(message_id=secrets.token_hex(8)) for _ in range(count)]
        if new:
            road.hand_in(*new)
            sent += map(parcel.digest, new)
        road.faults = list(faults)
        road.poll()
        here = set(Incoming.objects.values_list("digest", flat=True))
        gone = set(RelayParcel.objects.exclude(state=Holding.WAITING).values_list("digest", flat=True))
        assert gone <= here & set(road.receipts())
    road.faults = []
    road.poll()
    assert not RelayParcel.objects.filter(state=Holding.WAITING).exists()
    assert set(sent) <= set(Incoming.objects.values_list("digest", flat=True)) & set(road.receipts())
    ids = [note.message_id for note in notes.seen]
    assert len(ids) == len(set(ids))


def answering(content: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda request: httpx.Response(200, content=content)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        batch.pack([]),
        batch.pack([Index(failures=1).to_bytes()]),
        batch.pack([Index(parcels=(Held("0" * 64, SENDER),)).to_bytes(), b"another parcel"]),
        batch.pack([Index().to_bytes(), b"unannounced"]),
        batch.pack([Index(failures=-1).to_bytes()]),
        batch.pack([Index(failures=1).to_bytes(), b"no statement"]),
    ],
)
def test_a_relay_that_answers_nonsense_breaks_nothing(road, answer):
    with httpx.Client(transport=httpx.MockTransport(answering(answer))) as client:
        assert polling.poll_due(road.network.now, client, rng=NEVER) == 0
    assert Incoming.objects.count() == 0 and Poll.objects.count() == 1


def test_only_relays_are_asked_and_each_in_its_time(road, network):
    road.poll()
    row = Poll.objects.get()
    assert timedelta(seconds=15) <= row.next_at - network.now <= timedelta(seconds=30)
    with_entries(network, {OWN: {"endpoint": ""}, RELAY: {"roles": RELAY_ROLES}})
    road.poll()
    row.refresh_from_db()
    assert row.next_at - network.now > timedelta(minutes=29), (
        "a former relay is asked on, for what may still wait there"
    )
    with_entries(network, {RELAY: {"roles": (Role.POLICE,)}})
    asked = road.asks
    road.poll()
    assert road.asks == asked
