"""Merkle trees, tiles, leaves: RFC 6962 vectors, pymerkle as an oracle, and what a damaged log gives."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from palermo.sealing import leaf as leaves_of
from palermo.sealing import merkle, tiles
from palermo.sealing.errors import FormatError, ProofError, SealingError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc6962.json").read_text())
LEAVES = [merkle.leaf_hash(bytes.fromhex(data)) for data in VECTORS["leaves"]]


def hashes(count: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def test_roots_are_those_of_rfc_6962() -> None:
    assert [merkle.root(LEAVES[:size]).hex() for size in range(1, 9)] == VECTORS["roots"]
    assert merkle.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("vector", VECTORS["inclusion"])
def test_inclusion_proofs_are_those_of_rfc_6962(vector: dict[str, object]) -> None:
    proof = merkle.inclusion_proof(merkle.nodes(LEAVES), vector["index"], vector["size"])  # type: ignore[arg-type]
    assert [node.hex() for node in proof] == vector["proof"]


@pytest.mark.parametrize("vector", VECTORS["consistency"])
def test_consistency_proofs_are_those_of_rfc_6962(vector: dict[str, object]) -> None:
    proof = merkle.consistency_proof(merkle.nodes(LEAVES), vector["old"], vector["new"])  # type: ignore[arg-type]
    assert [node.hex() for node in proof] == vector["proof"]


def test_every_proof_of_small_trees_verifies_and_proves_nothing_else() -> None:
    values = hashes(20)
    nodes = merkle.nodes(values)
    for size in range(1, 21):
        root = merkle.root_of(nodes, size)
        for index in range(size):
            proof = merkle.inclusion_proof(nodes, index, size)
            merkle.verify_inclusion(values[index], index, size, proof, root)
            for wrong in ((index + 1) % size, size):
                if wrong != index:
                    with pytest.raises(ProofError):
                        merkle.verify_inclusion(values[index], wrong, size, proof, root)
            for bent in ([*proof, bytes(32)], proof[:-1] or [bytes(32)], [*proof[:-1], bytes(32)]):
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(values[index], index, size, bent, root)
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(nodes, old, size)
            old_root = merkle.root_of(nodes, old)
            merkle.verify_consistency(old, size, old_root, root, proof)
            for bent in ([*proof, bytes(32)], *([proof[:-1], [bytes(32), *proof[1:]]] if proof else [])):
                with pytest.raises(ProofError):
                    merkle.verify_consistency(old, size, old_root, root, bent)
            with pytest.raises(ProofError):
                merkle.verify_consistency(old, size, bytes(32), root, proof)


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=8), min_size=1, max_size=80), st.data())
def test_pymerkle_agrees(data: list[bytes], draw: st.DataObject) -> None:
    oracle = InmemoryTree(algorithm="sha256")
    for item in data:
        oracle.append_entry(item)
    values = [merkle.leaf_hash(item) for item in data]
    nodes = merkle.nodes(values)
    size = draw.draw(st.integers(1, len(data)))
    index = draw.draw(st.integers(0, size - 1))
    assert oracle.get_root(size) == merkle.root_of(nodes, size)
    path = [bytes.fromhex(node) for node in oracle.prove_inclusion(index + 1, size).serialize()["path"]]
    assert path == [values[index], *merkle.inclusion_proof(nodes, index, size)]


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_inclusion_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ProofError, match="does not exist"):
        merkle.inclusion_proof(merkle.nodes(LEAVES), index, size)
    with pytest.raises(ProofError, match="does not exist"):
        merkle.verify_inclusion(LEAVES[0], index, size, [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 2)])
def test_there_is_no_consistency_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_proof(merkle.nodes(LEAVES), old, new)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, bytes(32), bytes(32), [])


def test_two_trees_of_one_size_are_two_histories() -> None:
    with pytest.raises(ProofError, match="two histories"):
        merkle.verify_consistency(3, 3, bytes(32), LEAVES[0], [])


def test_a_proof_holds_hashes_only() -> None:
    with pytest.raises(ProofError, match="not a SHA-256"):
        merkle.verify_inclusion(LEAVES[0], 0, 2, [b"short"], bytes(32))


@given(st.integers(0, 2**60), st.integers(0, 2**60), st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_made_up_proofs_are_refused(first: int, second: int, proof: list[bytes]) -> None:
    root = bytes(32)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[0], first, second, proof, root)
    with pytest.raises(ProofError):
        merkle.verify_consistency(first, second, LEAVES[0], root, proof)


class Store(dict[tuple[int, int], bytes]):
    """Tiles in memory, as a database would keep them."""

    def get_tile(self, level: int, tile: int) -> bytes:
        return self.get((level, tile), b"")

    def grow(self, size: int, value: bytes) -> int:
        writes = tiles.append(self.get_tile, size, value)
        for write in writes:
            before = self.get_tile(write.level, write.tile)
            assert len(before) == 32 * write.offset, "only ever added at the end"
            self[write.level, write.tile] = before + write.hash
        return len(writes)


def test_tiles_give_the_tree_and_its_proofs_and_appending_is_almost_always_one_write() -> None:
    values = hashes(66_000)
    store = Store()
    writes = [store.grow(size, value) for size, value in enumerate(values)]
    assert {count: writes.count(count) for count in set(writes)} == {1: 66_000 - 257, 2: 256, 3: 1}
    assert [len(store[key]) // 32 for key in ((0, 0), (0, 257), (1, 0), (1, 1), (2, 0))] == [256, 208, 256, 1, 1]
    nodes, plain = tiles.tile_nodes(store.get_tile), merkle.nodes(values)
    for size in (1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000):
        root = merkle.root_of(nodes, size)
        assert root == merkle.root_of(plain, size)
        index, old = size * 2 // 3, size - size // 3
        assert merkle.inclusion_proof(nodes, index, size) == merkle.inclusion_proof(plain, index, size)
        assert merkle.consistency_proof(nodes, old, size) == merkle.consistency_proof(plain, old, size)


def test_the_sizes_of_the_specification() -> None:
    """C2SP tlog-tiles: a tree of 70,000 has 273 full tiles and one of 112 at level 0, then fewer."""
    store = Store()
    for size, value in enumerate(hashes(70_000)):
        store.grow(size, value)
    widths = {key: len(tile) // 32 for key, tile in store.items()}
    assert sum(width == 256 for (level, _), width in widths.items() if level == 0) == 273
    assert (widths[0, 273], widths[1, 0], widths[1, 1], widths[2, 0], len(widths)) == (112, 256, 17, 1, 277)


def test_a_short_or_missing_tile_is_named() -> None:
    store = Store()
    for size, value in enumerate(hashes(300)):
        store.grow(size, value)
    store[0, 1] = store[0, 1][:-32]
    with pytest.raises(ProofError, match="tile 0/1"):
        merkle.root_of(tiles.tile_nodes(store.get_tile), 300)
    store[0, 1] = store[0, 1][:-1]
    with pytest.raises(ProofError, match="whole number"):
        merkle.root_of(tiles.tile_nodes(store.get_tile), 300)
    del store[0, 0]
    with pytest.raises(ProofError, match="tile 0/0"):
        tiles.append(store.get_tile, 255, LEAVES[0])


def test_tile_paths_are_those_of_the_specification() -> None:
    assert tiles.tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tiles.tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tiles.tile_path(0, 273, 112) == "tile/0/273.p/112"


FIELDS = leaves_of.salt_fields([("kind", "sent"), ("recipient", "BO-CA"), ("case", "")], random.Random(6).randbytes)
LEAF = leaves_of.leaf_bytes(FIELDS)


def test_an_auditor_sees_the_fields_shown_and_no_other() -> None:
    shown = leaves_of.open_fields(FIELDS, ["kind", "recipient"])
    assert leaves_of.verify_opened(LEAF, shown) == {"kind": "sent", "recipient": "BO-CA"}
    assert [field.position for field in shown] == [0, 1]
    assert b"BO-CA" not in LEAF


def test_a_leaf_outlives_its_fields() -> None:
    commitments = [field.commitment for field in FIELDS]
    assert leaves_of.leaf_of(commitments) == LEAF
    assert leaves_of.parse_leaf(LEAF) == tuple(commitments)


def test_name_and_value_cannot_be_cut_elsewhere() -> None:
    salt = bytes(32)
    assert leaves_of.LeafField("ab", "c", salt).commitment != leaves_of.LeafField("a", "bc", salt).commitment


@pytest.mark.parametrize(
    "changed",
    [
        leaves_of.OpenedField(0, "kind", "received", FIELDS[0].salt),
        leaves_of.OpenedField(0, "kinds", "sent", FIELDS[0].salt),
        leaves_of.OpenedField(0, "kind", "sent", bytes(32)),
        leaves_of.OpenedField(1, "kind", "sent", FIELDS[0].salt),
        leaves_of.OpenedField(3, "kind", "sent", FIELDS[0].salt),
        leaves_of.OpenedField(-3, "kind", "sent", FIELDS[0].salt),
    ],
)
def test_a_field_that_the_log_did_not_commit_to_is_refused(changed: leaves_of.OpenedField) -> None:
    with pytest.raises(ProofError, match="leaf field"):
        leaves_of.verify_opened(LEAF, [changed])


def test_a_field_shown_twice_or_unknown_is_refused() -> None:
    field = leaves_of.open_fields(FIELDS, ["kind"])[0]
    with pytest.raises(ProofError, match="twice"):
        leaves_of.verify_opened(LEAF, [field, field])
    with pytest.raises(ProofError, match="no field"):
        leaves_of.open_fields(FIELDS, ["colour"])
    with pytest.raises(FormatError, match="salt"):
        leaves_of.LeafField("kind", "sent", b"short")


@given(st.binary(max_size=200) | st.builds(lambda at: LEAF[:at], st.integers(0, len(LEAF) - 1)))
def test_what_is_no_leaf_is_refused(data: bytes) -> None:
    with pytest.raises(SealingError):
        leaves_of.parse_leaf(data)
