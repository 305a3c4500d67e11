"""Two real nodes post to each other over lines that are cut in the middle, and die in the middle.

Real processes, real HTTP. The line cuts a post after any byte of its request, while it is worked on, and after any byte
of its answer; or, at such a byte, the web server that takes it in is killed with SIGKILL, or the worker that hands it
in, or both; the web server also just between a note's effect and the commit. An app at each node sends notes all the
while. What may never happen:

- a note that its app was told is sent is lost, or is delivered with other bytes;
- a note takes effect twice, or without a receipt, or a receipt stands without an effect;
- sender and recipient hold different receipts of one message, or number messages with a gap;
- a message out or in stands in no ledger entry or in two, or an entry stands for nothing that was done;
- a part of a node ends that nobody killed, or a node's own check finds damage.

``PALERMO_CUT_SEED`` repeats the faults of an earlier run, as far as the machine's own timing allows.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import bookkeeping
import pytest
from cut_line import Fault, Line, Moment
from finished import own_environment, palermo
from noting_node import NOTE, TABLE, WEB, WORKER, Parts
from stored_rows import Books, opened

from palermo.cli.demo.nodes import Authority, Network

pytestmark = pytest.mark.slow

CODES = ("AA-POL", "BB-POL")
CUT, KILLS = "cut", ("recipient killed", "sender killed", "both killed")
RECIPIENT_DIES, SENDER_DIES = (KILLS[0], KILLS[2]), (KILLS[1], KILLS[2])
LONGEST_HOLD_SECONDS = 10.0
LARGEST_NOTE_BYTES = 60_000
BETWEEN_NOTES_SECONDS = 0.5
LONGEST_SECONDS = 400.0


class Correspondence:
    """The two nodes, the line to each, and what each one's app was told is sent: ids with digests."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        network = Network(
            folder, tuple(Authority(code, f"Police of {code[:2]}", code[:2], ("police",)) for code in CODES)
        )
        self.lines = {code: Line(node.port, self.random) for code, node in network.nodes.items()}
        for code, node in network.nodes.items():
            node.url = self.lines[code].url
        network.make()
        self.parts = {
            code: Parts(node.home, node.port, node.log, own_environment()) for code, node in network.nodes.items()
        }
        self.held = 0
        self.told: dict[str, dict[str, str]] = {code: {} for code in CODES}
        self.writers: dict[str, subprocess.Popen[str]] = {}
        for code in CODES:
            with opened(self.parts[code].home) as execute:
                execute(TABLE)

    @property
    def books(self) -> dict[str, Books]:
        return {code: Books(parts.home) for code, parts in self.parts.items()}

    @contextmanager
    def running(self) -> Iterator[None]:
        try:
            for code, parts in self.parts.items():
                parts.start()
                self.writers[code] = parts.writer(other(code))
            for parts in self.parts.values():
                parts.wait_until_up()
            yield
        finally:
            for code, parts in self.parts.items():
                self.lines[code].close()
                parts.kill(WEB, WORKER)
                with self.writers[code] as writer:  # which closes its pipes and waits for its end
                    writer.kill()

    def write(self) -> None:
        """Each app sends a note, of a few bytes or a great many."""
        for writer in self.writers.values():
            writer.stdin.write(f"{int(LARGEST_NOTE_BYTES ** self.random.random())}\n")
        for code, writer in self.writers.items():
            message_id, digest = writer.stdout.readline().split()
            self.told[code][message_id] = digest

    def plan(self) -> None:
        """A cut at every moment on each line; every other deed at every moment, on one of them. In any order."""
        faults = {code: [self._fault(code, moment, CUT) for moment in Moment] for code in CODES}
        for moment, deed in product(Moment, KILLS):
            code = self.random.choice(CODES)
            faults[code].append(self._fault(code, moment, deed))
        for code, planned in faults.items():
            self.random.shuffle(planned)
            self.lines[code].faults.extend(planned)

    def _fault(self, recipient: str, moment: Moment, deed: str) -> Fault:
        web, worker = self.parts[recipient], self.parts[other(recipient)]
        held = moment is Moment.THOUGHT and deed in RECIPIENT_DIES

        def kill() -> None:
            if held:  # killed between a note's effect and the commit; a post of letters alone brings none
                self.held += web.wait_until_held(LONGEST_HOLD_SECONDS)
            if deed in RECIPIENT_DIES:
                web.kill(WEB)
            if deed in SENDER_DIES:
                worker.kill(WORKER)
            web.let_go()

        def prepare() -> None:
            if held:
                web.hold()

        return Fault(moment, self.random.random(), self.random.random() < 0.5, f"{moment}: {deed}", kill, prepare)

    def open(self) -> int:
        """Messages without a receipt."""
        sql = "SELECT count(*) FROM exchange_outgoing WHERE receipt IS NULL"
        return sum(book.count(sql) for book in self.books.values())


def other(code: str) -> str:
    return CODES[1 - CODES.index(code)]


def until(true: Callable[[], bool], done: Callable[[], object], what: Callable[[], object]) -> None:
    """Do something again and again until it is true."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not true():
        assert time.monotonic() < deadline, what()
        done()
        time.sleep(BETWEEN_NOTES_SECONDS)


def test_killed_and_cut_in_the_middle_of_posts_nothing_is_lost_or_doubled(tmp_path) -> None:
    seed = int(os.environ.get("PALERMO_CUT_SEED") or random.randrange(2**32))
    sys.stdout.write(f"\nto repeat: PALERMO_CUT_SEED={seed}\n")
    ours = Correspondence(tmp_path, seed)
    lines = list(ours.lines.values())
    with ours.running():
        ours.plan()

        def go_on() -> None:
            ours.write()
            for parts in ours.parts.values():
                assert not parts.ended(), f"{parts.home.name}: {parts.ended()} ended although nobody killed it"
                parts.start()

        until(lambda: not any(line.faults for line in lines), go_on, lambda: [line.faults for line in lines])
        go_on()
        until(lambda: ours.open() == 0, lambda: [parts.start() for parts in ours.parts.values()], ours.open)
        assert [parts.ended() for parts in ours.parts.values()] == [[], []]
    met = sum((line.met for line in lines), Counter())
    assert met == {f"{moment}: {deed}": 2 if deed == CUT else 1 for moment, deed in product(Moment, (CUT, *KILLS))}
    _everything_fits(ours)
    _say(ours)


def _everything_fits(ours: Correspondence) -> None:
    books = ours.books
    bookkeeping.every_message_arrived_once(books)
    for code, book in books.items():
        sent = book.column("SELECT message_id FROM exchange_outgoing WHERE payload_type = ?", NOTE)
        assert sorted(sent) == sorted(ours.told[code]), f"{code} holds other notes than its app was told"
        noted = books[other(code)].rows("SELECT message_id, digest FROM noted WHERE sender = ?", code)
        assert sorted(map(tuple, noted)) == sorted(ours.told[code].items()), f"effects of what {code} sent"
        left = bookkeeping.entries_besides_messages(code, book)
        assert not left, f"{code} has entries that no act explains: {left}"
        done = palermo("node", "check", "--home", ours.parts[code].home)
        assert done.returncode == 0, (code, done.stdout)


def _say(ours: Correspondence) -> None:
    sys.stdout.write(f"{ours.held} times killed between effect and commit\n")
    for code in CODES:
        line, parts = ours.lines[other(code)], ours.parts[code]
        attempts = ours.books[code].count("SELECT sum(attempts) FROM exchange_outgoing")
        sys.stdout.write(
            f"{code}: {len(ours.told[code])} notes in {line.posts} posts ({attempts} times handed in), "
            f"{line.met.total()} of them cut; {parts.kills} of its processes killed\n"
        )
