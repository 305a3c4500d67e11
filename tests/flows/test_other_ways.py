"""The demo's three nodes where two cannot be reached: one stands behind a relay, to one a courier walks.

Real processes, real HTTP, a real file on a stick. What may never happen: a message lost, one with two effects, a
receipt without an effect, a parcel handed to another than its recipient. The relay and the node behind it are killed
on the way.
"""

import hashlib
import json
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from finished import Books, own_environment, palermo
from stored_rows import on_postgresql

from palermo.cli.demo import story
from palermo.cli.demo.nodes import BY_COURIER, Authority, Network, Node
from palermo.sealing import batch
from palermo.sealing.keyfile import read_private
from palermo.sealing.keys import SigningKey
from palermo.sealing.ticket import Collection, Index, Ticket, sign_collection, sign_ticket

pytestmark = pytest.mark.slow

RELAY = Authority("XR-RC", "Relay of the Invented Seas", "an organisation", ("regional-centre", "relay"))
DIRECT = story.VICTIMS
BEHIND = replace(story.MULES, reached=RELAY.code)
CARRIED = replace(story.COMPOUND, reached=BY_COURIER)
WAIT_SECONDS = 300.0

# Each new recipient key is offered to every partner: a message with an effect, whose real handler every node has.
SEND = """
import sys
from datetime import timedelta
import django
django.setup()
from django.utils import timezone
from palermo.config import wiring
from palermo.node.directory import own_keys
from palermo.node.exchange import renewal
wiring.connect()
now, count = timezone.now(), int(sys.argv[1])
for number in range(count):
    own_keys.create_recipient_key(now - timedelta(seconds=count - number))
    renewal.renew_keys(now)
"""


@dataclass
class Ways:
    """The network, and what a person or a hostile member does on it."""

    network: Network
    sticks: Path

    def node(self, authority: Authority) -> Node:
        return self.network.nodes[authority.code]

    def books(self, authority: Authority) -> Books:
        return Books(self.node(authority).home)

    def send(self, sender: Authority, count: int) -> None:
        """``count`` messages to each of the others."""
        environment = {**own_environment(), "PALERMO_HOME": str(self.node(sender).home)}
        environment["DJANGO_SETTINGS_MODULE"] = "palermo.config.settings"
        subprocess.run([sys.executable, "-c", SEND, str(count)], env=environment, check=True, timeout=WAIT_SECONDS)

    def open(self, sender: Authority, recipient: Authority) -> int:
        """Messages without a receipt."""
        sql = "SELECT count(*) FROM exchange_outgoing WHERE recipient = ? AND receipt IS NULL"
        return self.books(sender).count(sql, recipient.code)

    def arrived(self, sender: Authority, recipient: Authority) -> int:
        sql = "SELECT count(*) FROM exchange_incoming WHERE sender = ? AND state = 'accepted'"
        return self.books(recipient).count(sql, sender.code)

    def courier(self, *arguments: object, at: Authority, expect: int = 0) -> dict[str, object]:
        done = palermo("courier", *arguments, "--json", "--home", self.node(at).home)
        assert done.returncode == expect, (done.stdout, done.stderr)
        found: dict[str, object] = json.loads(done.stdout) if done.stdout else {"said": done.stderr}
        return found

    def carry(self, sender: Authority, recipient: Authority) -> dict[str, object]:
        """Export, walk, import."""
        stick = self.sticks / f"{sender.code}-{secrets.token_hex(4)}.courier"
        self.courier("export", stick, "--to", recipient.code, at=sender)
        return self.courier("import", stick, at=recipient)

    def key(self, authority: Authority) -> SigningKey:
        return SigningKey.from_bytes(read_private(self.node(authority).home / "keys" / "signing.key", None))


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def ways(tmp_path_factory):
    """Four homes; three nodes run. The one that the courier walks to has no line at all: its commands run by hand."""
    folder = tmp_path_factory.mktemp("ways")
    network = Network(folder, (DIRECT, BEHIND, CARRIED, RELAY))
    network.make()
    settings = network.nodes[BEHIND.code].home / "node.toml"
    settings.write_text(settings.read_text("utf-8").replace("poll_seconds = 30", "poll_seconds = 1"), "utf-8")
    running = [network.nodes[code] for code in (RELAY.code, DIRECT.code, BEHIND.code)]
    try:
        for node in running:
            node.start()
        (folder / "sticks").mkdir()
        yield Ways(network, folder / "sticks")
    finally:
        for node in running:
            node.stop()


def test_mail_reaches_who_cannot_be_reached(ways: Ways) -> None:
    _both_ways_by_relay(ways)
    _the_relay_is_killed(ways)
    _the_node_behind_it_is_killed(ways)
    _a_full_mailbox_loses_nothing(ways)
    _strangers_and_thieves_get_nothing(ways)
    _a_courier_walks(ways)
    _a_bad_stick_costs_what_is_bad_on_it(ways)
    _everything_fits(ways)


def _both_ways_by_relay(ways: Ways) -> None:
    ways.send(DIRECT, 3)
    ways.send(BEHIND, 3)
    until(lambda: ways.open(DIRECT, BEHIND) == 0, "the receipt from behind the relay")
    until(lambda: ways.open(BEHIND, DIRECT) == 0, "the receipt to the node behind the relay")
    assert ways.arrived(DIRECT, BEHIND) == ways.arrived(BEHIND, DIRECT) == 3
    handed = ways.books(DIRECT).count(
        "SELECT count(*) FROM exchange_outgoing WHERE recipient = ? AND handed_at IS NOT NULL", BEHIND.code
    )
    assert handed == 3, "they went by the relay"
    stated = ways.books(DIRECT).column("SELECT issuer FROM exchange_statement WHERE stage = 'relayed'")
    assert stated == [RELAY.code] * 3, "and it signed that it holds them"


def _the_relay_is_killed(ways: Ways) -> None:
    relay, before = ways.node(RELAY), ways.arrived(DIRECT, BEHIND)
    ways.send(DIRECT, 4)
    relay.kill()
    ways.send(DIRECT, 4)
    relay.start()
    until(lambda: ways.open(DIRECT, BEHIND) == 0, "every receipt after the relay was killed")
    assert ways.arrived(DIRECT, BEHIND) == before + 8


def _the_node_behind_it_is_killed(ways: Ways) -> None:
    node, before = ways.node(BEHIND), ways.arrived(DIRECT, BEHIND)
    ways.send(DIRECT, 8)
    until(lambda: ways.arrived(DIRECT, BEHIND) > before, "the first of eight")
    node.kill()
    node.start()
    until(lambda: ways.open(DIRECT, BEHIND) == 0, "every receipt after the recipient was killed")
    assert ways.arrived(DIRECT, BEHIND) == before + 8


def _a_full_mailbox_loses_nothing(ways: Ways) -> None:
    """One parcel as large as a mailbox stands in the relay's books: it takes no other until that is gone."""
    if on_postgresql(ways.node(RELAY).home):
        return  # it is written into the file from outside; the bound itself is the same on both databases
    before = ways.arrived(DIRECT, BEHIND)
    database, now = ways.node(RELAY).home / "db.sqlite3", datetime.now(UTC).replace(tzinfo=None)
    large = (DIRECT.code, BEHIND.code, "0" * 64, 2**33, b"x", "waiting", str(now), str(now.replace(year=2100)), b"")
    columns = "sender, recipient, digest, size, content, state, held_at, ends_at, relayed"
    with closing(sqlite3.connect(database, timeout=20)) as books, books:
        books.execute(f"INSERT INTO exchange_relayparcel ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", large)
    ways.send(DIRECT, 1)
    error = "SELECT last_error FROM exchange_peer WHERE code = ?"
    until(lambda: "no room" in ways.books(DIRECT).column(error, BEHIND.code)[0], "the word that there is no room")
    assert (ways.open(DIRECT, BEHIND), ways.arrived(DIRECT, BEHIND)) == (1, before)
    with closing(sqlite3.connect(database, timeout=20)) as books, books:
        books.execute("DELETE FROM exchange_relayparcel WHERE digest = ?", ("0" * 64,))
    until(lambda: ways.open(DIRECT, BEHIND) == 0, "the receipt after the mailbox had room again")


def _strangers_and_thieves_get_nothing(ways: Ways) -> None:
    ways.node(BEHIND).kill()  # so that the parcel waits
    ways.send(DIRECT, 1)
    waits = "SELECT content FROM exchange_relayparcel WHERE sender = ? AND recipient = ? AND state = 'waiting'"

    def waiting() -> list[bytes]:
        return [bytes(content) for content in ways.books(RELAY).column(waits, DIRECT.code, BEHIND.code)]

    until(lambda: waiting() != [], "a parcel at the relay")
    parcel = waiting()[0]
    relay, now = ways.node(RELAY).url, datetime.now(UTC)

    def ticket(content: bytes, key: SigningKey, **changes: object) -> bytes:
        values = {"relay": RELAY.code, "member": DIRECT.code, "recipient": BEHIND.code, "at": now}
        values |= {"nonce": secrets.token_hex(16), "digests": (hashlib.sha256(content).hexdigest(),), **changes}
        return sign_ticket(Ticket(**values), key)

    def hand_in(signed: bytes, *contents: bytes) -> int:
        body, headers = batch.pack([signed, *contents]), {"Content-Type": "application/vnd.palermo.batch"}
        return httpx.post(f"{relay}/exchange/v2/relay/{BEHIND.code}", content=body, headers=headers).status_code

    def collect(key: SigningKey, member: Authority, **changes: object) -> httpx.Response:
        values = {"relay": RELAY.code, "member": member.code, "at": now, "nonce": secrets.token_hex(16), **changes}
        headers = {"Content-Type": "application/vnd.palermo.relay-collection.v1"}
        signed = sign_collection(Collection(**values), key)
        return httpx.post(f"{relay}/exchange/v2/collections", content=signed, headers=headers)

    honest, thief = ways.key(DIRECT), ways.key(CARRIED)
    once = ticket(parcel, honest)
    assert [hand_in(once, parcel), hand_in(once, parcel)] == [200, 403], "a ticket is used once"
    assert hand_in(ticket(parcel, thief), parcel) == 403, "forged"
    assert hand_in(ticket(parcel, SigningKey.generate()), parcel) == 403, "a stranger's"
    assert hand_in(ticket(parcel + b"x", honest), parcel + b"x") == 400, "a size of its own"
    assert hand_in(ticket(parcel, honest), parcel[:-1] + b"x") == 400, "another parcel than the ticket's"
    assert collect(thief, BEHIND).status_code == 403, "another's mailbox"
    taken = (hashlib.sha256(parcel).hexdigest(),)
    answer = collect(thief, CARRIED, taken=taken)
    index = Index.from_bytes(batch.unpack(answer.content)[0])
    assert answer.status_code == 200 and not index.parcels, "one's own mailbox, and nothing of another's"
    assert parcel in waiting(), "it still waits for its owner"
    ways.node(BEHIND).start()
    until(lambda: ways.open(DIRECT, BEHIND) == 0, "the receipt of what the thieves did not get")


def _a_courier_walks(ways: Ways) -> None:
    """There and back: messages both ways, and the receipts of each in the other's next file."""
    ways.send(CARRIED, 2)
    waiting = ways.open(DIRECT, CARRIED)
    assert waiting > 0, "each key that it made was offered to this partner too"
    there = ways.carry(DIRECT, CARRIED)
    assert (there["new"], there["known"], there["rejected"], there["damaged"]) == (waiting, 0, [], [])
    back = ways.carry(CARRIED, DIRECT)
    assert (back["new"], back["letters"]) == (2, 1)
    assert ways.open(DIRECT, CARRIED) == 0, "settled by the receipts in the file"
    again = ways.carry(DIRECT, CARRIED)
    assert (again["new"], again["letters"]) == (0, 1)
    assert ways.open(CARRIED, DIRECT) == 0


def _a_bad_stick_costs_what_is_bad_on_it(ways: Ways) -> None:
    ways.send(DIRECT, 3)
    stick = ways.sticks / "good.courier"
    told = ways.courier("export", stick, "--to", CARRIED.code, "--only-new", at=DIRECT)
    assert (told["messages"], told["letters"]) == (3, 0) and str(told["keys_end_at"]) < str(told["opens_until"])
    whole = stick.read_bytes()
    bad = ways.sticks / "bad.courier"
    bad.write_bytes(whole[:-6000])
    cut = ways.courier("import", bad, at=CARRIED, expect=3)
    assert cut["new"] == 2 and len(cut["damaged"]) == 1 and cut["fault"]
    assert "carry it on" in str(ways.courier("import", stick, at=RELAY, expect=1)["said"])
    bad.write_bytes(whole[:100])
    ways.courier("import", bad, at=CARRIED, expect=1)
    ways.courier("import", ways.sticks / "none.courier", at=CARRIED, expect=2)
    ways.courier("export", stick, "--to", CARRIED.code, at=DIRECT, expect=2)
    ways.courier("export", ways.sticks, "--to", "XX-NONE", at=DIRECT, expect=2)
    assert ways.courier("import", stick, at=CARRIED)["new"] == 1
    assert ways.courier("import", stick, at=CARRIED)["known"] == 3
    ways.carry(CARRIED, DIRECT)
    assert ways.open(DIRECT, CARRIED) == 0
    ways.courier("export", ways.sticks / "nothing.courier", "--to", RELAY.code, at=CARRIED, expect=0)


def _everything_fits(ways: Ways) -> None:
    """Each message of each node: one effect at its recipient, one receipt here, and every book in order."""
    until(lambda: all(ways.open(a, b) == 0 for a in (DIRECT, BEHIND) for b in (DIRECT, BEHIND, RELAY)), "every receipt")
    for sender in (DIRECT, BEHIND, CARRIED):
        for recipient in (DIRECT, BEHIND, CARRIED, RELAY):
            sent = ways.books(sender).column(
                "SELECT digest FROM exchange_outgoing WHERE recipient = ? AND state = 'accepted'", recipient.code
            )
            came = ways.books(recipient).column("SELECT digest FROM exchange_incoming WHERE sender = ?", sender.code)
            assert sorted(sent) == sorted(set(came) & set(sent)) and len(came) == len(set(came))
    at_relay = ways.books(RELAY).column("SELECT recipient FROM exchange_relayparcel")
    assert set(at_relay) == {BEHIND.code}, "a relay holds what is for whom it relays, and nothing else"
    for authority in (DIRECT, BEHIND, CARRIED, RELAY):
        done = palermo("node", "check", "--home", ways.node(authority).home)
        assert done.returncode == 0, (authority.code, done.stdout)
        log = ways.network.folder / f"{authority.code}.log"
        assert not log.exists() or "Internal Server Error" not in log.read_text("utf-8"), authority.code
