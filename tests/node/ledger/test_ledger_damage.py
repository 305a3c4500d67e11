"""A flipped bit in any stored part of the log is found and named, where it is."""

import pytest
from django.db import connection

from palermo.node.ledger import actions, queries
from palermo.node.ledger.actions.signing import sign
from palermo.node.ledger.models import Checkpoint, Entry, Log, Tile, Witnessed
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.merkle import leaf_hash


@pytest.fixture
def log(network):
    """A log of 300 entries (a full tile and more) with checkpoints of sizes 3 and 300, and a witnessed one."""
    for number in range(300):
        actions.append(kind="sent.test", counterparty="BB-POL", fields={"n": str(number)}, now=network.now)
        if number in (2, 299):
            sign(queries.size(), network.now)
    partner = network.members["BB-POL"].signing
    actions.witness("BB-POL", sign_checkpoint("palermo/BB-POL", 5, b"r" * 32, partner), now=network.now)
    assert queries.check() == []
    return network


def flip(data: bytes, place: int = -1) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def places(faults) -> list[tuple[str, str]]:
    return [(fault.what, fault.where) for fault in faults]


@pytest.mark.parametrize("column", ["leaf", "leaf_hash"])
@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_bit_of_an_entry(log, column, index):
    entry = Entry.objects.get(index=index)
    Entry.objects.filter(index=index).update(**{column: flip(bytes(getattr(entry, column)))})
    assert places(queries.check()) == [("ledger entry", f"entry {index}")]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_bit_of_a_name_value_or_salt(log, part):
    entry = Entry.objects.get(index=42)
    fields = entry.fields
    fields[3][part] = "0" * 64 if part == 2 else fields[3][part] + "x"
    Entry.objects.filter(index=42).update(fields=fields)
    (fault,) = queries.check()
    assert (fault.what, fault.where) == ("ledger entry", "entry 42") and "fields" in fault.detail


@pytest.mark.parametrize("fields", [[], "text", [["kind"]], [["kind", "x", "not hex"]], {"a": 1}])
def test_fields_that_are_no_fields(log, fields):
    Entry.objects.filter(index=42).update(fields=fields)
    assert places(queries.check()) == [("ledger entry", "entry 42")]


@pytest.mark.parametrize("column", ["kind", "counterparty"])
def test_a_column_that_no_longer_repeats_its_field(log, column):
    Entry.objects.filter(index=42).update(**{column: "other"})
    (fault,) = queries.check()
    assert (fault.where, column in fault.detail) == ("entry 42", True)


def test_leaf_and_hash_rewritten_together(log):
    """A forger who rewrites an entry whole still meets the tile, and then the checkpoint."""
    other = Entry.objects.get(index=41)
    Entry.objects.filter(index=42).update(fields=other.fields, leaf=other.leaf, leaf_hash=other.leaf_hash)
    faults = places(queries.check())
    assert ("ledger tile", "tile 0/0") in faults and ("ledger checkpoint", "checkpoint of size 300") in faults
    tile = Tile.objects.get(level=0, number=0)
    hashes = bytearray(tile.hashes)
    hashes[42 * 32 : 43 * 32] = leaf_hash(bytes(other.leaf))
    Tile.objects.filter(pk=tile.pk).update(hashes=bytes(hashes))
    assert ("ledger checkpoint", "checkpoint of size 300") in places(queries.check())


@pytest.mark.parametrize(("level", "number"), [(0, 0), (0, 1), (1, 0)])
def test_a_bit_of_a_tile(log, level, number):
    tile = Tile.objects.get(level=level, number=number)
    Tile.objects.filter(pk=tile.pk).update(hashes=flip(bytes(tile.hashes)))
    assert places(queries.check()) == [("ledger tile", f"tile {level}/{number}")]


def test_a_tile_that_is_missing_short_or_too_much(log):
    Tile.objects.filter(level=1, number=0).delete()
    tile = Tile.objects.get(level=0, number=1)
    Tile.objects.filter(pk=tile.pk).update(width=43, hashes=bytes(tile.hashes)[:-32])
    Tile.objects.create(level=0, number=2, width=1, hashes=b"h" * 32)
    assert set(places(queries.check())) == {
        ("ledger tile", "tile 1/0"),
        ("ledger tile", "tile 0/1"),
        ("ledger tile", "tile 0/2"),
    }


@pytest.mark.parametrize("size", [3, 300])
def test_a_bit_of_a_checkpoint(log, size):
    row = Checkpoint.objects.get(size=size)
    for text in (row.text.replace("palermo/AA-POL", "palermo/AB-POL", 1), flip(row.text.encode(), -5).decode()):
        Checkpoint.objects.filter(size=size).update(text=text)
        assert places(queries.check()) == [("ledger checkpoint", f"checkpoint of size {size}")]
    Checkpoint.objects.filter(size=size).update(text=row.text, root=flip(bytes(row.root)))
    assert places(queries.check()) == [("ledger checkpoint", f"checkpoint of size {size}")]


def test_a_checkpoint_beyond_the_log(log):
    Checkpoint.objects.filter(size=300).update(size=301)
    assert ("ledger checkpoint", "checkpoint of size 301") in places(queries.check())


def test_an_entry_taken_out(log):
    Entry.objects.filter(index=42).delete()
    assert places(queries.check())[0] == ("ledger entry", "entry 42")


def test_the_last_entry_taken_off(log):
    Entry.objects.filter(index=299).delete()
    what = {fault.what for fault in queries.check()}
    assert {"ledger", "ledger checkpoint", "ledger tile"} == what
    Log.objects.update(size=299)
    assert queries.check() != []


def test_a_bit_of_a_witnessed_checkpoint(log):
    row = Witnessed.objects.get()
    Witnessed.objects.update(text=flip(row.text.encode(), -5).decode())
    assert places(queries.check()) == [("witnessed checkpoint", "checkpoint of BB-POL at size 5")]
    Witnessed.objects.update(text=row.text, size=6)
    assert places(queries.check()) == [("witnessed checkpoint", "checkpoint of BB-POL at size 6")]


no_text = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL stores nothing else than text as text")


@no_text
@pytest.mark.parametrize("stored", [b'[["kind', b"\xff\xfe", b"[[1, 2, 3]]", b"null"])
@pytest.mark.parametrize("column", ["fields", "kind", "counterparty"])
def test_an_entry_that_is_no_text_any_more(log, stored, column):
    """A flipped bit can leave no JSON, and no UTF-8 either: the database then refuses to read the row as text."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f'UPDATE ledger_entry SET {column} = CAST(%s AS TEXT) WHERE "index" = 42', [stored])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")
    assert places(queries.check()) == [("ledger entry", "entry 42")]


@no_text
@pytest.mark.parametrize("table", ["ledger_checkpoint", "ledger_witnessed"])
def test_a_checkpoint_that_is_no_text_any_more(log, table):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET text = CAST(%s AS TEXT) || text WHERE size < 100", [b"\xff"])
    kinds = {"ledger_checkpoint": "ledger checkpoint", "ledger_witnessed": "witnessed checkpoint"}
    assert [fault.what for fault in queries.check()] == [kinds[table]]
