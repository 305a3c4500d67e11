"""``kill -9`` of any node at any step of the demo, and a restart finishes the road.

What may never happen, whoever is killed and whenever:

- a message is lost, or takes effect twice, or out of its sender's order;
- sender and recipient hold different bytes, receipts or ledger entries of one message;
- a disclosure stands in no ledger entry, or in two;
- a case, run, request, answer, item, package or hit comes twice, or not at all;
- a job fails, or stays with a worker that is dead;
- a part of a node goes on working after its main process was killed;
- an officer sees anything but a page or a broken connection.

The officers are the demo's own: where an answer did not come, they look whether their press arrived before they press
again. ``PALERMO_KILL_SEED`` repeats the moments of an earlier walk, as far as the machine's own timing allows.
"""

import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bookkeeping
import pytest
from finished import NODES, SEED, SIZE, FinishedRoad, palermo
from killing import Killer
from stored_rows import Books

from palermo.cli.demo.invention import invent
from palermo.cli.demo.nodes import Network
from palermo.cli.demo.road import steps, walk
from palermo.cli.demo.stage import Stage
from palermo.cli.demo.story import AUTHORITIES

pytestmark = pytest.mark.slow


@contextmanager
def a_running_stage(folder: Path) -> Iterator[Stage]:
    """Three new nodes in a folder, running, with the officers who will come."""
    network = Network(folder, AUTHORITIES)
    network.make()
    stage = Stage(network, invent(SEED, SIZE), folder)
    try:
        with network.running():
            yield stage
    finally:
        stage.staff.leave()


@pytest.mark.parametrize("victim", NODES)
def test_a_node_killed_in_every_step_loses_and_doubles_nothing(
    victim: str, tmp_path: Path, finished_road: FinishedRoad
) -> None:
    seed = int(os.environ.get("PALERMO_KILL_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"PALERMO_KILL_SEED={seed}\n")  # pytest shows it when the test fails
    road = steps()
    with a_running_stage(tmp_path) as stage, Killer(stage.network.nodes[victim], seed) as killer:
        walked = list(walk(stage, road, before=killer.step_begins))
    story = f"{victim} killed with PALERMO_KILL_SEED={seed} at: {', '.join(killer.moments)}"
    assert [(done.step.name, done.failure) for done in walked] == [(step.name, "") for step in road], story
    assert set(killer.kills) == {step.name for step in road}, story

    books = {node: Books(tmp_path / node) for node in NODES}
    bookkeeping.every_message_arrived_once(books)
    bookkeeping.every_disclosure_is_one_entry(books)
    bookkeeping.no_job_is_left(books)
    bookkeeping.one_of_each(books)
    bookkeeping.no_hit_is_doubled(books, pairs=_counts(walked, "match")["hits"])
    bookkeeping.same_as_undisturbed(books, finished_road.books())
    for node in NODES:
        checked = palermo("node", "check", "--home", tmp_path / node)
        assert checked.returncode == 0, checked.stdout
        log = (tmp_path / f"{node}.log").read_text("utf-8", "replace")
        assert "Internal Server Error" not in log, log[-5000:]
    _trust_each_other_not(stage, finished_road)


def _trust_each_other_not(stage: Stage, other: FinishedRoad) -> None:
    """Two networks of the same name and members: neither takes the other's package."""
    for package, root in ((stage.package, other.trust_root), (other.package, stage.network.trust_root)):
        done = palermo("evidence", "verify", package, "--trust", root)
        assert done.returncode == 1, done.stdout


def _counts(walked: list, name: str) -> dict[str, int]:
    return next(done.outcome.counts for done in walked if done.step.name == name)
