"""A look at a world: every node's books, and what went over the wire, held against what may never happen."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from palermo.sealing import batch, dsse
from palermo.sealing.errors import SealingError
from palermo.sealing.receipt import Receipt, parse_receipt, verify_receipt
from simulation.books import Books
from simulation.world import World

Invariant = Callable[["Seen"], Iterator[str]]
ALWAYS: dict[str, Invariant] = {}
AT_REST: dict[str, Invariant] = {}


class ForbiddenError(AssertionError):
    """Something happened that may never happen. ``invariant``: the name of what was broken first."""

    def __init__(self, invariant: str, cases: list[str]) -> None:
        super().__init__(f"{invariant.replace('_', ' ')}: " + "; ".join(cases[:5]))
        self.invariant = invariant


@dataclass
class Seen:
    """The world, every node's books, and the receipts that went over the wire since the last look."""

    world: World
    books: dict[str, Books] = field(init=False)
    told: dict[str, Receipt] = field(default_factory=dict)
    looked: int = 0
    _verified: dict[tuple[str, bytes], Receipt | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books = {code: Books(member) for code, member in self.world.members.items()}

    def look(self) -> None:
        """Read everything, and hold it against what may never happen."""
        changed = [books.read() for books in self.books.values()]
        if any(changed) or self.looked < len(self.world.network.seen):
            self._listen()
            _hold(ALWAYS, self)

    def rest(self) -> None:
        """The same, and what must be so when all is healed and done."""
        self.look()
        _hold(AT_REST, self)

    def _listen(self) -> None:
        """Receipts on the wire, as they left their signer: also those that the line then lost."""
        for post in self.world.network.seen[self.looked :]:
            self.told |= {receipt.envelope_digest: receipt for receipt in receipts_in(post.answer or b"")}
        self.looked = len(self.world.network.seen)

    def verified(self, signer: str, data: bytes) -> Receipt | None:
        """A receipt as an outsider verifies it, under the signer's true key; None if it does not hold."""
        if (signer, data) not in self._verified:
            try:
                found = verify_receipt(data, dsse.by_id(self.world.members[signer].signing_key.public))
            except SealingError:
                found = None
            self._verified[signer, data] = found
        return self._verified[signer, data]


def receipts_in(answer: bytes) -> Iterator[Receipt]:
    """The receipts that an answer carries, alone or in a batch."""
    try:
        parts = batch.unpack(answer)
    except SealingError:
        parts = [answer]
    for part in parts:
        with suppress(SealingError):
            yield parse_receipt(part)


def always(invariant: Invariant) -> Invariant:
    """Held after every step."""
    ALWAYS[invariant.__name__] = invariant
    return invariant


def at_rest(invariant: Invariant) -> Invariant:
    """Held when the world is healed and has come to rest."""
    AT_REST[invariant.__name__] = invariant
    return invariant


def _hold(invariants: dict[str, Invariant], seen: Seen) -> None:
    for name, invariant in invariants.items():
        if cases := list(invariant(seen)):
            raise ForbiddenError(name, cases)
