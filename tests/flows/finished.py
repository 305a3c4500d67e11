"""The road as one run of ``palermo demo`` leaves it: walked once a test run, however many workers there are.

Tests read what it left; whoever wants to change a node takes a copy of its home.
"""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stored_rows import Books, copy_home

from palermo.cli.demo import databases

SIZE, SEED = 400, 2000
NODES = ("XV-POL", "XM-POL", "XC-POL")
ASKER, HOLDER, THIRD = NODES


def own_environment(making: Path | None = None) -> dict[str, str]:
    """The environment without anything of this test run's own node. ``making``: the home of a node to be made."""
    found = databases.environment(making)
    return {name: value for name, value in found.items() if not name.startswith(("PALERMO", "DJANGO"))}


def palermo(*arguments: object, seconds: float = 600, making: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the ``palermo`` command as a user does, with nothing of this test run's in its environment.

    The demo alone learns of the database server of this run; every home says which database is its own.
    """
    command = [sys.executable, "-m", "palermo", *map(str, arguments)]
    environment = own_environment(making)
    if arguments[0] == "demo" and databases.server():
        environment[databases.VARIABLE] = databases.server()
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=seconds)


@dataclass(frozen=True, slots=True)
class FinishedRoad:
    """One finished demo: its folder, and what ``--json`` wrote of it."""

    folder: Path
    exit_code: int
    outcome: dict[str, Any]

    @property
    def package(self) -> Path:
        """The evidence package that came back."""
        return Path(self.outcome["evidence_package"])

    @property
    def trust_root(self) -> Path:
        """The trust root of the demo's network."""
        return Path(self.outcome["trust_root"])

    def home(self, node: str) -> Path:
        """A node's home."""
        return self.folder / node

    def books(self) -> dict[str, Books]:
        """Every node's database."""
        return {node: Books(self.home(node)) for node in NODES}

    def copy(self, folder: Path) -> "FinishedRoad":
        """The three homes once more, for a test that changes them."""
        for node in NODES:
            copy_home(self.home(node), folder / node)
        return FinishedRoad(folder, self.exit_code, self.outcome)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def walk_once(shared: Path) -> FinishedRoad:
    """Walk the road into ``shared``, unless another worker did so; waits while one is at it.

    ``PALERMO_ROAD`` names a folder that keeps the road from one test run to the next, for work on the tests themselves.
    """
    shared = Path(os.environ.get("PALERMO_ROAD") or shared)
    folder, report, code = shared / "finished-road", shared / "finished-road.json", shared / "finished-road.exit"
    with _alone(shared / "finished-road.lock"):
        if not code.exists():
            done = palermo(
                *("demo", "--no-serve", "--dir", folder, "--json", report, "--size", SIZE, "--seed", SEED), seconds=900
            )
            if not report.exists():
                raise AssertionError(f"the demo wrote no report; it said:\n{done.stdout}\n{done.stderr}")
            code.write_text(str(done.returncode))
    return FinishedRoad(folder, int(code.read_text()), json.loads(report.read_text("utf-8")))
