"""Two versions of the protocol: batches of messages and letters in version 2, single envelopes with who speaks 1."""

import random
from datetime import timedelta

import httpx
import pytest
from django.db import OperationalError

from palermo.node.directory.models import Authority
from palermo.node.exchange import actions, delivery, handlers, letters, queries, wire
from palermo.node.exchange.models import Incoming, Outgoing, Peer, QueuedLetter
from palermo.node.ledger import queries as ledger
from palermo.sealing import batch
from palermo.sealing.letter import Letter, open_letter, seal_letter
from palermo.sealing.parcel import peek
from palermo.sealing.receipt import ReceiptStatus

NOTE = "palermo/test.note+v1"
MEMO = "test.memo+v1"


@pytest.fixture
def speaks(network):
    """Say which version BB-POL speaks, by the directory."""

    def _speaks(version: int) -> None:
        Authority.objects.filter(code="BB-POL").update(protocol=version)

    return _speaks


@pytest.fixture
def send(network, notes):
    def _send(message_id: str, payload: bytes = b"hello"):
        return actions.send(
            recipient="BB-POL",
            payload_type=NOTE,
            payload=payload,
            case_reference="C-1",
            purpose="test",
            message_id=message_id,
            now=network.now,
        )

    return _send


@pytest.fixture
def write(network):
    def _write(body: bytes, key: str = "k") -> str:
        return actions.write_letter(recipient="BB-POL", kind=MEMO, body=body, key=key, now=network.now)

    return _write


class Node2:
    """BB-POL at its new address: opens each parcel, and answers as told or as it should."""

    def __init__(self, partner) -> None:
        self.partner = partner
        self.posts: list[list[bytes]] = []
        self.letters: list[Letter] = []
        self.answers: dict[int, bytes] = {}
        self.whole: bytes | None = None

    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/exchange/v2/parcels"
        assert request.headers["content-type"] == wire.BATCH_TYPE
        handed_in = batch.unpack(request.content)
        self.posts.append(handed_in)
        if self.whole is not None:
            return httpx.Response(200, stream=httpx.ByteStream(self.whole))
        answers = [self.answers.get(place) or self._take(parcel) for place, parcel in enumerate(handed_in)]
        return httpx.Response(200, stream=httpx.ByteStream(batch.pack(answers)))

    def _take(self, parcel: bytes) -> bytes:
        member = self.partner.member
        try:
            letter = open_letter(
                parcel, {member.recipient.key_id: member.recipient}, lambda _: [self.partner.own_verify]
            )
        except Exception:
            return self.partner.receipt(parcel)
        self.letters.append(letter)
        return wire.TAKEN


@pytest.fixture
def node2(partner, speaks) -> Node2:
    speaks(2)
    return Node2(partner)


def deliver(network, node, after: timedelta = timedelta(0)) -> int:
    with node.client() as client:
        return delivery.deliver_due(network.now + after, client, rng=random.Random(7))


def states() -> list[str]:
    return list(Outgoing.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("theirs", [1, 2])
def test_an_old_node_and_a_new_one_exchange_messages_both_ways(
    network, partner, line, speaks, send, notes, client, monkeypatch, theirs
):
    """BB-POL knows version 1 alone: its path, its form of the envelope; or it has a newer form and the same path."""
    monkeypatch.setattr("palermo.web.exchange.timezone.now", lambda: network.now)
    speaks(1)
    send("m1")
    send("m2")
    with line.client() as posting:  # which knows no other path than v1's
        assert delivery.deliver_due(network.now, posting) == 2
    assert [peek(envelope).version for _, envelope in line.posts] == [1, 1]
    assert states() == ["accepted", "accepted"]
    partner.protocol = theirs
    answer = client.post("/exchange/v1/envelopes", partner.envelope(), content_type=wire.ENVELOPE_TYPE)
    assert partner.read(answer.content).status == ReceiptStatus.ACCEPTED
    assert [message.sender for message in notes.seen] == ["BB-POL"]
    assert queries.check() == [] and ledger.check() == []


def test_letters_wait_until_a_partner_speaks_version_2(network, line, speaks, send, write, partner):
    write(b"one")
    assert deliver(network, line) == 0 and line.posts == [] and Peer.objects.get().lease == ""
    send("m1")
    assert deliver(network, line) == 1 and QueuedLetter.objects.count() == 1
    speaks(2)
    node = Node2(partner)
    assert deliver(network, node) == 1
    assert [letter.body for letter in node.letters] == [b"one"] and QueuedLetter.objects.count() == 0


def test_messages_and_letters_go_in_one_post(network, node2, send, write):
    sent = [send(f"m{number}") for number in range(5)]
    write(b"first", "same")
    write(b"second", "same")
    write(b"other", "another")
    assert deliver(network, node2) == 7
    (posted,) = node2.posts
    assert len(posted) == 7 and {peek(parcel).version for parcel in posted} == {2}
    assert states() == ["accepted"] * 5 and [row.attempts for row in Outgoing.objects.all()] == [1] * 5
    assert sorted(letter.body for letter in node2.letters) == [b"other", b"second"]
    assert QueuedLetter.objects.count() == 0 and len(sent) == 5
    assert deliver(network, node2) == 0 and len(node2.posts) == 1


def test_a_batch_is_bounded_in_bytes(network, node2, send, monkeypatch):
    monkeypatch.setattr("palermo.node.exchange.routes.BATCH_BYTES", 40_000)
    for number in range(3):
        send(f"m{number}", bytes(20_000))
    assert deliver(network, node2) == 3
    assert [len(posted) for posted in node2.posts] == [1, 1, 1]


def test_one_answer_that_is_none_holds_up_no_other(network, node2, send, write):
    for number in range(3):
        send(f"m{number}")
    write(b"memo")
    node2.answers = {1: wire.NOT_YET + b"Not yet: the manifest is on its way. Try again.", 3: wire.NEVER + b"What?"}
    assert deliver(network, node2) == 3
    assert states() == ["accepted", "queued", "accepted"] and QueuedLetter.objects.count() == 0
    peer = Peer.objects.get()
    assert "manifest is on its way" in peer.last_error and peer.next_attempt_at is not None
    node2.answers = {}
    assert deliver(network, node2, timedelta(seconds=2)) == 1
    assert states() == ["accepted"] * 3 and len(node2.posts[1]) == 1


@pytest.mark.parametrize("whole", [b"", b"palermo-batch/1\n", b"palermo-batch/1\n\0\0\0\x09x", b"x" * 10**6])
def test_an_answer_that_is_no_batch_settles_nothing(network, node2, send, write, whole):
    send("m1")
    write(b"memo")
    node2.whole = whole
    assert deliver(network, node2) == 0
    assert states() == ["queued"] and QueuedLetter.objects.count() == 1 and Peer.objects.get().failures == 1


def test_a_letter_that_the_partner_cannot_open_is_sealed_again(network, node2, write):
    write(b"memo")
    node2.answers = {0: b'{"a":"signed rejection"}'}
    assert deliver(network, node2) == 0 and QueuedLetter.objects.count() == 1
    node2.answers = {}
    assert deliver(network, node2, timedelta(seconds=2)) == 1


# --- taking in -------------------------------------------------------------------------------


@pytest.fixture
def hand_in(client, network, monkeypatch):
    monkeypatch.setattr("palermo.web.exchange.timezone.now", lambda: network.now)

    def _hand_in(*parcels: bytes) -> list[bytes]:
        answer = client.post("/exchange/v2/parcels", batch.pack(parcels), content_type=wire.BATCH_TYPE)
        assert (answer.status_code, answer["Content-Type"]) == (200, wire.BATCH_TYPE), answer.content
        return batch.unpack(answer.content)

    return _hand_in


def letter(partner, body: bytes = b"memo", **changes) -> bytes:
    values = {
        "kind": MEMO,
        "letter_id": f"letter-{body.decode()}",
        "sender": partner.code,
        "recipient": "AA-POL",
        "recipient_key_id": partner.own_public.key_id,
        "created_at": partner.now,
        "not_after": partner.now + timedelta(days=1),
        "body": body,
    }
    return seal_letter(Letter(**{**values, **changes}), partner.member.signing, partner.own_public)


@pytest.fixture
def memos(monkeypatch) -> list[bytes]:
    monkeypatch.setattr(letters, "_handlers", {})
    taken: list[bytes] = []

    def handler(letter: Letter, *, now) -> None:
        if letter.body == b"refuse":
            raise handlers.RefusedError("No such thing here.")
        if letter.body == b"later":
            raise handlers.NotYetError("the file is not whole")
        if letter.body == b"bug":
            raise RuntimeError("a bug")
        taken.append(letter.body)

    letters.register(MEMO, handler)
    return taken


def test_every_parcel_gets_its_own_answer_in_order(hand_in, partner, other_partner, notes, memos, caplog):
    good, doubled = partner.envelope(b"a"), partner.envelope(b"b", sequence=9, message_id="m9")
    damaged = bytearray(partner.envelope(b"c"))
    damaged[-1] ^= 1
    answers = hand_in(
        good,
        letter(partner),
        b"no parcel",
        bytes(damaged),
        letter(partner, b"refuse"),
        letter(partner, b"later"),
        letter(partner, b"bug"),
        letter(partner, b"strange", kind="test.unknown+v1"),
        letter(partner, b"old", not_after=partner.now - timedelta(1), created_at=partner.now - timedelta(2)),
        doubled,
        partner.envelope(b"other", sequence=9, message_id="m9"),
        good,
    )
    statuses = {place: partner.read(answers[place]).status for place in (0, 3, 9, 10, 11)}
    assert statuses == {0: "accepted", 3: "rejected", 9: "accepted", 10: "rejected", 11: "accepted"}
    assert answers[0] == answers[11]
    assert answers[1] == wire.TAKEN and memos == [b"memo"]
    said = {2: b"?This is not an envelope", 4: b"?No such thing", 5: b"!Not yet: the file", 6: b"!Something went wrong"}
    said |= {7: b"?This node does not understand letters of kind test.unknown+v1", 8: b"?It is"}
    for place, beginning in said.items():
        assert answers[place].startswith(beginning)
    assert [message.payload for message in notes.seen] == [b"a", b"b"]
    assert hand_in(good, letter(partner)) == [answers[0], wire.TAKEN]
    assert Incoming.objects.count() == 2 and queries.check() == [] and ledger.check() == []


def test_a_database_that_fails_at_one_message_spoils_no_other(hand_in, partner, notes, caplog):
    """As where a trigger, a constraint or a single page fails: the batch is undone, then taken one by one."""

    def effect(message, *, now):
        if message.payload == b"breaks":
            raise OperationalError("disk I/O error")
        notes.seen.append(message.payload)

    handlers.register(NOTE, effect)
    answers = hand_in(partner.envelope(b"a"), partner.envelope(b"breaks"), partner.envelope(b"b"))
    assert [partner.read(answers[place]).status for place in (0, 2)] == ["accepted", "accepted"]
    assert answers[1].startswith(b"!This node cannot store anything now")
    assert Incoming.objects.count() == 2 and ledger.size() == 2 and ledger.check() == []


def test_the_bounds_of_a_batch(client, network, partner):
    def post(body: bytes, **headers) -> int:
        headers = {"content_type": wire.BATCH_TYPE, **headers}
        return client.post("/exchange/v2/parcels", body, **headers).status_code

    assert post(b"palermo-batch/1\n" + b"\0\0\0\0" * 129) == 413
    assert post(b"palermo-batch/2\n") == 400 and post(b"palermo-batch/1\n\0\0\0\x09x") == 400
    assert post(b"x", content_type=wire.ENVELOPE_TYPE) == 415
    assert post(b"x", CONTENT_LENGTH="") == 411
    assert post(b"x", CONTENT_LENGTH=str(wire.MAX_BATCH_BYTES + 1)) == 413
    assert post(batch.pack([])) == 200
    assert client.get("/exchange/v2/parcels").status_code == 405
