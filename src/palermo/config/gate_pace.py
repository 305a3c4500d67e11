"""How fast one address may go on asking: so much at once, and so much a second after that."""

from collections import OrderedDict
from collections.abc import Hashable


class Pace:
    """A bucket of units for each key, as in the generic cell rate algorithm: one number a key, the instant it is even.

    ``rate``: units a second. ``burst``: units that a key which has rested may use at once. ``most_keys``: more are not
    remembered; the longest known goes first, so that a flood from many addresses costs no memory.
    """

    def __init__(self, rate: float, burst: float, most_keys: int) -> None:
        self._rate, self._burst, self._most_keys = rate, burst, most_keys
        self._even_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._even_at)

    def wait(self, key: Hashable, now: float) -> float:
        """Seconds until this key may ask again; 0.0 when it may ask now."""
        return max(0.0, self._even_at.get(key, now) - now - self._burst / self._rate)

    def charge(self, key: Hashable, units: float, now: float) -> None:
        """Take units from its bucket. More than were left delays what comes next."""
        self._even_at[key] = max(self._even_at.get(key, now), now) + units / self._rate
        self._even_at.move_to_end(key)
        if len(self._even_at) > self._most_keys:
            self._forget(now)

    def _forget(self, now: float) -> None:
        for key in [key for key, even_at in self._even_at.items() if even_at <= now]:
            del self._even_at[key]  # a full bucket needs no memory
        while len(self._even_at) > self._most_keys:
            self._even_at.popitem(last=False)
