"""When retention ends the worker's clock destroys salts and values: on disk too, and every proof still holds."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as live_settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.sqlite3.base import DatabaseWrapper

from palermo.config import wiring
from palermo.node.ledger import actions, auditing, queries
from palermo.node.ledger.models import Entry
from palermo.sealing import merkle
from palermo.sealing.checkpoint import parse_checkpoint

SECRET = "case-that-nobody-may-know-any-more"


@pytest.fixture
def on_disk(witnessed_network, tmp_path):
    """The network's node with a database file under a node's own settings."""
    options = connection.settings_dict | {"NAME": str(tmp_path / "db.sqlite3")}
    database = DatabaseWrapper(options, alias="default")
    wiring.connect()
    before, connections["default"] = connections["default"], database
    try:
        call_command("migrate", verbosity=0)
        yield witnessed_network
    finally:
        database.close()
        connections["default"] = before


def left_on_disk(folder: Path, *secrets: bytes) -> list[bytes]:
    found = [path.read_bytes() for path in folder.glob("db.sqlite3*")]
    return [secret for secret in secrets if any(secret in data for data in found)]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about the file of SQLite")
def test_the_clock_destroys_what_is_due_and_nothing_of_it_is_left_on_disk(on_disk, tmp_path, settings):
    from palermo.node.directory import actions as directory_actions

    directory_actions.import_directory(on_disk.directory, now=on_disk.now)
    settings.NODE = replace(live_settings.NODE, ledger_years=1)
    for number in range(3):
        actions.append(kind="sent.test", counterparty="BB-POL", fields={"case": f"{SECRET}-{number}"}, now=on_disk.now)
    actions.checkpoint(now=on_disk.now)
    proof = queries.inclusion(1)
    salts = [field.salt.hex().encode() for index in range(3) for field in queries.opened(index)]
    secrets = (SECRET.encode(), *salts)
    tick(on_disk.now + timedelta(days=300))
    assert left_on_disk(tmp_path, *secrets) == list(secrets), "it is not due yet"

    later = on_disk.now + timedelta(days=400)
    tick(later)
    assert Entry.objects.filter(destroyed_at=later).count() >= 3
    tick(later + timedelta(minutes=1))  # the next write begins the journal again
    assert left_on_disk(tmp_path, *secrets) == []
    assert queries.inclusion(1) == proof
    signed = parse_checkpoint(proof.checkpoint)
    merkle.verify_inclusion(merkle.leaf_hash(proof.leaf), 1, proof.size, proof.hashes, signed.root)
    assert auditing.audit(lambda done: None).whole


def tick(now):
    """One turn of the worker's clock, as far as the ledger and its journal go."""
    for name, task in wiring.periodic().items():
        if name.startswith("ledger.") or name == "exchange.empty_journal":
            task(now)
