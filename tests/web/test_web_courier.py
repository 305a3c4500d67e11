"""The pages of the other ways: a file out, a file in, and what a relay's administrator sees."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from palermo.node.exchange import actions as exchange
from palermo.node.exchange import relay_overview
from palermo.node.exchange.relay_models import RelayParcel
from palermo.sealing.courier import Manifest, Part, open_stream, write_stream
from palermo.sealing.keyfile import read_private
from palermo.sealing.keys import SigningKey


def text(response) -> str:
    return response.content.decode()


@pytest.fixture
def sent(empty_node) -> str:
    row = exchange.send(
        recipient="BB-POL",
        payload_type="palermo/test+v1",
        payload=b"x",
        case_reference="",
        purpose="Test",
        now=timezone.now(),
    )
    return row.message_id


def signing(node, code: str) -> SigningKey:
    return SigningKey.from_bytes(read_private(node.home.parent / code / "keys" / "signing.key", None))


def test_a_supervisor_saves_the_file_for_a_partner(empty_node, browser, sent):
    client = browser("supervisor")
    assert 'data-ref="BB-POL"' in text(client.get("/messages/courier/"))
    answer = client.post("/messages/courier/export", {"to": "BB-POL"})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="AA-POL-to-BB-POL-')
    file = open_stream(io.BytesIO(b"".join(answer)), lambda code: [signing(empty_node, code).public])
    assert len([part for part in file.parts() if part.content]) == 1 and file.fault == ""
    assert list((empty_node.home / "uploads").iterdir()) == []


def test_nothing_to_save_and_nobody_to_save_for(empty_node, browser):
    client = browser("administrator")
    assert "Nothing waits" in text(client.get("/messages/courier/"))
    assert client.post("/messages/courier/export", {"to": "BB-POL"}).status_code == 409
    assert client.post("/messages/courier/export", {"to": "XX"}).status_code == 404


def test_a_file_that_came_is_taken_in_and_its_faults_are_told(empty_node, browser):
    client, now = browser("supervisor"), timezone.now().replace(microsecond=0)
    out, content = io.BytesIO(), b"this is no parcel"
    part = Part("0" * 64, len(content))
    with pytest.raises(Exception, match="not what was to be sent"):
        write_stream(
            out,
            Manifest(
                sender="BB-POL",
                recipient="AA-POL",
                made_at=now,
                keys_end_at=now + timedelta(days=9),
                parts=(part,),
            ),
            [content],
            signing(empty_node, "BB-POL"),
        )
    damaged = out.getvalue() + content
    answer = client.post("/messages/courier/", {"file": SimpleUploadedFile("a.courier", damaged)})
    assert answer.status_code == 302
    page = text(client.get(answer["Location"]))
    assert "1 damaged" in page and "Part 1: damaged" in page and "The file as a whole" in page


def test_what_is_no_courier_file_is_refused_in_the_form(empty_node, browser):
    answer = browser("supervisor").post("/messages/courier/", {"file": SimpleUploadedFile("a.courier", b"hello")})
    assert answer.status_code == 422 and "no courier file of a member" in text(answer)


def test_the_page_of_relays_shows_counts_and_never_content(empty_node, browser):
    client, now = browser("administrator"), timezone.now()
    assert "This node is no relay" in text(client.get("/messages/relays/"))
    RelayParcel.objects.create(
        sender="BB-POL",
        recipient="CC-FIU",
        digest="0" * 64,
        size=3 * 2**20,
        content=b"sealed bytes",
        held_at=now,
        ends_at=now + timedelta(days=14),
        relayed=b"x",
    )
    [row] = relay_overview.mailboxes(empty_node.officers["administrator"])
    assert (row.code, row.waiting, row.size, row.oldest_at) == ("CC-FIU", 1, 3 * 2**20, now)
