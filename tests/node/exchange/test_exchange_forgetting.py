"""Forgetting a message: its content goes, what proves that it came and was answered stays."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from palermo.node.exchange import actions, handlers, queries
from palermo.node.exchange.actions import forgetting
from palermo.node.exchange.models import Incoming

SECRET = "palermo/test.secret+v1"


@pytest.fixture
def secrets(notes):
    handlers.register(SECRET, handlers.Handler(notes.effect, forget=True))
    return notes


@pytest.fixture
def forgotten(secrets, partner):
    """The envelope and receipt of a message that was taken in and then forgotten."""
    envelope = partner.envelope(b"who is it", payload_type=SECRET, message_id="m1")
    receipt = actions.receive(envelope, now=partner.now)
    assert actions.forget("BB-POL", "m1", now=partner.now)
    return envelope, receipt


def test_content_goes_and_everything_else_stays_provable(forgotten, partner):
    _envelope, receipt = forgotten
    row = Incoming.objects.get()
    assert (row.signed, row.envelope, row.forgotten_at) == (None, None, partner.now)
    assert bytes(row.receipt) == receipt
    assert queries.message("m1").purpose == "test of the post"
    assert queries.payload_digest("m1") == ""
    assert queries.check() == []
    assert not actions.forget("BB-POL", "m1", now=partner.now)


def test_the_same_envelope_again_still_gets_the_same_receipt(forgotten, partner, secrets):
    envelope, receipt = forgotten
    assert actions.receive(envelope, now=partner.now + timedelta(days=2)) == receipt
    assert len(secrets.seen) == 1


def test_another_message_under_a_forgotten_id_is_still_equivocation(forgotten, partner):
    receipt = partner.read(
        actions.receive(partner.envelope(b"x", payload_type=SECRET, message_id="m1"), now=partner.now)
    )
    assert "another message under this id" in receipt.reason
    assert queries.check() == []


def test_proof_against_a_partner_is_not_forgotten(secrets, partner):
    for payload in (b"one", b"two"):
        actions.receive(partner.envelope(payload, payload_type=SECRET, message_id="m1"), now=partner.now)
    assert not actions.forget("BB-POL", "m1", now=partner.now)
    assert Incoming.objects.get().signed is not None


def test_what_is_refused_is_never_kept(secrets, partner):
    secrets.then = handlers.RefusedError("No.")
    envelope = partner.envelope(b"who is it", payload_type=SECRET)
    receipt = actions.receive(envelope, now=partner.now)
    row = Incoming.objects.get()
    assert (row.signed, row.envelope, row.reason) == (None, None, "No.")
    assert actions.receive(envelope, now=partner.now) == receipt
    assert queries.check() == []


def test_messages_of_other_types_are_evidence_and_stay(secrets, partner):
    actions.receive(partner.envelope(message_id="m1"), now=partner.now)
    with pytest.raises(ValueError, match="are kept"):
        actions.forget("BB-POL", "m1", now=partner.now)
    Incoming.objects.update(signed=None, envelope=None, forgotten_at=partner.now)
    assert [fault.what for fault in queries.check()] == ["signed message"]


@pytest.mark.parametrize("column", ["sender", "message_id", "case_reference", "purpose", "in_reply_to"])
def test_a_changed_column_of_a_forgotten_message_is_named(forgotten, column):
    Incoming.objects.update(**{column: "CC-FIU"})
    assert any("ledger's entry" in fault.detail for fault in queries.check())


def test_a_changed_receipt_of_a_forgotten_message_is_named(forgotten):
    _, receipt = forgotten
    Incoming.objects.update(receipt=receipt[:-9] + b"A" + receipt[-8:])
    assert [fault.what for fault in queries.check()] == ["receipt"]


@pytest.mark.parametrize("columns", [{"signed": None}, {"envelope": None}, {"forgotten_at": "2026-01-01T00:00Z"}])
def test_content_is_there_whole_or_not_at_all(secrets, partner, columns):
    actions.receive(partner.envelope(message_id="m1"), now=partner.now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Incoming.objects.update(**columns)


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="about the file of SQLite")
def test_the_database_file_and_its_journal_keep_nothing_of_what_was_erased(tmp_path, settings, monkeypatch):
    """With the node's own settings, on a real file; without secure_delete the secret stays in free pages."""
    file, secret = tmp_path / "db.sqlite3", b"locator-of-nobody" * 1000
    options = settings.DATABASES["default"] | {"NAME": file}
    database = DatabaseWrapper(options, alias="file")
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE box (id INTEGER PRIMARY KEY, content BLOB)")
        cursor.execute("INSERT INTO box VALUES (1, %s)", [secret])
        cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
        assert secret[:17] in file.read_bytes()
        cursor.execute("UPDATE box SET content = NULL")
        monkeypatch.setattr(forgetting, "connection", database)
        forgetting.empty_journal(None)
        cursor.execute("INSERT INTO box VALUES (2, NULL)")  # the next write starts the journal again
        left = [path.read_bytes() for path in tmp_path.iterdir()]
        database.close()
    assert not any(secret[:17] in data for data in left)
