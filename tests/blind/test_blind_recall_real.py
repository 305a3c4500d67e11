"""On the real lists: people whom two lists both name are found by the blind match alone.

Bounds: at least 97% of the known pairs whose entries are in the files used, and fewer than twice the pairs that a
plain comparison of folded, sorted name tokens names (507 between UN and OFAC, 718 between UN and UK).
"""

import csv
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from palermo.blind.compare import compare, items_of
from palermo.intake import intake
from palermo.subjects import read_entities

pytestmark = [pytest.mark.real, pytest.mark.slow]

UN_OFAC = ("un/un_2025-04-19.xml", "ofac-sdn", ["ofac/2021-07_sdn.csv", "ofac/2021-07_alt.csv", "ofac/2021-07_add.csv"])
UN_UK = ("un/un_2018-06-21.xml", "uk-conlist", ["uk/conlist_2018-04-13.csv"])


@pytest.mark.parametrize(
    "lists, truth_code, prefix, plain_pairs",
    [(UN_OFAC, "ofac", "ofac", 507), (UN_UK, "uk_2018", "uk", 718)],
    ids=["un-ofac", "un-uk"],
)
def test_people_on_both_lists_are_found(
    shared_data: Path, tmp_path: Path, lists, truth_code: str, prefix: str, plain_pairs: int, capsys
) -> None:
    un_file, their_format, their_files = lists
    folder = shared_data / "lists"
    ours, theirs = tmp_path / "ours.jsonl", tmp_path / "theirs.jsonl"
    intake("un-sc", [folder / un_file], ours)
    intake(their_format, [folder / name for name in their_files], theirs)
    comparison = compare(list(items_of(ours)), list(items_of(theirs)), now=datetime.now(UTC), rng=os.urandom)

    people = {entity.id for path in (ours, theirs) for entity in read_entities(path) if entity.schema == "Person"}
    found = {(one.our_id, one.their_id) for one in comparison.common if {one.our_id, one.their_id} <= people}
    with (shared_data / "truth" / "cross_list_pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] == "P"]
    truth = {
        (f"un-{row['id_a']}", f"{prefix}-{row['id_b']}")
        for row in rows
        if (row["src_a"], row["src_b"]) == ("un", truth_code)
    }
    truth = {pair for pair in truth if set(pair) <= people}
    recall = len(truth & found) / len(truth)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{prefix}: recall {recall:.1%} ({len(truth & found)} of {len(truth)} known pairs), {len(found)} pairs"
            f" named, {len(found - truth)} not in the truth; missed: {sorted(truth - found) or 'none'}\n"
        )
    assert len(truth) > 30
    assert recall >= 0.97
    assert len(found) < 2 * plain_pairs
