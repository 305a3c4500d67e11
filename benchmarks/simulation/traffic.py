"""Traffic of many nodes over bad lines, with machines that stop and start: so many notes, until all are settled."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from simulation.invariants import Seen
from simulation.network import Fault
from simulation.notes import NOTE, Asked
from simulation.world import World

NOTES_A_ROUND = 10
"""That each node's app sends before the nodes' workers have their turn."""

SECONDS_A_ROUND = 20
LONGEST_INSTANT = 400
_DRAINING_ROUNDS = 400


@dataclass
class Traffic:
    """``loss`` and ``duplication``: shares of all posts; of those lost, half are lost with their answer alone.

    ``stops``: share of the nodes that stop in a round, in the middle of what they or others do. ``went``: how often the
    line did what to a post.
    """

    world: World
    messages: int
    loss: float = 0.2
    duplication: float = 0.1
    stops: float = 0.05
    rounds: int = 0
    went: Counter[Fault] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.world.seed)
        self._codes = sorted(self.world.members)

    def run(self, tell: Callable[[int, int], None] = lambda sent, settled: None) -> None:
        """Send everything and let the nodes work until all is settled; ``tell`` hears how far it is."""
        while len(self.world.notes.returned) < self.messages:
            self._send_some()
            self._work()
            tell(len(self.world.notes.returned), self.settled())
        for _ in range(_DRAINING_ROUNDS):
            if self.settled() == self.messages:
                break
            self._work()
            tell(self.messages, self.settled())
        self.world.settle()

    def settled(self) -> int:
        """How many notes have their receipt."""
        counted = "SELECT count(*) FROM exchange_outgoing WHERE payload_type = ? AND receipt IS NOT NULL"
        return sum(member.rows(counted, NOTE)[0][0] for member in self.world.members.values())

    def _send_some(self) -> None:
        for code in self._codes:
            partners = [partner for partner in self._codes if partner != code]
            for _ in range(min(NOTES_A_ROUND, self.messages - len(self.world.asked))):
                self.world.send(code, self._rng.choice(partners))
        for note in self._not_returned():
            self.world.send_again(note)

    def _not_returned(self) -> list[Asked]:
        """What an app asked for when its machine stopped: it asks again, under the same id."""
        return [note for key, note in self.world.asked.items() if key not in self.world.notes.returned]

    def _work(self) -> None:
        """A round: some machines are about to stop, every worker has its turn, those that are down start again."""
        self.rounds += 1
        for code in self._codes:
            if self._rng.random() < self.stops:
                self.world.stop(code, self._rng.randrange(LONGEST_INSTANT))
        for code in self._rng.sample(self._codes, len(self._codes)):
            self.world.post(code, self._faults())
        for code in self._codes:
            self.world.start(code)
        self.world.wait(SECONDS_A_ROUND)

    def _faults(self) -> Iterator[Fault]:
        while True:
            chance = self._rng.random()
            if chance < self.loss:
                fault = Fault.LOST if chance < self.loss / 2 else Fault.ANSWER_LOST
            else:
                fault = Fault.TWICE if chance < self.loss + self.duplication else Fault.NONE
            self.went[fault] += 1
            yield fault


@dataclass(frozen=True, slots=True)
class Tally:
    """What the nodes' books say in the end, of notes. ``doubled``: effects beyond the first of a message."""

    sent: int
    lost: int
    doubled: int
    receipts: int
    entries_out: int
    entries_in: int


def tally(world: World) -> Tally:
    """Hold the network against everything that may never happen, then count.

    Raises :class:`simulation.invariants.ForbiddenError`.
    """
    seen = Seen(world)
    seen.rest()
    effects = Counter((effect.sender, effect.message_id) for books in seen.books.values() for effect in books.effects)
    kinds = Counter(entry.kind for books in seen.books.values() for entry in books.entries)
    outbox = [row for books in seen.books.values() for row in books.outbox.values() if row["payload_type"] == NOTE]
    return Tally(
        sent=len(outbox),
        lost=len(set(world.notes.returned) - set(effects)),
        doubled=sum(effects.values()) - len(effects),
        receipts=sum(row["receipt"] is not None for row in outbox),
        entries_out=kinds[f"sent.{NOTE}"],
        entries_in=kinds[f"received.{NOTE}"],
    )
