"""``kill -9`` at any step of a load: the version before stays in force, and the next load finishes the work."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from palermo.lake import Lake, paths
from palermo.subjects import Entity

LOAD = """
import os, signal, sys
from pathlib import Path
from palermo.lake import Lake, files
from palermo.subjects import Entity

root, steps = Path(sys.argv[1]), int(sys.argv[2])

def dies_at_its_turn(function):
    def wrapped(*arguments, **options):
        global steps
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return wrapped

os.fsync = dies_at_its_turn(os.fsync)
Path.rename = dies_at_its_turn(Path.rename)
Path.replace = dies_at_its_turn(Path.replace)
Path.unlink = dies_at_its_turn(Path.unlink)
people = [Entity(f"p-{n}", "Person", {"name": (f"Ada {n}",)}) for n in range(1, 8)]
Lake(root).load("bureau", people, selectors=lambda e: [("name", e.caption)])
"""


def people(numbers: range) -> list[Entity]:
    return [Entity(f"p-{n}", "Person", {"name": (f"Ada {n}",)}) for n in numbers]


def load(lake: Lake, numbers: range) -> str:
    return lake.load("bureau", people(numbers), selectors=lambda e: [("name", e.caption)]).version


def ids(lake: Lake) -> list[str]:
    return [entity.id for entity in lake.entities("bureau")]


@pytest.mark.slow
def test_killed_at_every_step_nothing_is_lost_or_half_done(tmp_path: Path) -> None:
    before, after = [f"p-{n}" for n in range(5)], [f"p-{n}" for n in range(1, 8)]
    for step in range(1, 60):
        lake = Lake(tmp_path / str(step))
        load(lake, range(5))
        ended = subprocess.run([sys.executable, "-c", LOAD, str(lake.root), str(step)], check=False)
        assert ended.returncode in (0, -signal.SIGKILL)
        assert ids(lake) in (before, after)
        assert lake.verify("bureau") == []
        load(lake, range(1, 8))
        assert ids(lake) == after
        folder = paths.holding_folder(lake.root, "bureau")
        assert sorted(entry.name for entry in folder.iterdir()) == ["CURRENT", "versions"]
        assert len(list((folder / "versions").iterdir())) == 2
        if ended.returncode == 0:
            break
    assert step > 10, "the load has more steps than that: nothing was killed"
    assert ended.returncode == 0, "the load never came to its end"


SLOW_LOAD = """
import sys, time
from pathlib import Path
from palermo.lake import Lake
from palermo.subjects import Entity

def endless():
    for n in range(10**9):
        yield Entity(f"p-{n}", "Person", {"name": (f"Ada {n}",)})
        if n == 20_000:
            print("under way", flush=True)

Lake(Path(sys.argv[1])).load("bureau", endless(), selectors=lambda e: [("name", e.caption)])
"""


def test_killed_amid_the_rows_the_next_load_sweeps_and_succeeds(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    version = load(lake, range(5))
    process = subprocess.Popen([sys.executable, "-c", SLOW_LOAD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"under way\n"
    process.kill()
    process.wait()
    process.stdout.close()
    folder = paths.holding_folder(tmp_path, "bureau")
    assert list(folder.glob("staging-*"))
    assert lake.counts("bureau").version == version
    assert load(lake, range(5)) == version
    assert sorted(entry.name for entry in folder.iterdir()) == ["CURRENT", "versions"]


def test_a_second_load_waits_for_the_first(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", SLOW_LOAD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    waiting = subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path), "10000"])
    time.sleep(1.5)
    assert waiting.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()
    assert waiting.wait(timeout=30) == 0
    assert len(ids(Lake(tmp_path))) == 7
