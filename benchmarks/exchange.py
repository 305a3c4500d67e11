"""What delivering small messages costs, as a ratio to the cryptography and the durable commits that it must do.

Two real nodes, each with a home and an SQLite database of its own (WAL, synchronous=FULL), exchange messages in batches
of 100: the sender puts them in its outbox (``send_all``, one commit), the recipient takes them in with ledger entries
and receipts (``receive_parcels``, one commit), the sender stores the receipts (one commit). Only HTTP is left out: a
batch is handed over in memory.

The limit is a bare loop over the same, in the same process and turn about with it, in three parts for each message. It
holds all the cryptography that one message takes and nothing that a batch shares, such as a checkpoint's signatures:

- signatures: the message, this node's statement that it entered the outbox, and the receipt are signed with Ed25519 and
  ML-DSA-65; message and receipt are verified;
- encryption: the padded message is sealed and opened by HPKE (ML-KEM-768 + X25519);
- commits: per batch three commits to two SQLite files, synchronous=FULL, of rows as large as the nodes' own.

    .venv/bin/python benchmarks/exchange.py [--batches 5] [--profile]
"""

import argparse
import cProfile
import os
import pstats
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BATCH = 100
NOTE = "palermo/benchmark.note+v1"
PAYLOAD = b"A short note, plainly fictitious. " * 30
CODES = ("AA-POL", "BB-POL")
ENDPOINTS = {code: f"https://{code.lower()}.example" for code in CODES}
LEAST = 0.60


@dataclass
class Node:
    """One authority: its home, and its connection to its own database."""

    code: str
    home: Path
    database: Any = None

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Be this node until the end of the block."""
        from django.conf import settings
        from django.db import connections

        before = (connections["default"], settings.PALERMO_AUTHORITY, settings.PALERMO_HOME)
        connections["default"] = self.database
        settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = self.code, self.home
        try:
            yield
        finally:
            connections["default"], settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = before


def found(folder: Path, now: datetime, endpoints: Mapping[str, str] = ENDPOINTS) -> list[Node]:
    """Make a node for each endpoint, with keys, databases and one directory that lists them."""
    from palermo.config import node_file

    nodes = [Node(code, folder / code) for code in endpoints]
    for node in nodes:
        node_file.create(node.home, node_file.NodeFile(node.code, https=False))
    os.environ["PALERMO_HOME"] = str(nodes[0].home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "palermo.config.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections
    from django.db.backends.sqlite3.base import DatabaseWrapper

    from palermo.config import wiring
    from palermo.node.directory import own_keys
    from palermo.node.exchange import handlers
    from palermo.sealing import directory as sealed
    from palermo.sealing.keys import SigningKey

    wiring.connect()
    handlers.register(NOTE, lambda message, *, now: None)
    founder = SigningKey.generate()
    entries = []
    for node in nodes:
        node.database = DatabaseWrapper({**connections["default"].settings_dict, "NAME": node.home / "db.sqlite3"})
        with node.acting():
            call_command("migrate", verbosity=0)
            own_keys.ensure(now)
            entries.append(_entry(node.code, endpoints[node.code], now))
    listed = sealed.Directory(
        network="benchmark", version=1, created_at=now, founders=(founder.key_id,), entries=tuple(entries)
    )
    root = sealed.TrustRoot("benchmark", (founder.public.to_bytes(),)).to_bytes()
    from palermo.node.directory import actions as directory

    for node in nodes:
        (node.home / "trust-root.json").write_bytes(root)
        with node.acting():
            directory.import_directory(sealed.sign_directory(listed, founder), now=now)
    return nodes


def _entry(code: str, endpoint: str, now: datetime) -> Any:
    from datetime import timedelta

    from palermo.node.directory import own_keys
    from palermo.sealing import directory as sealed
    from palermo.sealing.envelope import PROTOCOL_VERSION

    signing = own_keys.signing_key().public
    return sealed.AuthorityEntry(
        code=code,
        name=f"Bureau {code}",
        jurisdiction=code[:2],
        roles=(sealed.Role.POLICE,),
        languages=("en",),
        endpoint=endpoint,
        contact_point="duty desk",
        log_origin=f"palermo/{code}",
        signing_keys=(sealed.SigningKeyPeriod(signing.to_bytes(), now, now + timedelta(days=1000)),),
        recipient_keys=tuple(signed for _, signed in own_keys.statements()),
        protocol=PROTOCOL_VERSION,
        cosigner_key=own_keys.cosigner_key().public.to_bytes(),
    )


def deliver(sender: Node, recipient: Node, now: datetime) -> dict[str, float]:
    """Send a batch from outbox to receipt; the seconds of each step."""
    from palermo.node.exchange import actions
    from palermo.node.exchange.carriers import Batches
    from palermo.node.exchange.routes import next_load, way_to
    from palermo.sealing import batch

    took = {}
    began = time.perf_counter()
    with sender.acting():
        notes = [
            actions.Draft(
                recipient=recipient.code,
                payload_type=NOTE,
                payload=PAYLOAD,
                case_reference="BENCH-1",
                purpose="Benchmark",
            )
            for _ in range(BATCH)
        ]
        actions.send_all(notes, now=now)
        took["send"] = time.perf_counter() - began
        way = way_to(recipient.code)
        load = next_load(way, now)
    if len(load.messages) != BATCH:
        raise SystemExit(f"a load of {len(load.messages)} messages, not {BATCH}")
    posted = batch.pack(load.parcels)
    with recipient.acting():
        answer = batch.pack(actions.receive_parcels(batch.unpack(posted), now=now))
    took["take in"] = time.perf_counter() - began - sum(took.values())
    with sender.acting():
        settled, sentence = Batches().conclude(way, load, batch.unpack(answer), now)
    if settled != BATCH:
        raise SystemExit(f"{settled} of {BATCH} were settled: {sentence}")
    took["settle"] = time.perf_counter() - began - sum(took.values())
    return took


@dataclass
class Limit:
    """The bare loop: keys, and two SQLite files with one table each."""

    folder: Path
    row_bytes: tuple[int, int, int]

    def __post_init__(self) -> None:
        from palermo.sealing.keys import RecipientKey, SigningKey

        self.sender, self.recipient, self.key = SigningKey.generate(), SigningKey.generate(), RecipientKey.generate()
        self.files = [_open(self.folder / f"limit-{number}.sqlite3") for number in range(2)]
        self.receipt = os.urandom(1000)
        self.statement = os.urandom(400)
        self.sender.sign(b""), self.recipient.sign(b""), self.key.public.key_id  # keys parsed beforehand

    def signatures(self) -> None:
        """What is signed and verified for one message."""
        message = self.sender.sign(PAYLOAD)
        self.sender.sign(self.statement)
        self.sender.public.verify(PAYLOAD, message)
        receipt = self.recipient.sign(self.receipt)
        self.recipient.public.verify(self.receipt, receipt)

    def encryption(self) -> None:
        """A parcel of 8 KiB, sealed and opened."""
        from palermo.sealing import hpke

        plain = bytes(8192 - hpke.OVERHEAD_BYTES)
        hpke.open(self.key, b"head", hpke.seal(self.key.public, b"head", plain))

    def commits(self) -> None:
        """Three commits: outbox, inbox, receipts."""
        for file, size in zip((0, 1, 0), self.row_bytes, strict=True):
            connection = self.files[file]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO row (content) VALUES (?)", [(os.urandom(size),) for _ in range(BATCH)])
            connection.execute("COMMIT")

    def batch(self) -> dict[str, float]:
        """All of it for one batch; the seconds of each part."""
        return {
            "signatures": _timed(self.signatures, BATCH),
            "encryption": _timed(self.encryption, BATCH),
            "commits": _timed(self.commits, 1),
        }


def _timed(work: Callable[[], None], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - began


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, content BLOB)")
    return connection


def row_bytes(sender: Node, recipient: Node) -> tuple[int, int, int]:
    """How many bytes of content one message leaves: in the outbox, in the inbox, and as a receipt in the outbox."""

    def mean(node: Node, sql: str) -> int:
        with node.acting(), node.database.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0])

    leaf = "(SELECT AVG(LENGTH(leaf) + LENGTH(fields)) FROM ledger_entry)"
    statement = "(SELECT AVG(LENGTH(signed)) FROM exchange_statement)"
    return (
        mean(sender, f"SELECT AVG(LENGTH(envelope)) + {statement} + {leaf} FROM exchange_outgoing"),
        mean(
            recipient,
            f"SELECT AVG(LENGTH(envelope) + LENGTH(signed) + LENGTH(receipt)) + {leaf} FROM exchange_incoming",
        ),
        mean(sender, "SELECT AVG(LENGTH(receipt)) FROM exchange_outgoing"),
    )


def report(limits: list[dict[str, float]], real: list[dict[str, float]], sizes: tuple[int, int, int]) -> float:
    """Print both and their ratio, of the fastest batch each; returns the ratio."""
    limit, nodes = min(limits, key=lambda took: sum(took.values())), min(real, key=lambda took: sum(took.values()))
    print(f"{len(real)} batches of {BATCH} messages of {len(PAYLOAD)} bytes; the fastest batch of each\n")
    for title, took in (("the limit", limit), ("two nodes", nodes)):
        total = sum(took.values())
        parts = ", ".join(f"{name} {seconds * 1000 / BATCH:.2f}" for name, seconds in took.items())
        print(f"{title}: {BATCH / total:7.0f} messages/s   {total * 1000 / BATCH:.2f} ms a message: {parts}")
    print("\nThe limit of a message holds 3 signings and 2 verifications (Ed25519 + ML-DSA-65 each), 1 sealing and 1")
    print(
        f"opening (HPKE, 8 KiB), and its share of 3 commits of {BATCH} rows ({sizes[0]}, {sizes[1]}, {sizes[2]} bytes)."
    )
    ratio = sum(limit.values()) / sum(nodes.values())
    print(f"\nratio: {ratio:.0%} of the limit's throughput (at least {LEAST:.0%} is asked)")
    return ratio


def main() -> int:
    """Run both turn about; exit 1 below the ratio that is asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--batches", type=int, default=5)
    parser.add_argument("--profile", action="store_true", help="show where the nodes' time goes")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="palermo-benchmark-"))
    now = datetime.now(UTC)
    try:
        sender, recipient = found(folder, now)
        deliver(sender, recipient, now)  # warm: keys parsed, statements of SQL prepared
        sizes = row_bytes(sender, recipient)
        limit, limits, real = Limit(folder, sizes), [], []
        profile = cProfile.Profile()
        for _ in range(options.batches):
            limits.append(limit.batch())
            if options.profile:
                profile.enable()
            real.append(deliver(sender, recipient, now))
            profile.disable()
        ratio = report(limits, real, sizes)
        if options.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if ratio >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
