"""Someone who kills one node again and again while officers work on it, and starts it again each time.

Only the node's main process is killed. Its web server and worker must die with it (``palermo.config.lifeline``): that
is looked at after every kill, before the node is started again.
"""

import _thread
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from palermo.cli.demo.nodes import DemoError, Node
from palermo.cli.demo.road import Step

FIRST_MOMENT_SECONDS = 1.5
"""The first kill of a step comes within so many seconds; where the step is over sooner, just as it ends."""
PAUSE_SECONDS = (2.0, 10.0)
MOST_KILLS_A_STEP = 2
WHILE_STARTING = 0.2
"""Share of the kills that are followed by another while the node starts."""
LONGEST_DEATH_SECONDS = 10.0
TICK_SECONDS = 0.01

Process = tuple[int, str]
"""A process id and when it started: the pair is never used again."""


class OutlivedError(Exception):
    """A part of a node went on after its main process was killed."""


def descendants(pid: int) -> set[Process]:
    """A process and everything that it started, at this moment."""
    parents = dict(_processes())
    family, grown = {pid}, True
    while grown:
        more = {child for (child, _), parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return {process for process in parents if process[0] in family}


def _processes() -> Iterator[tuple[Process, int]]:
    """Every living process with its parent (proc(5): fields 3 state, 4 parent, 22 start time)."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if fields[0] not in "ZX":
                yield (int(folder.name), fields[19]), int(fields[1])


def _await_death(family: set[Process], of: str) -> None:
    deadline = time.monotonic() + LONGEST_DEATH_SECONDS
    while left := family & {process for process, _ in _processes()}:
        if time.monotonic() > deadline:
            raise OutlivedError(f"parts of {of} outlived its main process: {sorted(left)}")
        time.sleep(TICK_SECONDS)


class Killer(threading.Thread):
    """Kills a node at random moments of every step, as a context around the walk.

    ``kills``: how often in each step. An error of its own (a node that does not start again, a part that outlived its
    main process) stops it and is raised when the context ends.
    """

    def __init__(self, node: Node, seed: int) -> None:
        super().__init__(name=f"killer of {node.authority.code}", daemon=True)
        self.kills: Counter[str] = Counter()
        self.moments: list[str] = []
        self._node = node
        self._random = random.Random(seed)
        self._step = ""
        self._due = 0.0
        self._busy = threading.RLock()
        self._over = threading.Event()
        self._error: Exception | None = None

    def step_begins(self, step: Step) -> None:
        """Note the step. One that passed unharmed has the node killed now, between two of an officer's presses."""
        with self._busy:
            self._make_up()
            self._step, self._began = step.name, time.monotonic()
            self._due = self._began + self._random.uniform(0.0, FIRST_MOMENT_SECONDS)

    def run(self) -> None:
        """Wait for the next moment, until the walk is over."""
        while not self._over.wait(TICK_SECONDS):
            with self._busy:
                due = self._step and self.kills[self._step] < MOST_KILLS_A_STEP and time.monotonic() >= self._due
                if due and self._error is None:
                    self._kill_and_start()

    def _make_up(self) -> None:
        if self._step and not self.kills[self._step] and self._error is None:
            self._kill_and_start()

    def _kill_and_start(self) -> None:
        self.kills[self._step] += 1
        self.moments.append(f"{self._step} +{time.monotonic() - self._began:.2f} s")
        try:
            self._kill()
            if self._random.random() < WHILE_STARTING:
                self._kill_while_it_starts()
            self._node.start()
        except Exception as error:
            self._error = error
            _thread.interrupt_main()  # the officers would wait for the node for minutes
        self._due = time.monotonic() + self._random.uniform(*PAUSE_SECONDS)

    def _kill(self) -> None:
        family = descendants(self._node.pid)
        self._node.kill()
        _await_death(family, self._node.authority.code)

    def _kill_while_it_starts(self) -> None:
        timer = threading.Timer(self._random.uniform(0.1, 2.0), self._kill)
        timer.start()
        try:
            self._node.start()
        except DemoError:
            pass  # it was killed before it answered
        finally:
            timer.join()

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._busy:
            self._make_up()
        self._over.set()
        self.join()
        if self._error is not None:
            raise self._error
