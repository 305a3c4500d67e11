"""Several real nodes, a line, a clock and disks: the steps that can be taken, and what is known of each.

The world knows what no node knows: what every app asked for, and what every answer on the wire said. The invariants
(:mod:`simulation.invariants`) hold the nodes' databases against it.
"""

import hashlib
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import DatabaseError, connection, transaction

from palermo.config import wiring
from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange import actions, delivery, handlers
from palermo.node.office import jobs
from simulation import founding
from simulation.disk import StoppedError
from simulation.forgeries import Forger
from simulation.member import Member, TrueTime
from simulation.network import Fault, Network

NOTE = "palermo/simulation.note+v1"
LONGEST_WALK = timedelta(days=25)
"""A world does not grow older: a message that stays unknown for 30 days is given up, and nothing can be asked of it."""

PLAIN, REPLY, REFUSED, NOT_YET, BROKEN = "plain", "reply", "refused", "not yet", "broken"
KINDS = (PLAIN, REPLY, REFUSED, NOT_YET, BROKEN)
"""What a note makes of its recipient: acts; acts and answers; refuses after it acted; asks for patience; fails once."""

PATIENCE = {NOT_YET: 2, BROKEN: 1}
_PERIODIC = ("exchange.", "ledger.", "directory.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asked its node to send."""

    message_id: str
    sender: str
    recipient: str
    kind: str
    payload: bytes


@dataclass
class World:
    """Use it as a context. ``asked``: every message that any app tried to send, by id, whether or not it went."""

    folder: Path
    founded: Path
    seed: int = 0
    members: dict[str, Member] = field(init=False)
    network: Network = field(init=False)
    asked: dict[str, Asked] = field(default_factory=dict)
    returned: set[str] = field(default_factory=set)
    attempts: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    disk_failures: int = 0

    def __post_init__(self) -> None:
        self.time = TrueTime(founding.BEGINNING)
        codes = founding.copy(self.founded, self.folder)
        self.members = {code: Member(code, self.folder / code, self.time) for code in codes}
        self.rng = random.Random(self.seed)
        self.network = Network(self.members, Forger(self.members).answer)

    def __enter__(self) -> "World":
        self._patches = [
            patch.object(delivery, "ThreadPoolExecutor", InlinePool),
            patch.dict(handlers._handlers),
        ]
        for each in self._patches:
            each.start()
        logging.disable(logging.CRITICAL)
        wiring.connect()
        handlers.register(NOTE, self._effect)
        return self

    def __exit__(self, *_: object) -> None:
        logging.disable(logging.NOTSET)
        for each in reversed(self._patches):
            each.stop()
        for member in self.members.values():
            member.database.abandon()

    # --- what people and apps do --------------------------------------------------------------

    def send(self, sender: str, recipient: str, kind: str = PLAIN, *, hours: int = 168, size: int = 0) -> str:
        """An app asks its node to send a note, in one transaction with a row of its own; returns the message's id."""
        message_id = f"m{len(self.asked) + 1}-{sender}"
        payload = _payload(kind, message_id, size)
        self.asked[message_id] = Asked(message_id, sender, recipient, kind, payload)
        self._ask(self.asked[message_id], hours)
        return message_id

    def send_again(self, number: int, *, hours: int = 168) -> None:
        """An app that does not know whether it had asked before asks again under the same id."""
        own = [asked for asked in self.asked.values() if not asked.message_id.startswith("re-")]
        if own:
            self._ask(own[number % len(own)], hours)

    def _ask(self, asked: Asked, hours: int) -> None:
        with self._survived(asked.sender) as member, transaction.atomic():
            known = _count("simulation_asked", message_id=asked.message_id)
            if not known:
                _insert("simulation_asked", message_id=asked.message_id)
            self._send(asked, member, hours)
            transaction.on_commit(lambda: self.returned.add(asked.message_id))

    def _send(self, asked: Asked, member: Member, hours: int, in_reply_to: str = "") -> None:
        now = member.now()
        actions.send(
            recipient=asked.recipient,
            payload_type=NOTE,
            payload=asked.payload,
            case_reference="CASE-1",
            purpose="simulation",
            in_reply_to=in_reply_to,
            message_id=asked.message_id,
            not_after=now + timedelta(hours=hours),
            now=now,
        )

    def _effect(self, message: handlers.Received, *, now: Any) -> None:
        """What a note does: its row goes in first, so that whatever undoes the rest must undo it too."""
        note = json.loads(message.payload)
        _insert(
            "simulation_effect",
            sender=message.sender,
            message_id=message.message_id,
            payload=hashlib.sha256(message.payload).hexdigest(),
            ledger_index=message.ledger_index,
        )
        kind = note["kind"]
        if kind == REFUSED:
            raise handlers.RefusedError("This note is refused, as its sender wished.")
        if self.attempts[message.message_id] < PATIENCE.get(kind, 0):
            self.attempts[message.message_id] += 1
            raise handlers.NotYetError("later") if kind == NOT_YET else RuntimeError("a bug in an app")
        if kind == REPLY:
            self._reply(message)

    def _reply(self, message: handlers.Received) -> None:
        reply_id = f"re-{message.message_id}"
        own = self.asked[message.message_id].recipient
        asked = Asked(reply_id, own, message.sender, PLAIN, _payload(PLAIN, reply_id, 0))
        self.asked[reply_id] = asked
        self._send(asked, self.members[own], 168, message.message_id)

    # --- what a node's own processes do -------------------------------------------------------

    def post(self, code: str, faults: Sequence[Fault] = ()) -> int:
        """One pass of a node's delivery; the line treats its posts as ``faults`` say. Returns how many were settled."""
        settled = 0
        self.network.next_faults(faults)
        with self._survived(code) as member, self.network.client(member) as client:
            settled = delivery.deliver_due(member.now(), client, rng=random.Random(self.rng.random()))
        self.network.next_faults(())
        return settled

    def tick(self, code: str) -> None:
        """One turn of a node's clock: the periodic tasks of the rooms that are simulated here."""
        for name, task in sorted(wiring.periodic().items()):
            if name.startswith(_PERIODIC):
                with self._survived(code) as member:
                    task(member.now())

    def start(self, code: str) -> None:
        """Start a node that is down, as its worker starts: leases of the dead end."""
        member = self.members[code]
        if not member.up:
            member.start()
            with self._survived(code):
                jobs.release_leases()
                delivery.release_leases()

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
            with self._survived(code):
                member.database.fill()
        else:
            member.disk.arm(fail_in=instant, failures=failures)

    def free_disk(self, code: str) -> None:
        """Room again on a node's disk."""
        member = self.members[code]
        member.disk.mend()
        if member.up:
            with self._survived(code):
                member.database.empty()

    def wait(self, seconds: float) -> None:
        """Time passes everywhere."""
        self.time.now = min(self.time.now + timedelta(seconds=seconds), founding.BEGINNING + LONGEST_WALK)

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

    @contextmanager
    def _survived(self, code: str) -> Iterator[Member]:
        """Act as a node; what stops its machine, fills its disk or is its rule to refuse does not stop the world."""
        member = self.members[code]
        failed = member.disk.failed
        try:
            with member.acting():
                yield member
        except StoppedError:
            if member.disk.stopped:
                self.stops[code] += 1
        except DatabaseError as error:
            if "full" not in str(error) and not member.disk.failed > failed:
                raise
        except OSError:
            if not member.disk.failed > failed:
                raise
        except DirectoryError:
            pass  # no key in force: the app is told so
        self.disk_failures += member.disk.failed - failed


class InlinePool:
    """A pool that runs each post at once, in this thread: one node acts at a time, and a seed repeats a walk."""

    def __init__(self, **_: object) -> None:
        """Take what a pool takes."""

    def __enter__(self) -> "InlinePool":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs any more."""

    def submit(self, work: Any, *arguments: Any) -> "Future[Any]":
        """Run it now."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def _payload(kind: str, message_id: str, size: int) -> bytes:
    note = {"kind": kind, "id": message_id, "filling": "x" * size}
    return json.dumps(note, sort_keys=True, separators=(",", ":")).encode()


def _insert(table: str, **values: object) -> None:
    places = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", list(values.values()))


def _count(table: str, **values: object) -> int:
    condition = " AND ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}", list(values.values()))
        found: int = cursor.fetchone()[0]
    return found
