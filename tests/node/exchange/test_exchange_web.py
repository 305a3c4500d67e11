"""The address that partners post to: what it answers, and that it asks no cookie and gives none."""

import pytest

from palermo.node.exchange import handlers, wire
from palermo.sealing.receipt import ReceiptStatus
from palermo.web.exchange import envelopes

ADDRESS = "/exchange/v1/envelopes"


@pytest.fixture
def post(client, network):
    def _post(body: bytes, content_type: str = wire.ENVELOPE_TYPE, **headers):
        return client.post(ADDRESS, body, content_type=content_type, **headers)

    return _post


@pytest.fixture
def clock(monkeypatch, network):
    """The node's clock stands where the tests' network has its keys in force."""
    monkeypatch.setattr("palermo.web.exchange.timezone.now", lambda: network.now)


def test_an_envelope_gets_its_receipt(post, partner, notes, clock):
    answer = post(partner.envelope())
    assert (answer.status_code, answer["Content-Type"]) == (200, wire.RECEIPT_TYPE)
    assert partner.read(answer.content).status == ReceiptStatus.ACCEPTED
    assert not answer.cookies and "no-store" in answer["Cache-Control"]


def test_a_rejection_is_a_receipt_too(post, partner, notes, clock):
    answer = post(partner.envelope(payload_type="palermo/new+v9"))
    assert answer.status_code == 200 and partner.read(answer.content).status == ReceiptStatus.REJECTED


def test_what_is_no_envelope_gets_a_plain_sentence(post, clock):
    answer = post(b"hello")
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert b"not an envelope" in answer.content


def test_not_yet_says_when_to_come_back(post, partner, notes, clock):
    notes.then = handlers.NotYetError("the manifest is on its way")
    answer = post(partner.envelope())
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


def test_the_bounds(post, client, monkeypatch):
    monkeypatch.setattr("palermo.web.exchange.MAX_ENVELOPE_BYTES", 100)
    assert post(b"x" * 101).status_code == 413
    assert post(b"x" * 100).status_code == 400
    assert post(b"x", content_type="application/json").status_code == 415
    assert post(b"x", CONTENT_LENGTH="").status_code == 411
    assert post(b"x", CONTENT_LENGTH="-1").status_code == 411
    assert client.get(ADDRESS).status_code == 405


def test_a_body_that_ends_too_soon(rf, network):
    request = rf.post(ADDRESS, b"x" * 50, content_type=wire.ENVELOPE_TYPE)
    request.read = lambda length: b"x" * (length - 1)
    assert envelopes(request).status_code == 400


def test_a_large_envelope_is_no_matter(post, partner, notes, clock):
    """Larger than Django's own bound on a form's body."""
    payload = bytes(range(256)) * (6 * 2**12)  # 6 MiB
    answer = post(partner.envelope(payload))
    assert partner.read(answer.content).status == ReceiptStatus.ACCEPTED
    assert notes.seen[0].payload == payload
