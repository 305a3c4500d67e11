"""``palermo demo`` as a user runs it: what it promises about its end, its report and its package."""

import pytest
from finished import ASKER, NODES, FinishedRoad, palermo

from palermo.sealing.directory import TrustRoot

pytestmark = pytest.mark.slow

STEPS = ["people", "holdings", "publish", "match", "judge", "confirm", "request", "answer", "verify", "ledgers"]


def test_it_ends_well_with_every_step_verified(finished_road: FinishedRoad) -> None:
    assert finished_road.exit_code == 0
    assert finished_road.outcome["ok"] is True
    assert [step["name"] for step in finished_road.outcome["steps"]] == STEPS


def test_its_report_has_exactly_the_fields_that_are_promised(finished_road: FinishedRoad) -> None:
    outcome = finished_road.outcome
    assert set(outcome) == {"ok", "steps", "evidence_package", "trust_root"}
    assert finished_road.package.is_file()
    assert finished_road.trust_root.is_file()
    for step in outcome["steps"]:
        assert set(step) == {"name", "ok", "seconds", "counts"}
        assert step["ok"] is True
        assert isinstance(step["seconds"], float)
        assert all(isinstance(count, int) for count in step["counts"].values())


def test_the_hits_are_the_known_overlaps_but_for_the_one_kept_covert(finished_road: FinishedRoad) -> None:
    counts = next(step["counts"] for step in finished_road.outcome["steps"] if step["name"] == "match")
    assert counts["kept_covert"] == 1
    assert counts["known_overlaps"] > 30
    assert counts["hits"] >= counts["known_overlaps"] - counts["kept_covert"]


def test_the_package_is_proven_under_the_networks_root(finished_road: FinishedRoad) -> None:
    done = palermo("evidence", "verify", finished_road.package, "--trust", finished_road.trust_root)
    assert done.returncode == 0, done.stdout
    assert TrustRoot.from_bytes(finished_road.trust_root.read_bytes()).fingerprint in done.stdout


def test_without_a_root_it_is_intact_and_its_origin_unproven(finished_road: FinishedRoad) -> None:
    done = palermo("evidence", "verify", finished_road.package)
    assert done.returncode == 3
    assert "Intact, origin unproven" in done.stdout


def test_under_another_networks_root_it_is_refused(finished_road: FinishedRoad, tmp_path) -> None:
    """The other way round, a package that a second demo's nodes made, is tried after a walk with kills."""
    assert palermo("directory", "found", tmp_path / "other", "--network", "Palermo demo network").returncode == 0
    done = palermo("evidence", "verify", finished_road.package, "--trust", tmp_path / "other" / "trust-root.json")
    assert done.returncode == 1, done.stdout


def test_the_nodes_are_left_whole_and_apart(finished_road: FinishedRoad) -> None:
    """Three databases, three sets of keys; no process of theirs goes on."""
    keys = [(finished_road.home(node) / "keys" / "signing.key").read_bytes() for node in NODES]
    assert len(set(keys)) == len(NODES)
    for node in NODES:
        home = finished_road.home(node)
        assert (home / "keys" / "signing.key").stat().st_mode & 0o777 == 0o600
        assert (home / "db.sqlite3").is_file()
        assert "Internal Server Error" not in (finished_road.folder / f"{node}.log").read_text("utf-8")


def test_a_second_demo_does_not_overwrite_what_it_did_not_make(finished_road: FinishedRoad) -> None:
    done = palermo("demo", "--no-serve", "--dir", finished_road.home(ASKER))
    assert done.returncode == 2
    assert "Choose an empty folder" in done.stderr
    assert (finished_road.home(ASKER) / "db.sqlite3").is_file()
