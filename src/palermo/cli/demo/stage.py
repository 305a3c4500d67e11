"""What every step of the road works with: the running network, its officers, the invented world, and what was found."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from palermo.cli.demo import story
from palermo.cli.demo.invention import World
from palermo.cli.demo.nodes import DemoError, Network
from palermo.cli.demo.person import Person
from palermo.cli.demo.staff import Staff

T = TypeVar("T")
Counts = dict[str, int]
ASKER, HOLDER = story.VICTIMS.code, story.MULES.code


@dataclass
class Outcome:
    """How a step came out. ``learned``: for each party, what it knows now that it did not know before."""

    counts: Counts
    learned: dict[str, str] = field(default_factory=dict)


@dataclass
class Stage:
    """The network and what the road found on it so far, as references on the asker's node."""

    network: Network
    world: World
    folder: Path
    staff: Staff = field(default_factory=Staff)
    case: str = ""
    run: str = ""
    hit: str = ""
    account: str = ""
    confirmation: str = ""
    request: str = ""

    @property
    def package(self) -> Path:
        """Where the evidence package is put when it has arrived."""
        return self.folder / "evidence.palermo.zip"

    @property
    def covert(self) -> tuple[str, str]:
        """An account that both hold but the holder watches in secret, by both ids: the match must not show it."""
        return next(pair for pair in reversed(self.world.same[ASKER, HOLDER]) if "account" in pair[0])

    def person(self, node: str, username: str) -> Person:
        """One officer."""
        return self.staff.person(node, username)

    def partners_of(self, node: str) -> list[str]:
        """Everyone else."""
        return [code for code in self.network.nodes if code != node]


def until(seen: Callable[[], T], what: str, seconds: float = 300.0) -> T:
    """Look until there is something to see. Raises :class:`DemoError` that says what did not come."""
    deadline = time.monotonic() + seconds
    while not (effect := seen()):
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: nothing came within {seconds:.0f} seconds")
        time.sleep(0.2)
    return effect
