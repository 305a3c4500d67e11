"""The addresses of a relay: bounds, refusals in a sentence, and no stranger's parcel in memory."""

import secrets

import pytest
from relaying import RELAY_ROLES, with_entries

from palermo.node.exchange.relay_models import RelayParcel
from palermo.node.exchange.relay_wire import COLLECTION_TYPE, MAX_HAND_IN_BYTES, MAX_SIGNED_BYTES
from palermo.node.exchange.wire import BATCH_TYPE
from palermo.sealing import batch, parcel
from palermo.sealing.ticket import Collection, Index, Ticket, sign_collection, sign_ticket
from palermo.web import exchange_relay

HAND_IN, COLLECT = "/exchange/v2/relay/CC-FIU", "/exchange/v2/collections"


@pytest.fixture
def members(network, monkeypatch):
    monkeypatch.setattr("palermo.web.exchange_relay.timezone.now", lambda: network.now)
    with_entries(network, {"AA-POL": {"roles": RELAY_ROLES}, "CC-FIU": {"endpoint": "", "relay": "AA-POL"}})
    return network.members


@pytest.fixture
def sealed(network, members) -> bytes:
    """Four KiB that only the recipient can open."""
    return parcel.seal(
        2,
        "CC-FIU",
        members["CC-FIU"].recipient.public,
        members["BB-POL"].signing,
        payload_type="application/vnd.palermo.test.v1",
        head=secrets.token_bytes(40),
        body=b"hello",
    )


def ticket(network, *parcels: bytes) -> bytes:
    digests = tuple(map(parcel.digest, parcels))
    asked = Ticket(
        relay="AA-POL",
        member="BB-POL",
        recipient="CC-FIU",
        at=network.now,
        nonce=secrets.token_hex(16),
        digests=digests,
    )
    return sign_ticket(asked, network.members["BB-POL"].signing)


def collection(network) -> bytes:
    asked = Collection(relay="AA-POL", member="CC-FIU", at=network.now, nonce=secrets.token_hex(16))
    return sign_collection(asked, network.members["CC-FIU"].signing)


def test_a_parcel_goes_in_and_comes_out(client, network, members, sealed):
    handed = client.post(HAND_IN, batch.pack([ticket(network, sealed), sealed]), content_type=BATCH_TYPE)
    assert (handed.status_code, handed["Content-Type"]) == (200, BATCH_TYPE)
    [statement] = batch.unpack(handed.content)
    assert statement == bytes(RelayParcel.objects.get().relayed)
    collected = client.post(COLLECT, collection(network), content_type=COLLECTION_TYPE)
    index, content = batch.unpack(collected.content)
    assert collected.status_code == 200 and content == sealed
    assert Index.from_bytes(index).parcels[0].sender == "BB-POL"
    assert not handed.cookies and "no-store" in collected["Cache-Control"]


def test_refusals_are_sentences(client, network, members, sealed):
    used = batch.pack([ticket(network, sealed), sealed])
    client.post(HAND_IN, used, content_type=BATCH_TYPE)
    refusals = [
        (client.post(HAND_IN, used, content_type=BATCH_TYPE), 403, "used before"),
        (client.post(HAND_IN, batch.pack([b"{}"]), content_type=BATCH_TYPE), 403, "does not verify"),
        (client.post(COLLECT, b"{}", content_type=COLLECTION_TYPE), 403, "does not verify"),
        (client.post("/exchange/v2/relay/BB-POL", used, content_type=BATCH_TYPE), 400, "another recipient"),
    ]
    for answer, status, words in refusals:
        assert (answer.status_code, answer["Content-Type"]) == (status, "text/plain; charset=utf-8")
        assert words in answer.content.decode()


def test_the_bounds(client, members):
    for address, media_type, most in (
        (HAND_IN, BATCH_TYPE, MAX_HAND_IN_BYTES),
        (COLLECT, COLLECTION_TYPE, MAX_SIGNED_BYTES),
    ):
        assert client.get(address).status_code == 405
        assert client.post(address, b"x", content_type="text/plain").status_code == 415
        assert client.post(address, b"x", content_type=media_type, CONTENT_LENGTH="").status_code == 411
        assert client.post(address, b"x", content_type=media_type, CONTENT_LENGTH=str(most + 1)).status_code == 413
    for body in (b"x", b"palermo-batch/1\n", b"palermo-batch/1\n\xff\xff\xff\xff", batch.pack([b"x"])[:-1]):
        assert client.post(HAND_IN, body, content_type=BATCH_TYPE).status_code == 400


def test_parcels_that_are_cut_are_not_taken(client, network, members, sealed):
    body = batch.pack([ticket(network, sealed), sealed])[:-1]
    assert client.post(HAND_IN, body, content_type=BATCH_TYPE).status_code == 400
    assert RelayParcel.objects.count() == 0


def test_nothing_is_read_behind_a_ticket_that_proves_nothing(rf, network, members):
    """A stranger's 66 MiB stay on the line."""
    read = []
    body = batch.pack([b"{}", b"x" * 2**20])
    request = rf.post(HAND_IN, body, content_type=BATCH_TYPE)
    of_request = request.read

    def counted(size: int) -> bytes:
        read.append(size)
        return of_request(size)

    request.read = counted
    assert exchange_relay.hand_in(request, "CC-FIU").status_code == 403
    assert sum(read) < 100


def test_a_member_that_sends_a_byte_at_a_time_is_cut_off(rf, network, members, monkeypatch):
    monkeypatch.setattr(exchange_relay, "BODY_SECONDS", -1.0)
    request = rf.post(COLLECT, collection(network), content_type=COLLECTION_TYPE)
    assert exchange_relay.collect(request).status_code == 408


def test_a_body_that_ends_too_soon(rf, network, members):
    request = rf.post(COLLECT, collection(network), content_type=COLLECTION_TYPE)
    request.read = lambda size: b""
    assert exchange_relay.collect(request).status_code == 400
