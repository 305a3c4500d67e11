"""A node is updated while it works: the old version writes as the new one migrates, and no message is lost."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from palermo.config import node_file

pytestmark = pytest.mark.slow

PARTNERS = ("BB", "CC")
ROOMS = ("directory", "office", "ledger", "exchange", "holdings", "cases", "matching", "evidence", "requests")

# What a process of the old version does: writes a message, commits, and only then says so. It knows nothing of what the
# new version adds, is refused once that is there, and then keeps trying until it is ended, as a worker would.
WRITER = """
import json, sqlite3, sys, time
path, name = sys.argv[1:]
database = sqlite3.connect(path, timeout=20, isolation_level=None)
database.execute("PRAGMA synchronous=FULL")
old = json.loads(sys.stdin.readline())
refused = 0
for number in range(100_000):
    row = {**old, "message_id": f"{name}-{number}", "recipient": name, "sequence": number + 1}
    row["ledger_index"] = hash((name, number)) & 0xFFFFFFFFFF
    try:
        database.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(row))
        database.execute(f"INSERT INTO exchange_outgoing ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        database.execute("COMMIT")
        print(row["message_id"], flush=True)
    except sqlite3.Error as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        refused += 1
        print(f"refused: {error}", file=sys.stderr, flush=True)
        time.sleep(0.05)
        if refused == 20:
            break
    time.sleep(0.002)
"""

OLD_ROW = {
    "payload_type": "palermo/test+v1",
    "case_reference": "",
    "purpose": "test",
    "in_reply_to": "",
    "created_at": "2026-03-02 09:00:00",
    "not_after": "2036-03-02 09:00:00",
    "digest": "0" * 64,
    "envelope": "sealed",
    "legal_basis": "",
    "payload_digest": "0" * 64,
    "state": "queued",
    "attempts": 0,
    "reason": "",
}

READER = """
from django.utils import timezone
from palermo.node.exchange import actions
from palermo.node.exchange.routes import due_messages
import json
print(json.dumps([list(row) for row in due_messages(timezone.now()).values_list("message_id", "size", "stage")]))
"""


def django(home: Path, code: str) -> str:
    """Run a few lines inside the node, in a process of its own."""
    script = f"import django; django.setup()\n{code}"
    environment = {**os.environ, "PALERMO_HOME": str(home), "DJANGO_SETTINGS_MODULE": "palermo.config.settings"}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def of_the_first_version(home: Path) -> None:
    """A node with the schema that each room began with."""
    node_file.create(home, node_file.NodeFile("AA-POL", https=False))
    lines = ["from django.core.management import call_command"]
    lines += [f"call_command('migrate', '{room}', '0001', verbosity=0)" for room in ROOMS]
    django(home, "\n".join(lines))


def start_writer(database: Path, said: Path) -> subprocess.Popen:
    """Start a process of the old version; what it committed goes to ``said``, what was refused beside it."""
    with said.open("w") as out, said.with_suffix(".refused").open("w") as refused:
        command = [sys.executable, "-c", WRITER, str(database), said.name]
        writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=refused, text=True)
    with writer.stdin as line:
        line.write(json.dumps(OLD_ROW) + "\n")
    return writer


def test_no_message_is_lost_when_a_working_node_is_migrated(tmp_path):
    home = tmp_path / "home"
    of_the_first_version(home)
    database = home / "db.sqlite3"
    writers = [start_writer(database, tmp_path / name) for name in PARTNERS]
    while any(len((tmp_path / name).read_text().split()) < 50 for name in PARTNERS):
        assert all(writer.poll() is None for writer in writers), (tmp_path / "BB.refused").read_text()
        time.sleep(0.05)
    django(home, "from django.core.management import call_command; call_command('migrate', verbosity=0)")
    for writer in writers:
        writer.wait(timeout=120)
    said = {line for name in PARTNERS for line in (tmp_path / name).read_text().split()}
    with sqlite3.connect(database) as reading:
        kept = {row[0] for row in reading.execute("SELECT message_id FROM exchange_outgoing")}
    assert said == kept, "what was committed is there, and nothing else"
    assert (tmp_path / "BB.refused").read_text(), "the old version was refused once the new schema was there"
    due = {message_id: (size, stage) for message_id, size, stage in json.loads(django(home, READER))}
    assert due.keys() == said, "the new version delivers every one of them"
    assert set(due.values()) == {(len("sealed"), "submission-accepted")}
