"""Two nodes with homes, keys and databases of their own: what one sends, the other takes in, and both can prove it."""

import base64
import json
import os
import sqlite3
import subprocess
import sys

import httpx
import pytest
from django.db import connection

from palermo.config import node_file
from palermo.node.exchange import actions, delivery, queries
from palermo.node.exchange.models import Outgoing
from palermo.node.ledger import queries as ledger

# Both begin as copies of the test's database, which holds the directory and nothing else: no time goes on migrations.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="copies the test's SQLite database"),
]

# What the other node does in its own process: take in the envelopes given, then say what it holds.
TAKE_IN = """
import base64, json, sys
from datetime import datetime
import django
django.setup()
from palermo.node.exchange import actions, handlers, queries
from palermo.node.ledger import queries as ledger
asked = json.load(sys.stdin)
now = datetime.fromisoformat(asked["now"])
taken = []
handlers.register("palermo/test.note+v1", lambda message, *, now: taken.append(message.payload.decode()))
receipts = [base64.b64encode(actions.receive(base64.b64decode(e), now=now)).decode() for e in asked["envelopes"]]
faults = [str(fault) for fault in queries.check() + ledger.check()]
print(json.dumps({"receipts": receipts, "taken": taken, "entries": ledger.size(), "faults": faults}))
"""

# One of several writers of one ledger.
WRITE = """
import sys
from datetime import datetime
import django
django.setup()
from django.db import transaction
from palermo.node.ledger import actions
from palermo.node.ledger.actions.signing import sign
now = datetime.fromisoformat(sys.argv[2])
for number in range(20):
    fields = {"n": f"{sys.argv[1]}.{number}"}
    with transaction.atomic():
        index = actions.append(kind="sent.test", counterparty="CC-FIU", fields=fields, now=now).index
        sign(index + 1, now)
    print(index)
"""


@pytest.fixture
def home_of_other_node(network) -> dict[str, str]:
    """The environment of a process of BB-POL's node."""
    member = network.members["BB-POL"]
    file = node_file.NodeFile(authority="BB-POL", https=False)
    (member.home / node_file.NAME).write_text(file.to_toml(), "utf-8")
    (member.home / node_file.SECRET_KEY).write_text("only for this test", "utf-8")
    copy = sqlite3.connect(member.home / "db.sqlite3")
    connection.connection.backup(copy)
    copy.close()
    environment = {**os.environ, "PALERMO_HOME": str(member.home)}
    environment.pop("DATABASE_URL", None)
    return environment


def take_in(environment, now, *envelopes: bytes) -> dict:
    asked = {"now": now.isoformat(), "envelopes": [base64.b64encode(envelope).decode() for envelope in envelopes]}
    done = subprocess.run(
        [sys.executable, "-c", TAKE_IN],
        input=json.dumps(asked),
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    said["receipts"] = [base64.b64decode(receipt) for receipt in said["receipts"]]
    return said


def test_from_outbox_to_inbox_and_back(network, home_of_other_node):
    for number in range(2):
        actions.send(
            recipient="BB-POL",
            payload_type="palermo/test.note+v1",
            payload=f"note {number}".encode(),
            case_reference="CASE-2026-7",
            purpose="test of the post",
            message_id=f"m{number}",
            now=network.now,
        )
    envelopes = [bytes(row.envelope) for row in Outgoing.objects.order_by("sequence")]
    said = take_in(home_of_other_node, network.now, *envelopes, envelopes[0])
    assert (said["taken"], said["entries"], said["faults"]) == (["note 0", "note 1"], 2, [])
    assert said["receipts"][2] == said["receipts"][0]
    answers = dict(zip(envelopes, said["receipts"], strict=False))
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=answers[request.content]))
    with httpx.Client(transport=transport) as client:
        assert delivery.deliver_due(network.now, client) == 2
    for number in range(2):
        row = queries.message(f"m{number}")
        assert (row.state, row.partner_index) == ("accepted", number)
    assert queries.check() == [] and ledger.check() == []
    again = take_in(home_of_other_node, network.now, *envelopes)  # a restarted process remembers what it has
    assert (again["taken"], again["entries"], again["receipts"]) == ([], 2, said["receipts"][:2])


def test_processes_that_write_one_sqlite_ledger_queue_up(network, home_of_other_node):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(number), network.now.isoformat()],
            env=home_of_other_node,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(3)
    ]
    said = [writer.communicate(timeout=120) for writer in writers]
    assert all(writer.returncode == 0 for writer in writers), said
    assert sorted(int(line) for out, _ in said for line in out.split()) == list(range(60))
    whole = take_in(home_of_other_node, network.now)
    assert (whole["entries"], whole["faults"]) == (60, [])
