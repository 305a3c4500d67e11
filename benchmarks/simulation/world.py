"""Several real nodes, a line, a clock and disks: the steps that can be taken, and what is known of each.

The world knows what no node knows: what every app asked for, and what every answer on the wire said. The invariants
(:mod:`simulation.invariants`) hold the nodes' databases against it.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import DatabaseError

from palermo.config import wiring
from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange import delivery, handlers
from palermo.node.office import jobs
from simulation import founding
from simulation.disk import StoppedError
from simulation.forgeries import Forger
from simulation.member import Member, TrueTime
from simulation.network import Carried, Fault, Network
from simulation.notes import LIFE_HOURS, NOTE, PLAIN, Asked, Notes

LONGEST_WALK = timedelta(days=25)
"""A world grows no older: a message that stays unknown for 30 days is given up, and nothing could be asked of it."""

Acted = TypeVar("Acted")
_PERIODIC = ("exchange.", "ledger.", "directory.")


@dataclass
class World:
    """Use it as a context. ``stops``, ``disk_failures``: what became of the steps that went wrong, as they should."""

    folder: Path
    founded: Path
    seed: int = 0
    members: dict[str, Member] = field(init=False)
    network: Network = field(init=False)
    stops: Counter[str] = field(default_factory=Counter)
    disk_failures: int = 0

    def __post_init__(self) -> None:
        self.time = TrueTime(founding.BEGINNING)
        codes = founding.copy(self.founded, self.folder)
        self.members = {code: Member(code, self.folder / code, self.time) for code in codes}
        self.rng = random.Random(self.seed)
        self.notes = Notes(lambda code: self.members[code].now())
        self.forger = Forger(self.members, self.notes)
        self.network = Network(self.members, self.forger.answer)
        self._put_on = ExitStack()

    def __enter__(self) -> "World":
        self._put_on.enter_context(patch.object(delivery, "ThreadPoolExecutor", InlinePool))
        self._put_on.enter_context(patch.dict(handlers._handlers))
        logging.disable(logging.CRITICAL)
        self._put_on.callback(logging.disable, logging.NOTSET)
        wiring.connect()
        handlers.register(NOTE, self.notes.effect)
        return self

    def __exit__(self, *_: object) -> None:
        self._put_on.close()
        for member in self.members.values():
            member.abandon()

    # --- what people and apps do --------------------------------------------------------------

    @property
    def asked(self) -> dict[tuple[str, str], Asked]:
        """Every note that any app tried to send, by sender and id."""
        return self.notes.asked

    def send(self, sender: str, recipient: str, kind: str = PLAIN, *, hours: int = LIFE_HOURS, size: int = 0) -> Asked:
        """An app asks its node to send a note."""
        note = self.notes.write(sender, recipient, kind, size)
        self._send(note, hours)
        return note

    def send_again(self, note: Asked, *, hours: int = LIFE_HOURS) -> None:
        """An app that does not know whether it had asked before asks again under the same id."""
        self._send(note, hours)

    def send_under_same_id(self, note: Asked, sender: str) -> None:
        """Another node's app happens to use the id of a note for one of its own, to the same recipient."""
        if sender not in (note.sender, note.recipient):
            self._send(self.notes.write(sender, note.recipient, PLAIN, message_id=note.message_id), LIFE_HOURS)

    def _send(self, note: Asked, hours: int) -> None:
        self._act(note.sender, lambda member: self.notes.send(note, hours))

    # --- what a node's own processes do -------------------------------------------------------

    def post(self, code: str, faults: Iterable[Fault] = ()) -> int:
        """One pass of a node's delivery; the line treats its posts as ``faults`` say. Returns how many were settled."""
        self.network.next_faults(faults)
        settled = self._act(code, self._deliver)
        self.network.next_faults(())
        return settled or 0

    def _deliver(self, member: Member) -> int:
        with self.network.client(member) as client:
            return delivery.deliver_due(member.now(), client, rng=random.Random(self.rng.random()))

    def hand_in(self, forged: Carried | None) -> None:
        """Someone hands in what they made themselves."""
        if forged is not None:
            self.network.hand_in(forged)

    def tick(self, code: str) -> None:
        """One turn of a node's clock: the periodic tasks of the rooms that are simulated here."""
        for name, task in sorted(wiring.periodic().items()):
            if name.startswith(_PERIODIC):
                self._act(code, lambda member, task=task: task(member.now()))  # type: ignore[misc]

    def start(self, code: str) -> None:
        """Start a node that is down, as its worker starts: leases of the dead end."""
        member = self.members[code]
        if not member.up:
            member.start()
            self._act(code, lambda _: jobs.release_leases())
            self._act(code, lambda _: delivery.release_leases())

    # --- what the world does to them ----------------------------------------------------------

    def stop(self, code: str, instant: int | None = None) -> None:
        """Stop a node's machine, now or so many instants from now, in whatever it then does."""
        if instant is None:
            self.members[code].stop()
        elif self.members[code].up:
            self.members[code].disk.arm(stop_in=instant)

    def fill_disk(self, code: str, instant: int | None, failures: int = 1) -> None:
        """No room on a node's disk: for some instants from one on, or (None) for every new page until it is freed."""
        member = self.members[code]
        if not member.up:
            return
        if instant is None:
            self._act(code, lambda _: member.database.fill())
        else:
            member.disk.arm(fail_in=instant, failures=failures)

    def free_disk(self, code: str) -> None:
        """Room again on a node's disk."""
        member = self.members[code]
        member.disk.mend()
        self._act(code, lambda _: member.database.empty())

    def wait(self, seconds: float) -> None:
        """Time passes everywhere."""
        self.time.now = min(self.time.now + timedelta(seconds=seconds), founding.BEGINNING + LONGEST_WALK)

    def skew(self, code: str, seconds: float) -> None:
        """Set a node's clock so far wrong."""
        self.members[code].skew = timedelta(seconds=seconds)

    def heal(self) -> None:
        """All lines, disks and clocks are well, and every node is up."""
        self.network.cut.clear()
        for code, member in self.members.items():
            member.skew = timedelta(0)
            if member.up:
                self.free_disk(code)
            self.start(code)

    def settle(self, passes: int = 40) -> None:
        """Heal the world and let the nodes work until nothing is left to do, or for so many passes."""
        self.heal()
        for _ in range(passes):
            for code in self.members:
                self.tick(code)
                self.post(code)
            self.time.now += timedelta(minutes=6)
            if not any(self.waiting(code) for code in self.members):
                return

    def waiting(self, code: str) -> int:
        """How many messages of a node have no receipt yet."""
        found: int = self.members[code].rows("SELECT count(*) FROM exchange_outgoing WHERE receipt IS NULL")[0][0]
        return found

    def _act(self, code: str, act: Callable[[Member], Acted]) -> Acted | None:
        """Act as a node; what stops its machine, fills its disk or is its rule to refuse does not stop the world."""
        member = self.members[code]
        failed = member.disk.failed
        if not member.up:
            return None
        try:
            with member.acting():
                return act(member)
        except StoppedError:
            self.stops[code] += 1
        except DatabaseError as error:
            if "full" not in str(error) and not member.disk.failed > failed:
                raise
        except OSError:
            if not member.disk.failed > failed:
                raise
        except DirectoryError:
            pass  # no key in force: the app is told so
        finally:
            self.disk_failures += member.disk.failed - failed
        return None


class InlinePool:
    """A pool that runs each post at once, in this thread: one node acts at a time, and a seed repeats a walk."""

    def __init__(self, **_: object) -> None:
        """Take what a pool takes."""

    def __enter__(self) -> "InlinePool":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs any more."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Run it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future
