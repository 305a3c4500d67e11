"""``palermo demo --lists``: the real UN, OFAC and UK lists, one a node, matched blindly, and no further than that."""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from finished import ASKER, NODES, FinishedRoad, palermo

from palermo.cli.demo import lists

pytestmark = [pytest.mark.real, pytest.mark.slow]

LEAST_RECALL_PERCENT = 97
FOLDED_TOKEN_PAIRS = {"match-un-ofac": 507, "match-un-uk": 718}
"""Pairs that a plain comparison of folded, sorted name tokens names: a match that asks for more must stay below twice
that."""
MAY_NAME_LISTED = ("matching_", "cases_", "holdings_")
NEVER = ("requests_", "evidence_", "office_", "ledger_")
LISTED_ID = re.compile(rb"\b(?:un|ofac|uk)-[A-Za-z0-9.]+")


@pytest.fixture(scope="module")
def road(shared_data: Path, tmp_path_factory) -> FinishedRoad:
    """One demo over the lists."""
    folder = tmp_path_factory.mktemp("lists")
    report = folder / "report.json"
    arguments = ("--lists", shared_data / "lists", "--no-serve", "--dir", folder / "demo", "--size", 300)
    done = palermo("demo", *arguments, "--json", report, seconds=900)
    assert done.returncode == 0, done.stdout + done.stderr
    return FinishedRoad(folder / "demo", done.returncode, json.loads(report.read_text("utf-8")))


@pytest.fixture(scope="module")
def listed(shared_data: Path) -> tuple[set[bytes], set[str]]:
    """Ids of every entry of the lists that were loaded, and the full names of those that have two words or more."""
    ids, names = set(), set()
    for pair in lists.comparisons(shared_data / "lists"):
        for holding in (pair.ours, pair.theirs):
            for entity in holding.entities():
                ids.add(entity.id.encode())
                names.update(name.casefold() for name in entity.properties.get("name", ()) if " " in name)
    return ids, names


@pytest.mark.parametrize("step", FOLDED_TOKEN_PAIRS)
def test_known_pairs_are_found_without_many_that_are_not(road: FinishedRoad, step: str) -> None:
    counts = next(done["counts"] for done in road.outcome["steps"] if done["name"] == step)
    assert counts["known"] > 50
    assert counts["recall_percent"] >= LEAST_RECALL_PERCENT
    assert counts["person_pairs"] < 2 * FOLDED_TOKEN_PAIRS[step]


def test_listed_entries_stay_in_lake_matching_and_cases(
    road: FinishedRoad, listed: tuple[set[bytes], set[str]]
) -> None:
    ids, _ = listed
    named = {table for node in NODES for table, values in _tables(road, node) if _ids(values) & ids}
    assert named, "the search bites: matching names them"
    assert all(table.startswith((*MAY_NAME_LISTED, "exchange_incoming")) for table in named), named


def test_a_message_that_names_a_listed_entry_is_a_match(
    road: FinishedRoad, listed: tuple[set[bytes], set[str]]
) -> None:
    ids, names = listed
    for book in road.books().values():
        for row in book.rows("SELECT payload_type, signed FROM exchange_incoming WHERE signed IS NOT NULL"):
            if row["payload_type"].startswith("palermo/requests."):
                assert not _ids([row["signed"]]) & ids
                assert _named(names, [row["signed"]]) == []


def test_no_listed_person_stands_in_a_request_a_case_of_ours_or_an_item(
    road: FinishedRoad, listed: tuple[set[bytes], set[str]]
) -> None:
    ids, names = listed
    texts = [
        value for node in NODES for table, values in _tables(road, node) if table.startswith(NEVER) for value in values
    ]
    assert _named(names, texts) == []
    (compared,) = road.books()[ASKER].column("SELECT reference FROM cases_case WHERE title = ?", lists.CASE_TITLE)
    for book in road.books().values():
        subjects = "SELECT entity FROM cases_casesubject JOIN cases_case ON cases_case.id = case_id"
        beside = book.column(f"{subjects} WHERE reference != ? AND partner_case != ?", compared, compared)
        assert not _ids(beside) & ids


def test_no_listed_person_stands_in_the_package(road: FinishedRoad, listed: tuple[set[bytes], set[str]]) -> None:
    ids, names = listed
    with zipfile.ZipFile(road.package) as archive:
        contents = [archive.read(name) for name in archive.namelist()]
    assert contents
    assert not _ids(contents) & ids
    assert _named(names, contents) == []


def _tables(road: FinishedRoad, node: str) -> Iterator[tuple[str, list[Any]]]:
    """Every table of a node with all values of all rows."""
    book = road.books()[node]
    for table in book.tables():
        yield table, [value for row in book.rows(f'SELECT * FROM "{table}"') for value in row]


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes) else str(value).encode()


def _ids(values: list[Any]) -> set[bytes]:
    return {found for value in values for found in LISTED_ID.findall(_bytes(value))}


def _named(names: set[str], values: list[Any]) -> list[str]:
    text = "\n".join(_bytes(value).decode("utf-8", "replace") for value in values).casefold()
    return sorted(name for name in names if name in text)
