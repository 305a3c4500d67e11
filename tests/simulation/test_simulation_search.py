"""The search for what may never happen, over three nodes of the real code. In CI a short one, the same each time.

    PALERMO_SIMULATION_STEPS=20000 [PALERMO_SIMULATION_SEED=7] .venv/bin/pytest -s tests/simulation -k forbidden

searches as far as you wish from a new seed, prints it, and repeats the search of the seed that you give.
"""

import os
import random
import sys

import pytest

from simulation import walk
from simulation.world import World

STEPS_IN_CI = 600
SEED_IN_CI = 3


def test_nothing_forbidden_is_found(founded) -> None:
    asked = os.environ.get("PALERMO_SIMULATION_STEPS")
    steps = int(asked or STEPS_IN_CI)
    seed = int(os.environ.get("PALERMO_SIMULATION_SEED") or (random.randrange(2**32) if asked else SEED_IN_CI))
    sys.stdout.write(f"\n{steps} steps; to repeat: PALERMO_SIMULATION_STEPS={steps} PALERMO_SIMULATION_SEED={seed}\n")
    done = walk.search(founded, seed=seed, steps=steps)
    sys.stdout.write(f"{done} steps taken\n")
    assert done > steps / 4, "the walks end early"


def test_a_world_at_rest_has_delivered_everything(founded, tmp_path) -> None:
    with World(tmp_path / "world", founded) as world:
        codes = sorted(world.members)
        sent = [world.send(codes[place], codes[place - 1]) for place in range(3) for _ in range(4)]
        world.settle()
        states = [world.members[note.sender].rows("SELECT state FROM exchange_outgoing") for note in sent]
        assert {row["state"] for rows in states for row in rows} == {"accepted"}
        assert len(sent) == sum(
            len(member.rows("SELECT * FROM simulation_effect")) for member in world.members.values()
        )


@pytest.mark.parametrize("instant", range(10, 200, 30))
def test_a_seed_of_stops_repeats_to_the_instant(founded, tmp_path, instant: int) -> None:
    def books(folder: str) -> list[tuple[str, int, int]]:
        with World(tmp_path / folder, founded, seed=instant) as world:
            codes = sorted(world.members)
            world.send(codes[0], codes[1], walk.KINDS[1])
            world.stop(codes[1], instant)
            world.post(codes[0])
            return [(code, member.life, member.disk.instants) for code, member in world.members.items()]

    assert books("first") == books("second")
