"""The network of ``benchmarks/network.py``, small."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from simulation import founding
from simulation.invariants import ForbiddenError
from simulation.traffic import Tally, Traffic, tally
from simulation.world import World

MESSAGES = 60


def test_nothing_is_lost_or_doubled_over_bad_lines_while_machines_stop(tmp_path) -> None:
    founded = founding.found(tmp_path / "founded", founding.codes(5))
    with World(tmp_path / "world", founded, seed=4) as world:
        traffic = Traffic(world, MESSAGES, stops=0.3)
        traffic.run()
        assert tally(world) == Tally(
            sent=MESSAGES, lost=0, doubled=0, receipts=MESSAGES, entries_out=MESSAGES, entries_in=MESSAGES
        )
        assert world.stops.total() > 0, "no machine stopped: nothing was tested"
        assert sum(count for fault, count in traffic.went.items() if fault != "none") > 0


def test_the_tally_refuses_a_network_that_lost_a_message(tmp_path) -> None:
    founded = founding.found(tmp_path / "founded", founding.codes(3))
    with World(tmp_path / "world", founded) as world:
        note = world.send("AA-POL", "BB-POL")
        world.settle()
        world.members["BB-POL"].database.abandon()
        _delete_effect(world.members["BB-POL"].home, note.message_id)
        with pytest.raises(ForbiddenError, match=r"took effect|had no effect"):
            tally(world)


def _delete_effect(home: Path, message_id: str) -> None:
    with closing(sqlite3.connect(home / "db.sqlite3")) as database:
        database.execute("DELETE FROM simulation_effect WHERE message_id = ?", [message_id])
        database.commit()
