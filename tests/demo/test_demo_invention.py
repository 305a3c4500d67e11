"""The invented world: the same each time, as large as asked, with the overlaps of the story and no others."""

import json
import re
from itertools import combinations
from pathlib import Path

import pytest

from palermo.cli.demo.invention import NODES, World, invent
from palermo.subjects.selectors import selectors_of

SIZE = 400
PERSON = "person"


@pytest.fixture(scope="module")
def world() -> World:
    return invent(seed=7, size=SIZE)


def values(world: World, node: str) -> dict[tuple[str, str], set[str]]:
    """Every selector of a node's entities, with the ids of those that carry it."""
    found: dict[tuple[str, str], set[str]] = {}
    for entity in world.entities[node]:
        for selector in selectors_of(entity):
            found.setdefault((selector.kind, selector.value), set()).add(entity.id)
    return found


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    texts = []
    for number, seed in enumerate((7, 7, 8)):
        folder = tmp_path / str(number)
        folder.mkdir()
        texts.append([path.read_bytes() for path in invent(seed, 200).write(folder).values()])
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]


@pytest.mark.parametrize("size", [200, 400, 1000])
def test_each_node_holds_as_many_as_asked_under_different_ids(size: int) -> None:
    world = invent(1, size)
    for node in NODES:
        ids = [entity.id for entity in world.entities[node]]
        assert len(ids) == len(set(ids)) == size


def test_entities_are_written_one_a_line(world: World, tmp_path: Path) -> None:
    for node, path in world.write(tmp_path).items():
        lines = path.read_text("utf-8").splitlines()
        assert [json.loads(line)["id"] for line in lines] == [entity.id for entity in world.entities[node]]


def test_payments_are_between_accounts_of_the_same_node(world: World) -> None:
    for node in NODES:
        accounts = {entity.id for entity in world.entities[node] if entity.schema == "BankAccount"}
        payments = [entity.properties for entity in world.entities[node] if entity.schema == "Payment"]
        assert payments
        for payment in payments:
            assert {*payment["payer"], *payment["beneficiary"]} <= accounts
            assert payment["payer"] != payment["beneficiary"]


def test_whoever_is_the_same_in_truth_shares_a_selector(world: World) -> None:
    for (one, other), pairs in world.same.items():
        mine, theirs = ({entity.id: entity for entity in world.entities[node]} for node in (one, other))
        assert pairs
        for our_id, their_id in pairs:
            ours, held = set(selectors_of(mine[our_id])), set(selectors_of(theirs[their_id]))
            assert ours & held, f"{our_id} and {their_id} never meet"


def test_nobody_else_shares_a_number_and_few_share_a_name(world: World) -> None:
    """Two invented names may fold to one key; a number that was given out is never given again."""
    for one, other in combinations(NODES, 2):
        mine, theirs = values(world, one), values(world, other)
        known = set(world.same[one, other])
        chance = {
            (kind, our_id, their_id)
            for kind, value in mine.keys() & theirs.keys()
            for our_id in mine[kind, value]
            for their_id in theirs[kind, value]
            if (our_id, their_id) not in known
        }
        assert {kind for kind, _, _ in chance} <= {PERSON}
        assert len(chance) < SIZE // 50


def test_everyone_is_plainly_fictitious(world: World) -> None:
    for node in NODES:
        for entity in world.entities[node]:
            for phone in entity.properties.get("phone", ()):
                assert re.fullmatch(r"\+1\d{3}55501\d\d", phone)
            for email in entity.properties.get("email", ()):
                assert email.endswith("@example.org")
