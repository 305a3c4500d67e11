"""Manifests and publications: strict, bound to an epoch, equal for all partners of a tier, kept across restarts."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.blind import BlindError, InputError, Item, MalformedError, Manifest, ManifestError, Publication, keys
from palermo.blind.commitments import holding_root
from palermo.blind.publication import open_filters
from palermo.blind.token_table import TokenRecord, TokenTable, encode


@pytest.fixture(scope="module")
def match(world):
    held = [*world.phones(range(80), "h"), Item("iban", "XX12", "h/1"), Item("iban", "XX12", "h/2")]
    return world.Match(held, [])


def test_a_manifest_says_what_it_must_and_reads_back(match, world) -> None:
    manifest = Manifest.parse(match.publication.manifest)
    assert (manifest.holder, manifest.epoch, manifest.tier) == (world.HOLDER, "2030-01", world.TIER)
    assert [(one.kind, one.count) for one in manifest.kinds] == [("iban", 64), ("phone", 80)]
    key = keys.kind_key(match.seed, holder=world.HOLDER, epoch="2030-01", tier=world.TIER, kind="phone")
    assert manifest.entry("phone").public_key == key.public
    assert manifest.digest == match.publication.manifest_digest
    values = [("phone", item.value) for item in world.phones(range(80), "h")] + [("iban", "XX12")]
    assert manifest.commitment_root == holding_root(match.publication.commitment_secret, values)


@pytest.mark.parametrize("label", ["holder", "epoch", "tier", "kind"])
def test_each_label_gives_another_key(label: str) -> None:
    labels = {"holder": "XB", "epoch": "1", "tier": "t", "kind": "phone"}
    assert keys.kind_key(bytes(32), **labels).public != keys.kind_key(bytes(32), **labels | {label: "other"}).public


def test_labels_cannot_run_into_each_other() -> None:
    one = keys.kind_key(bytes(32), holder="XB", epoch="12", tier="t", kind="phone")
    other = keys.kind_key(bytes(32), holder="XB1", epoch="2", tier="t", kind="phone")
    assert one.public != other.public


def test_the_same_randomness_gives_the_same_publication(match, world) -> None:
    one, other = (match.publish(rng=world.seeded(4)) for _ in range(2))
    assert one.manifest == other.manifest
    assert one.filters == other.filters


def test_a_tier_has_tokens_of_its_own(match, world) -> None:
    other = match.publish(tier="others", rng=world.seeded(4))
    mine = match.publish(rng=world.seeded(4))
    assert bytes(other.tables["phone"]) != bytes(mine.tables["phone"])
    with pytest.raises(ManifestError):
        open_filters(Manifest.parse(mine.manifest), other.filters)


def test_a_restarted_node_finds_everything_again(match, tmp_path) -> None:
    folder = tmp_path / "2030-01"
    (tmp_path / "2030-01.partial").mkdir()  # a process was killed while it wrote
    match.publication.save(folder)
    loaded = Publication.load(folder)
    assert loaded.manifest == match.publication.manifest
    assert dict(loaded.filters) == dict(match.publication.filters)
    assert loaded.commitment_secret == match.publication.commitment_secret
    for kind, table in match.publication.tables.items():
        assert len(loaded.tables[kind]) == len(table)
        for index in range(len(table)):
            locator = table._locator(index)
            assert loaded.find(locator) == (kind, table.find(locator))
    assert loaded.find(bytes(16)) is None
    with pytest.raises(FileExistsError):
        match.publication.save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["2030-01"]


def test_a_value_held_twice_is_published_once_with_both_references(match) -> None:
    table = match.publication.tables["iban"]
    assert len(table) == 1
    assert table.find(table._locator(0)).refs == ("h/1", "h/2")


def test_an_altered_filter_or_folder_is_refused(match, tmp_path) -> None:
    match.publication.save(tmp_path / "p")
    path = tmp_path / "p" / "phone.filter"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ManifestError, match="phone"):
        Publication.load(tmp_path / "p")
    for damaged in (b"", b"palermo-blind-tokens-v1\n", encode([])[:-1], encode([])[:-8] + (9).to_bytes(8)):
        (tmp_path / "t").write_bytes(damaged)
        with pytest.raises(MalformedError):
            TokenTable.open(tmp_path / "t")


def test_a_table_of_nothing_finds_nothing() -> None:
    assert TokenTable(encode([])).find(bytes(16)) is None
    record = TokenRecord(b"L" * 16, b"q" * 32, b"h" * 32, ("r",))
    assert TokenTable(encode([record])).find(b"L" * 16) == record
    assert TokenTable(encode([record])).find(b"M" * 16) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m | {"version": 2},
        lambda m: m | {"format": "other"},
        lambda m: m | {"extra": 1},
        lambda m: {key: value for key, value in m.items() if key != "tier"},
        lambda m: m | {"valid_until": "2030-02-28T12:00:00Z"},
        lambda m: m | {"valid_until": m["valid_from"]},
        lambda m: m | {"valid_until": "tomorrow"},
        lambda m: m | {"holder": "line\nbreak"},
        lambda m: m | {"holder": 7},
        lambda m: m | {"commitment_root": "00"},
        lambda m: m | {"kinds": m["kinds"][::-1]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"public_key": "00" * 32}]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"count": 63}]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"count": True}]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"kind": "../etc"}]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"kind": 1}]},
        lambda m: m | {"kinds": [m["kinds"][0] | {"more": 1}]},
        lambda m: m | {"kinds": 5},
        lambda m: [m],
    ],
)
def test_a_manifest_that_says_anything_else_is_refused(match, change) -> None:
    content = change(json.loads(match.publication.manifest))
    with pytest.raises(MalformedError):
        Manifest.parse(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_bit_of_a_manifest_is_refused_or_changes_its_digest(match, data) -> None:
    flipped = bytearray(match.publication.manifest)
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(BlindError):
        assert Manifest.parse(bytes(flipped)).digest != match.publication.manifest_digest


def test_other_spellings_of_the_same_manifest_are_refused(match) -> None:
    content = json.loads(match.publication.manifest)
    for wrong in (
        json.dumps(content).encode(),
        match.publication.manifest + b"\n",
        b" " * 70_000,
        b"\xff",
        b"[" * 9_000,
    ):
        with pytest.raises(MalformedError):
            Manifest.parse(wrong)


def test_epochs_and_items_that_cannot_be_published_are_refused(match, world) -> None:
    for changes in (
        {"valid_until": world.NOW + timedelta(days=30)},
        {"valid_from": datetime(2030, 1, 1)},  # no time zone
        {"valid_from": world.NOW.replace(microsecond=5)},
        {"seed": bytes(31)},
        {"tier": ""},
        {"items": [Item("Phone", "1", "r")]},
        {"items": [Item("phone", "", "r")]},
        {"items": [Item("phone", "\ud800", "r")]},
        {"items": [Item("phone", "x" * 5000, "r")]},
        {"items": [Item("phone", "1", "")]},
    ):
        with pytest.raises(InputError):
            match.publish(**changes)


def test_progress_is_told_to_the_last_value(match, world, monkeypatch) -> None:
    monkeypatch.setattr("palermo.blind.publication._TOKENISE_AT_ONCE", 32)
    told = []
    match.publish(progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 81), (33, 81), (65, 81), (81, 81)]
