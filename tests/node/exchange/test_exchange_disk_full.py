"""A disk that is full: a clear answer, nothing half done, and all of it goes on when there is room again."""

import pytest
from django.db import connection

from palermo.node.exchange import handlers, wire
from palermo.node.exchange.models import Incoming
from palermo.node.ledger import queries as ledger
from palermo.sealing import batch
from palermo.sealing.receipt import ReceiptStatus

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="fills an SQLite database"),
]
NOTE = "palermo/test.note+v1"


@pytest.fixture
def full():
    """Let the database grow no more, until the returned function is called."""

    def pragma(words: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {words}")
            return int(cursor.fetchone()[0])

    before = pragma("max_page_count")
    pragma(f"max_page_count={pragma('page_count')}")
    yield lambda: pragma(f"max_page_count={before}")
    pragma(f"max_page_count={before}")


@pytest.mark.parametrize("version", [1, 2])
def test_nothing_is_half_done_on_a_full_disk(network, partner, client, monkeypatch, caplog, full, version):
    monkeypatch.setattr(handlers, "_handlers", {})
    handlers.register(NOTE, lambda message, *, now: None)
    monkeypatch.setattr("palermo.web.exchange.timezone.now", lambda: network.now)
    envelopes = [partner.envelope(bytes(100_000)) for _ in range(2)]

    def post():
        if version == 1:
            return client.post("/exchange/v1/envelopes", envelopes[0], content_type=wire.ENVELOPE_TYPE)
        return client.post("/exchange/v2/parcels", batch.pack(envelopes), content_type=wire.BATCH_TYPE)

    answer = post()
    if version == 1:
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        refused, taken = [answer.content], 0
        assert b"its disk is full" in answer.content
    else:
        refused = [item for item in batch.unpack(answer.content) if item.startswith(b"!This node cannot store")]
        taken = len(envelopes) - len(refused)  # where the file had free pages for one, that one is taken
    assert refused and Incoming.objects.count() == taken and ledger.check() == []
    assert "full" in caplog.text
    full()
    answer = post()
    receipts = [answer.content] if version == 1 else batch.unpack(answer.content)
    assert {partner.read(receipt).status for receipt in receipts} == {ReceiptStatus.ACCEPTED}
    assert Incoming.objects.count() == len(receipts) and ledger.check() == []
