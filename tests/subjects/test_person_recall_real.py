"""Person keys on the real lists: they find the known pairs, and little else."""

import csv
from pathlib import Path

import pytest

from palermo.intake import format_of
from palermo.subjects import Entity
from palermo.subjects.selectors import KINDS, selectors_of

OFAC_FILES = ("ofac/2021-07_sdn.csv", "ofac/2021-07_alt.csv", "ofac/2021-07_add.csv")
UK_FILES = ("uk/conlist_2018-04-13.csv",)


def people(lists: Path, code: str, *files: str) -> dict[str, Entity]:
    entities = format_of(code).read([lists / name for name in files], lambda reject: None)
    return {entity.id: entity for entity in entities if entity.schema == "Person"}


def person_values(entity: Entity) -> set[str]:
    return {value for kind, value in selectors_of(entity) if kind == "person"}


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize(
    ("un_file", "code", "files", "source", "prefix", "plain_hits"),
    [
        ("un/un_2025-04-19.xml", "ofac-sdn", OFAC_FILES, "ofac", "ofac-", 507),
        ("un/un_2018-06-21.xml", "uk-conlist", UK_FILES, "uk_2018", "uk-", 718),
    ],
    ids=["un-ofac", "un-uk"],
)
def test_known_pairs_meet_and_few_others(
    shared_data: Path, un_file: str, code: str, files: tuple[str, ...], source: str, prefix: str, plain_hits: int
) -> None:
    """At least 98% of the known pairs, with at most 1.5 times the hits of a plain comparison of names."""
    ours = people(shared_data / "lists", "un-sc", un_file)
    theirs = people(shared_data / "lists", code, *files)
    with (shared_data / "truth" / "cross_list_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if (row["src_a"], row["src_b"], row["type"]) == ("un", source, "P")]
    known = {(f"un-{row['id_a']}", f"{prefix}{row['id_b']}") for row in rows}
    known = {(a, b) for a, b in known if a in ours and b in theirs}
    assert len(known) > 50

    holders: dict[str, set[str]] = {}
    for entity in theirs.values():
        for value in person_values(entity):
            holders.setdefault(value, set()).add(entity.id)
    hits = {(e.id, other) for e in ours.values() for value in person_values(e) for other in holders.get(value, ())}

    assert len(hits & known) / len(known) >= 0.98, sorted(known - hits)
    assert len(hits) <= 1.5 * plain_hits


@pytest.mark.real
def test_every_selector_of_a_real_list_is_canonical(shared_data: Path) -> None:
    entities = list(people(shared_data / "lists", "un-sc", "un/un_2018-06-21.xml").values())
    selectors = {selector for entity in entities for selector in selectors_of(entity)}
    assert len(selectors) > 5000
    assert [s for s in selectors if KINDS[s.kind].parse(s.value) != s.value] == []
