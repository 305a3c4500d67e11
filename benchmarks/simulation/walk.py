"""A search by Hypothesis: it takes any step in any order and looks, after each, for what may never happen."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from simulation.invariants import Seen
from simulation.network import Fault
from simulation.notes import KINDS, Asked
from simulation.world import World

FAULTS = st.lists(st.sampled_from(Fault), max_size=6)
INSTANTS = st.integers(0, 250)
"""Of an act: a post or a receipt of a message takes some dozens of statements, commits and file operations."""

SOON, LATER = st.sampled_from([1, 30, 400]), st.sampled_from([4 * 3600, 3 * 86400])
SKEWS = st.sampled_from([0, 60, -60, 299, -299, 310, -310, 7200, -7200, 2 * 86400, -2 * 86400])
"""How far a clock is off, in seconds; 300 are allowed."""


STEPS_A_WALK = 40


class Walk(RuleBasedStateMachine):
    """``founded``: the network whose copies are walked through; ``taken`` counts the steps."""

    founded: ClassVar[Path]
    taken: ClassVar[Counter[str]]

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        """A new world from the founded network."""
        self.folder = tempfile.TemporaryDirectory(prefix="palermo-walk-")
        self.world = World(Path(self.folder.name), self.founded, seed).__enter__()
        self.seen = Seen(self.world)
        self.codes = sorted(self.world.members)
        self.sound = True

    def teardown(self) -> None:
        """Heal everything, let the nodes work until all is done, and look once more."""
        if not hasattr(self, "world"):
            return
        try:
            if self.sound:  # what was found is not to be hidden by what follows from it
                self.world.settle()
                self.seen.rest()
        finally:
            self.world.__exit__()
            self.folder.cleanup()

    @invariant()
    def nothing_forbidden_happened(self) -> None:
        """Look after every step."""
        self.taken["steps"] += 1
        self.sound = False
        self.seen.look()
        self.sound = True

    @rule(places=st.permutations(range(3)), kind=st.sampled_from(KINDS), hours=st.sampled_from([1, 24, 168]))
    def send(self, places: list[int], kind: str, hours: int) -> None:
        """A note from one node to another."""
        self.world.send(self.codes[places[0]], self.codes[places[1]], kind, hours=hours)

    @rule(places=st.permutations(range(3)), size=st.sampled_from([2000, 60_000]))
    def send_larger(self, places: list[int], size: int) -> None:
        """A note that takes another bucket."""
        self.world.send(self.codes[places[0]], self.codes[places[1]], size=size)

    def _note(self, number: int, *, answers: bool = True) -> Asked:
        notes = [note for note in self.world.asked.values() if answers or not note.is_answer]
        return notes[number % len(notes)]

    def _any(self) -> bool:
        return bool(self.world.asked)

    @precondition(_any)
    @rule(number=st.integers(0, 50))
    def send_again(self, number: int) -> None:
        """The same note once more."""
        self.world.send_again(self._note(number, answers=False))

    @precondition(_any)
    @rule(number=st.integers(0, 50), place=st.integers(0, 2))
    def send_under_same_id(self, number: int, place: int) -> None:
        """Two senders, one id."""
        self.world.send_under_same_id(self._note(number, answers=False), self.codes[place])

    @rule(place=st.integers(0, 2), faults=FAULTS)
    def post(self, place: int, faults: list[Fault]) -> None:
        """A node's delivery over a bad line."""
        self.world.post(self.codes[place], faults)

    @rule(rounds=st.integers(1, 3))
    def post_all(self, rounds: int) -> None:
        """Every node's delivery over a good line."""
        for _ in range(rounds):
            for code in self.codes:
                self.world.post(code)
                self.world.wait(2)

    @rule(places=st.permutations(range(3)), instant=INSTANTS, faults=FAULTS)
    def post_while_one_dies(self, places: list[int], instant: int, faults: list[Fault]) -> None:
        """A node's delivery, in the middle of which it or another node stops."""
        self.world.stop(self.codes[places[0]], instant)
        self.world.post(self.codes[places[1]], faults)
        self.world.post(self.codes[places[0]])
        self.world.start(self.codes[places[0]])

    @rule(places=st.permutations(range(3)), instant=st.integers(0, 60), kind=st.sampled_from(KINDS))
    def send_while_it_dies(self, places: list[int], instant: int, kind: str) -> None:
        """A node stops in the middle of an app's request."""
        self.world.stop(self.codes[places[0]], instant)
        self.world.send(self.codes[places[0]], self.codes[places[1]], kind)
        self.world.start(self.codes[places[0]])

    @rule(place=st.integers(0, 2))
    def tick(self, place: int) -> None:
        """A node's clock."""
        self.world.tick(self.codes[place])

    @rule(place=st.integers(0, 2), instant=st.none() | INSTANTS)
    def stop(self, place: int, instant: int | None) -> None:
        """A node stops, now or in whatever it does next."""
        self.world.stop(self.codes[place], instant)

    @rule(place=st.integers(0, 2))
    def start(self, place: int) -> None:
        """A node that is down starts."""
        self.world.start(self.codes[place])

    @rule(places=st.permutations(range(3)), instant=st.none() | INSTANTS, failures=st.integers(1, 4))
    def fill_disk(self, places: list[int], instant: int | None, failures: int) -> None:
        """A node's disk is full while it and another post."""
        self.world.fill_disk(self.codes[places[0]], instant, failures)
        self.world.post(self.codes[places[1]])
        self.world.post(self.codes[places[0]])

    @rule(place=st.integers(0, 2))
    def free_disk(self, place: int) -> None:
        """Room again."""
        self.world.free_disk(self.codes[place])

    @rule(seconds=SOON)
    def wait(self, seconds: int) -> None:
        """Some time."""
        self.world.wait(seconds)

    @rule(seconds=LATER)
    def wait_long(self, seconds: int) -> None:
        """Enough for messages to end and keys to be renewed."""
        self.world.wait(seconds)

    @rule(places=st.permutations(range(3)), mended=st.booleans())
    def cut(self, places: list[int], mended: bool) -> None:
        """A line is cut, or mended."""
        pair = frozenset((self.codes[places[0]], self.codes[places[1]]))
        self.world.network.cut -= {pair}
        if not mended:
            self.world.network.cut.add(pair)

    @rule(place=st.integers(0, 2), seconds=SKEWS)
    def skew(self, place: int, seconds: int) -> None:
        """A clock is set wrong, or right."""
        self.world.skew(self.codes[place], seconds)

    @rule(number=st.integers(0, 200), place=st.none() | st.integers(0, 2))
    def carry_again(self, number: int, place: int | None) -> None:
        """The line hands in an old post once more, perhaps to someone else."""
        self.world.network.again(number, None if place is None else self.codes[place])

    @precondition(_any)
    @rule(number=st.integers(0, 50), how=st.sampled_from(["impersonate", "equivocate", "pass_on"]))
    def forge(self, number: int, how: str) -> None:
        """A member that is dishonest."""
        self.world.hand_in(getattr(self.world.forger, how)(self._note(number)))


def search(founded: Path, *, seed: int, steps: int, shrink: bool = True) -> int:
    """Walk through copies of a founded network for about so many steps; how many were taken.

    Raises :class:`simulation.invariants.ForbiddenError`, with the steps that led there in Hypothesis' words: the fewest
    that it finds, unless ``shrink`` is False.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    limits = settings(
        max_examples=max(1, steps // STEPS_A_WALK),
        stateful_step_count=STEPS_A_WALK,
        deadline=None,
        database=None,  # what a seed finds, it finds again
        derandomize=False,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    taken: Counter[str] = Counter()
    machine = type("Walk", (Walk,), {"founded": founded, "taken": taken})
    run_state_machine_as_test(with_seed(seed)(machine), settings=limits)
    return taken.total()
