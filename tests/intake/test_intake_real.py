"""The real lists: everything loads, ids are stable, newer versions say what changed."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from palermo.intake import Reject, format_of
from palermo.lake import Lake
from palermo.subjects import Entity

pytestmark = pytest.mark.real

UN = {"2016-06-20": (629, 395), "2018-06-21": (695, 405), "2018-10-29": (703, 390), "2020-11-30": (713, 305)}
UN["2025-04-19"] = (684, 193)


@cache
def loaded(code: str, *paths: Path) -> tuple[Entity, ...]:
    """All entities; the real lists have no row that can't be read."""
    rejects: list[Reject] = []
    entities = list(format_of(code).read(paths, rejects.append))
    assert rejects == []
    assert len({entity.id for entity in entities}) == len(entities)
    return tuple(entities)


def by_id(entities: Iterable[Entity]) -> dict[str, Entity]:
    return {entity.id: entity for entity in entities}


@pytest.fixture(scope="module")
def lists(shared_data: Path) -> Path:
    return shared_data / "lists"


@pytest.mark.parametrize("day", UN)
def test_un_loads_every_record(lists: Path, day: str) -> None:
    entities = loaded("un-sc", lists / "un" / f"un_{day}.xml")
    schemas = Counter(entity.schema for entity in entities)
    assert (schemas["Person"], schemas["Organization"]) == UN[day]
    people = [entity for entity in entities if entity.schema == "Person"]
    assert sum(bool(entity.first("birthDate")) for entity in people) > 0.85 * len(people)


def test_un_names_documents_and_aliases(lists: Path) -> None:
    entities = by_id(loaded("un-sc", lists / "un" / "un_2025-04-19.xml"))
    assert len(entities["un-QDi.001"].names) > 6
    assert entities["un-QDi.001"].properties["birthDate"] == ("1963-04-11", "1960-04-11")
    passports = {number for entity in entities.values() for number in entity.all("passportNumber")}
    assert "OR1961825" in passports


def test_un_snapshots_report_what_changed(lists: Path, tmp_path: Path) -> None:
    lake, seen, previous = Lake(tmp_path), [], {}
    for day in UN:
        entities = loaded("un-sc", lists / "un" / f"un_{day}.xml")
        report = lake.load("un", entities, selectors=lambda entity: [("name", name) for name in entity.names])
        current = by_id(entities)
        assert set(report.added_ids) == current.keys() - previous.keys()
        assert set(report.removed_ids) == previous.keys() - current.keys()
        shared = current.keys() & previous.keys()
        assert set(report.changed_ids) == {key for key in shared if current[key] != previous[key]}
        seen.append((report.added, report.removed))
        previous = current
    assert all(added and removed for added, removed in seen[1:])
    again = lake.load("un", previous.values(), selectors=lambda entity: [("name", name) for name in entity.names])
    assert (again.added, again.changed, again.removed) == (0, 0, 0)


def test_ofac_loads_every_row(lists: Path) -> None:
    entities = loaded("ofac-sdn", *sorted((lists / "ofac").glob("*.csv")))
    schemas = Counter(entity.schema for entity in entities)
    assert {name: schemas[name] for name in ("Person", "Organization", "Vessel", "Airplane")} == {
        "Person": 4620,
        "Organization": 3673,
        "Vessel": 406,
        "Airplane": 277,
    }
    assert schemas["CryptoWallet"] == 80
    carrying = Counter(name for entity in entities for name in entity.properties)
    assert carrying["imoNumber"] > 390
    assert carrying["passportNumber"] > 1_000
    assert carrying["birthDate"] > 4_000


def test_ofac_wallets_are_addresses_listed_by_others_too(lists: Path) -> None:
    entities = loaded("ofac-sdn", *sorted((lists / "ofac").glob("*.csv")))
    listed = {a for path in (lists / "ofac-crypto-2024-09").glob("*.json") for a in json.loads(path.read_text())}
    wallets = {entity.first("cryptoAddress") for entity in entities if entity.schema == "CryptoWallet"}
    assert len(wallets & listed) > 0.9 * len(wallets)


def test_uk_groups_every_row(lists: Path) -> None:
    entities = loaded("uk-conlist", lists / "uk" / "conlist_2018-04-13.csv")
    schemas = Counter(entity.schema for entity in entities)
    assert (len(entities), schemas["Person"], schemas["Organization"], schemas["Vessel"]) == (2106, 1426, 655, 25)
    entity = by_id(entities)["uk-7797"]
    assert entity.caption == "Lionel DUMONT"
    assert "Tinet" in entity.properties["weakAlias"]
    assert entity.properties["birthDate"] == ("1971-01-19",)


def test_every_pair_of_the_truth_is_in_the_lists(lists: Path, shared_data: Path) -> None:
    """A pair can only match if both of its ids are read under the names that the truth gives them."""
    un = {e.id for day in UN for e in loaded("un-sc", lists / "un" / f"un_{day}.xml")}
    ofac = {e.id for e in loaded("ofac-sdn", *sorted((lists / "ofac").glob("*.csv")))}
    uk = {e.id for e in loaded("uk-conlist", lists / "uk" / "conlist_2018-04-13.csv")}
    with (shared_data / "truth" / "cross_list_pairs.csv").open(newline="") as file:
        pairs = list(csv.DictReader(file))
    prefix = {"un": "un-", "ofac": "ofac-", "uk_2018": "uk-"}
    ids = {prefix[row[f"src_{side}"]] + row[f"id_{side}"] for row in pairs for side in "ab"}
    missing = ids - un - ofac - uk
    assert len(missing) < 0.1 * len(ids), sorted(missing)
