"""Both parties in one process: the joined entities, and a measured step for each step of the protocol."""

import itertools

from palermo.blind.compare import OURS, THEIRS, Common, compare, items_of
from palermo.blind.items import Item
from palermo.subjects import Entity, write_entities

OUR_ITEMS = [Item("phone", "+999550001", "o1"), Item("phone", "+999550001", "o2"), Item("iban", "XX1", "o1")]
THEIR_ITEMS = [Item("phone", "+999550001", "t1"), Item("iban", "XX1", "t1"), Item("iban", "XX1", "t2")]


def test_every_pair_that_shares_a_selector_is_joined_once_a_kind(world) -> None:
    comparison = compare(OUR_ITEMS, THEIR_ITEMS * 2, now=world.NOW, rng=world.seeded())
    assert comparison.common == [
        Common("iban", "o1", "t1"),
        Common("iban", "o1", "t2"),
        Common("phone", "o1", "t1"),
        Common("phone", "o2", "t1"),
    ]
    assert compare(OUR_ITEMS, THEIR_ITEMS, now=world.NOW, rng=world.seeded(9)).common == comparison.common


def test_each_step_is_measured(world) -> None:
    ticks = itertools.count(0.0, 0.5)
    steps = compare(OUR_ITEMS, THEIR_ITEMS, now=world.NOW, rng=world.seeded(), clock=lambda: next(ticks)).steps
    assert [(step.name, step.party, step.selectors) for step in steps] == [
        ("publish", THEIRS, 2),
        ("request", OURS, 2),
        ("evaluate", THEIRS, 32),
        ("finalize", OURS, 2),
        ("confirm", THEIRS, 2),
        ("conclude", OURS, 2),
    ]
    assert {step.seconds for step in steps} == {0.5}
    assert [step.bytes > 500 for step in steps] == [True] * 5 + [False]


def test_items_are_the_selectors_of_a_files_entities(tmp_path) -> None:
    path = tmp_path / "entities.jsonl"
    entities = [
        Entity("x-1", "Person", {"name": ("Mira Ostrand",), "phone": ("+1 202 555 0143",)}),
        Entity("x-2", "Company", {"name": ("Ostrand Trading",), "email": ("Desk@Ostrand.Example",)}),
    ]
    write_entities(path, entities)
    items = set(items_of(path))
    assert Item("phone", "+12025550143", "x-1") in items
    assert any(item.kind == "email" and item.ref == "x-2" for item in items)
    assert any(item.kind == "person" and item.ref == "x-1" for item in items)
