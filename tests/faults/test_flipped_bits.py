"""A flipped bit in anything that a finished road left is found by ``palermo node check``, which names it and no more.

Each test flips single bits, at random places, in one kind of stored thing at one node, and looks at the exit code and
at what the check names. ``PALERMO_FLIP_SEED`` repeats the places of an earlier run.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from finished import ASKER, HOLDER, THIRD, FinishedRoad, own_environment, palermo
from stored_rows import Books, on_postgresql, opened

pytestmark = pytest.mark.slow

Changes = tuple[Callable[[], None], tuple[str, Callable[[], None]]]
"""What damages a row, what the check must call it, and what puts it back."""

PLACES = 4
"""Bits flipped in each kind of thing."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A kind of thing in the database. ``name``: SQL for what the check must call the row."""

    node: str
    table: str
    column: str
    name: str


OUTGOING = "message_id || ' to ' || recipient"
INCOMING = "message_id || ' from ' || sender"
ANSWERED = "(SELECT reference FROM requests_request WHERE id = request_id)"
IN_DATABASE = {
    "envelope in the outbox": Stored(ASKER, "exchange_outgoing", "envelope", f"'envelope message ' || {OUTGOING}"),
    "envelope in the inbox": Stored(HOLDER, "exchange_incoming", "envelope", f"'envelope message ' || {INCOMING}"),
    "signed message": Stored(ASKER, "exchange_incoming", "signed", f"'signed message message ' || {INCOMING}"),
    "receipt in the outbox": Stored(HOLDER, "exchange_outgoing", "receipt", f"'receipt message ' || {OUTGOING}"),
    "receipt in the inbox": Stored(ASKER, "exchange_incoming", "receipt", f"'receipt message ' || {INCOMING}"),
    "leaf": Stored(ASKER, "ledger_entry", "leaf", "'ledger entry entry ' || \"index\" || ': its leaf'"),
    "leaf hash": Stored(HOLDER, "ledger_entry", "leaf_hash", "'ledger entry entry ' || \"index\" || ': its leaf hash'"),
    "fields of a leaf": Stored(
        HOLDER, "ledger_entry", "fields", "'ledger entry entry ' || \"index\" || ': its fields'"
    ),
    "tile": Stored(ASKER, "ledger_tile", "hashes", "'ledger tile tile ' || level || '/' || number"),
    "checkpoint": Stored(HOLDER, "ledger_checkpoint", "text", "'ledger checkpoint checkpoint of size ' || size"),
    "root of a checkpoint": Stored(
        ASKER, "ledger_checkpoint", "root", "'ledger checkpoint checkpoint of size ' || size"
    ),
    "witnessed checkpoint": Stored(
        HOLDER, "ledger_witnessed", "text", "'witnessed checkpoint checkpoint of ' || partner || ' at size ' || size"
    ),
    "directory": Stored(THIRD, "directory_directoryversion", "data", "'directory version ' || version"),
    "request": Stored(HOLDER, "requests_request", "payload", "'request ' || reference"),
    "answer": Stored(ASKER, "requests_answer", "payload", f"'answer ' || {ANSWERED} || ' answer ' || number"),
}


WARM = """
import json, sys
from typer.testing import CliRunner
from palermo.config.commands.node import app
for home in sys.stdin:
    done = CliRunner().invoke(app, ["check", "--home", home.strip()])
    crash = "" if isinstance(done.exception, SystemExit | None) else repr(done.exception)
    print(json.dumps([done.exit_code, done.stdout, crash]), flush=True)
"""


class Nodes:
    """Homes to flip bits in, each with the command ``palermo node check`` kept warm in a process of its own."""

    def __init__(self, road: FinishedRoad) -> None:
        self.road = road
        self._warm: dict[str, subprocess.Popen[str]] = {}

    def home(self, node: str) -> Path:
        """A node's home."""
        return self.road.home(node)

    def check(self, node: str) -> tuple[int, list[str]]:
        """The command's exit code and the faults that it names."""
        if node not in self._warm:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            self._warm[node] = subprocess.Popen([sys.executable, "-c", WARM], env=own_environment(), **pipes)
        warm = self._warm[node]
        warm.stdin.write(f"{self.home(node)}\n")
        warm.stdin.flush()
        code, printed, crash = json.loads(warm.stdout.readline())
        assert not crash, crash
        return code, faults_in(printed)

    def close(self) -> None:
        """End the processes."""
        for warm in self._warm.values():
            warm.communicate(timeout=20)


def faults_in(printed: str) -> list[str]:
    """The lines that name a fault."""
    return [line.strip() for line in printed.splitlines() if line.startswith("        ")]


@pytest.fixture(scope="module")
def nodes(finished_road: FinishedRoad, tmp_path_factory) -> Iterator[Nodes]:
    """Homes of this worker's own."""
    made = Nodes(finished_road.copy(tmp_path_factory.mktemp("homes")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def rng() -> random.Random:
    """Places to flip."""
    seed = int(os.environ.get("PALERMO_FLIP_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"PALERMO_FLIP_SEED={seed}\n")  # pytest shows it when a test fails
    return random.Random(seed)


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit turned over."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def assert_only(found: tuple[int, list[str]], expected: str) -> None:
    """The check fails, and every fault that it names is this thing.

    Where the bit leaves no JSON, SQLite says so of the table too, by a constraint of ours.
    """
    code, faults = found
    assert code == 1
    ours = [fault for fault in faults if not fault.startswith("SQLite: ('CHECK constraint failed")]
    assert ours
    assert [fault for fault in ours if not fault.startswith(expected)] == [], f"only {expected} was damaged"


@contextmanager
def one_bit_of_a_file(path: Path, rng: random.Random) -> Iterator[bytes]:
    """Flip a bit of a file, and turn it back."""
    whole, mode = path.read_bytes(), path.stat().st_mode
    damaged = flipped(whole, rng.randrange(8 * len(whole)))
    path.chmod(0o600)
    path.write_bytes(damaged)
    try:
        yield damaged
    finally:
        path.write_bytes(whole)
        path.chmod(mode)


@contextmanager
def one_bit_of_a_row(home: Path, stored: Stored, rng: random.Random) -> Iterator[str]:
    """Flip a bit of one row's column, and turn it back; gives the name that the check must use."""
    if on_postgresql(home):
        change, kept = _in_postgresql(home, stored, rng)
    else:
        change, kept = _in_sqlite(home, stored, rng)
    name, put_back = kept
    change()
    try:
        yield name
    finally:
        put_back()


def _in_sqlite(home: Path, stored: Stored, rng: random.Random) -> Changes:
    select = f"SELECT rowid, {stored.name}, CAST({stored.column} AS BLOB), typeof({stored.column}) FROM {stored.table}"
    there = f"{stored.column} IS NOT NULL"  # a message that was forgotten has only its digest left
    row, name, whole, kind = rng.choice(Books(home).rows(f"{select} WHERE {there} ORDER BY rowid"))

    def write(value: bytes) -> None:
        with opened(home) as execute:
            set_to = f"CAST(? AS {kind})"
            execute(f"UPDATE {stored.table} SET {stored.column} = {set_to} WHERE rowid = ?", value, row)

    damaged = flipped(whole, rng.randrange(8 * len(whole)))
    return partial(write, damaged), (name, partial(write, whole))


def _in_postgresql(home: Path, stored: Stored, rng: random.Random) -> Changes:
    """As SQLite's; but a text is kept only as text, and JSON as JSON, so the bit is one that leaves it so."""
    column = f"t.{stored.column}"
    kind = f"(SELECT pg_typeof({stored.column})::text FROM {stored.table} LIMIT 1)"
    select = f"SELECT ctid::text, {stored.name}, {column}::text, {kind} FROM {stored.table} t"
    place, name, text, kind = rng.choice(Books(home).rows(f"{select} WHERE {column} IS NOT NULL ORDER BY ctid"))
    at = [place]

    def write(value: str) -> None:
        with opened(home) as execute:
            change = f"UPDATE {stored.table} SET {stored.column} = ?::{kind} WHERE ctid = ?::tid RETURNING ctid::text"
            ((at[0],),) = execute(change, value, at[0])

    damaged = _flipped_hex(text, rng) if kind == "bytea" else _flipped_text(text, rng)
    while kind == "jsonb" and not _is_json(damaged):
        damaged = _flipped_text(text, rng)
    return partial(write, damaged), (name, partial(write, text))


def _flipped_hex(text: str, rng: random.Random) -> str:
    whole = bytes.fromhex(text.removeprefix("\\x"))
    return "\\x" + flipped(whole, rng.randrange(8 * len(whole))).hex()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _flipped_text(text: str, rng: random.Random) -> str:
    """Turn the lowest bit of a letter or digit: what results is as good a text, and as good JSON, as before."""
    place = rng.choice([place for place, letter in enumerate(text) if letter.isascii() and letter.isalnum()])
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


@pytest.mark.parametrize("node", [ASKER, HOLDER, THIRD])
def test_an_undamaged_node_passes(nodes: Nodes, node: str) -> None:
    assert nodes.check(node) == (0, [])


def test_the_command_itself_says_what_is_damaged_and_ends_with_1(nodes: Nodes, rng: random.Random) -> None:
    with one_bit_of_a_row(nodes.home(ASKER), IN_DATABASE["leaf"], rng) as name:
        done = palermo("node", "check", "--home", nodes.home(ASKER))
    assert_only((done.returncode, faults_in(done.stdout)), name)
    assert "DAMAGED ledger" in done.stdout
    assert "restore it from a back-up" in done.stderr
    assert palermo("node", "check", "--home", nodes.home(ASKER)).returncode == 0


@pytest.mark.parametrize("kind", IN_DATABASE)
def test_a_bit_flipped_in_the_database_is_named(nodes: Nodes, rng: random.Random, kind: str) -> None:
    stored = IN_DATABASE[kind]
    for _ in range(PLACES):
        with one_bit_of_a_row(nodes.home(stored.node), stored, rng) as name:
            assert_only(nodes.check(stored.node), name)
    assert nodes.check(stored.node) == (0, [])


def test_a_bit_flipped_in_a_public_key_is_named_first(nodes: Nodes, rng: random.Random) -> None:
    """What that key signed can no longer be verified either, and is named after it."""
    code = "(SELECT code FROM directory_authority WHERE id = authority_id)"
    stored = Stored(THIRD, "directory_publickey", "public", f"'public key ' || {code} || ' ' || key_id")
    for _ in range(PLACES):
        with one_bit_of_a_row(nodes.home(stored.node), stored, rng) as name:
            exit_code, faults = nodes.check(stored.node)
            assert exit_code == 1
            assert [fault for fault in faults if "public key" in fault] == faults[:1]
            assert faults[0].startswith(name)
    assert nodes.check(stored.node) == (0, [])


@pytest.mark.parametrize("table", ["entities", "selectors", "changes"])
def test_a_bit_flipped_in_the_lake_is_named(nodes: Nodes, rng: random.Random, table: str) -> None:
    (path,) = nodes.home(ASKER).glob(f"lake/holdings/*/versions/*/{table}.parquet")
    for _ in range(PLACES):
        with one_bit_of_a_file(path, rng):
            assert_only(nodes.check(ASKER), f"holding fraud-2026: {table}.parquet")
    assert nodes.check(ASKER) == (0, [])


@pytest.mark.parametrize("name", ["manifest.json", "CURRENT"])
def test_a_bit_flipped_in_what_describes_the_lake_is_named(nodes: Nodes, rng: random.Random, name: str) -> None:
    (path,) = nodes.home(HOLDER).glob(f"lake/holdings/**/{name}")
    with one_bit_of_a_file(path, rng):
        assert_only(nodes.check(HOLDER), "holding fraud-2026: ")


@pytest.mark.parametrize("node", [ASKER, HOLDER])
def test_a_bit_flipped_in_an_original_is_named(nodes: Nodes, rng: random.Random, node: str) -> None:
    (path,) = (file for file in nodes.home(node).glob("blobs/*/*") if file.is_file())
    for _ in range(PLACES):
        with one_bit_of_a_file(path, rng):
            assert_only(nodes.check(node), f"evidence item {path}")
    assert nodes.check(node) == (0, [])


@pytest.mark.parametrize("node", [ASKER, HOLDER])
def test_a_bit_flipped_in_a_package_is_named_and_refused(
    nodes: Nodes, rng: random.Random, node: str, tmp_path: Path
) -> None:
    (path,) = nodes.home(node).glob("packages/*.zip")
    copy = tmp_path / path.name
    for _ in range(PLACES):
        with one_bit_of_a_file(path, rng) as damaged:
            assert_only(nodes.check(node), f"evidence package {path}")
        copy.write_bytes(damaged)
        refused = palermo("evidence", "verify", copy, "--trust", nodes.road.trust_root)
        assert refused.returncode == 1, refused.stdout
    assert nodes.check(node) == (0, [])
    assert palermo("evidence", "verify", path, "--trust", nodes.road.trust_root).returncode == 0


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("lake/holdings/*/CURRENT", "holding fraud-2026: CURRENT"),
        ("lake/holdings/*/versions/*/selectors.parquet", "holding fraud-2026: selectors.parquet"),
        ("blobs/*/*", "evidence item {}: the file is gone"),
        ("packages/*.zip", "evidence package {}: the file is gone"),
    ],
)
def test_a_lost_file_is_named(nodes: Nodes, tmp_path: Path, pattern: str, name: str) -> None:
    (path,) = nodes.home(HOLDER).glob(pattern)
    away = path.rename(tmp_path / path.name)
    try:
        assert_only(nodes.check(HOLDER), name.format(path))
    finally:
        away.rename(path)
    assert nodes.check(HOLDER) == (0, [])
