"""Which way mail goes to a partner, and what a way must be able to do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import httpx
from django.db.models import Q, QuerySet

from palermo.node import restored
from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.lettering import seal_queued
from palermo.node.exchange.models import Outgoing, QueuedLetter
from palermo.node.exchange.states import OPEN, Outbox

BATCH_BYTES = 4 * 2**20
"""What goes out in one post, but for a single message that is larger. It is small, so that nobody waits for a batch."""

MOST_MESSAGES = 100
MOST_LETTERS = 20
KEEP_ASKING = timedelta(days=30)
HANDED_PATIENCE = timedelta(hours=6)
"""After that long without a receipt, what a relay or a courier took is handed in once more: it does no harm."""


class Route(StrEnum):
    """How mail reaches a partner."""

    DIRECT = "direct"
    RELAY = "relay"
    COURIER = "courier"


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one partner, as the directory in force says. ``protocol`` 0: it is not listed any more.

    ``url``: of the partner's node, or of the relay's.
    """

    partner: str
    route: Route
    protocol: int
    url: str = ""
    relay: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """What goes to one partner in one post, oldest message first: primary keys, letters' ids, and the sealed bytes.

    ``parcels``: those of the messages, then those of the letters.
    """

    messages: tuple[int, ...]
    letters: tuple[str, ...]
    parcels: tuple[bytes, ...]

    def __bool__(self) -> bool:
        """Whether there is anything to carry."""
        return bool(self.parcels)


NOTHING = Load((), (), ())


class Carrier(Protocol):
    """Takes a load one way."""

    def carry(self, client: httpx.Client, way: Way, parcels: tuple[bytes, ...]) -> list[bytes]:
        """Hand the parcels in, in a thread that has no database; what came back. Raises ``NoReceiptError``."""

    def conclude(self, way: Way, load: Load, brought: list[bytes], now: datetime) -> tuple[int, str]:
        """Store what came back. Returns how much is done with, and "" or a sentence on what is not."""


def way_to(code: str) -> Way:
    """The way to a partner."""
    try:
        entry = directory.authority(code)
    except directory.UnknownAuthorityError:
        return Way(code, Route.DIRECT, 0)
    if entry.endpoint:
        return Way(code, Route.DIRECT, entry.protocol, url=entry.endpoint.rstrip("/"))
    if entry.relay:
        url = directory.authority(entry.relay).endpoint.rstrip("/")
        return Way(code, Route.RELAY, entry.protocol, url=url, relay=entry.relay)
    return Way(code, Route.COURIER, entry.protocol)


def due_messages(now: datetime) -> QuerySet[Outgoing]:
    """Messages without a receipt that are to be handed in at ``now``."""
    if restored.log_is_behind():
        return Outgoing.objects.none()
    given_up = Q(state=Outbox.UNKNOWN, not_after__lte=now - KEEP_ASKING)
    return Outgoing.objects.filter(_not_handed(now), state__in=OPEN).exclude(given_up)


def due_letters(now: datetime) -> QuerySet[QueuedLetter]:
    """Letters that are to be handed in at ``now``."""
    return QueuedLetter.objects.filter(_not_handed(now), not_after__gt=now)


def _not_handed(now: datetime) -> Q:
    return Q(handed_at__isnull=True) | Q(handed_at__lte=now - HANDED_PATIENCE)


def next_load(way: Way, now: datetime) -> Load:
    """What is due to a partner, as much as one post takes. Raises ``DirectoryError`` where a letter has no key."""
    batches = way.protocol >= 2
    found = list(
        due_messages(now)
        .filter(recipient=way.partner)
        .order_by("sequence")
        .values_list("pk", "size")[: MOST_MESSAGES if batches else 1]
    )
    keys: list[int] = []
    room = BATCH_BYTES
    for key, size in found:
        if keys and size > room:
            break
        keys.append(key)
        room -= size
    envelopes = dict(Outgoing.objects.filter(pk__in=keys).values_list("pk", "envelope"))
    parcels = tuple(bytes(envelopes[key]) for key in keys)
    letters = _letters(way, now, room) if batches else []
    sealed = tuple(seal_queued(letters, now))
    return Load(tuple(keys), tuple(row.letter_id for row in letters), parcels + sealed)


def _letters(way: Way, now: datetime, room: int) -> list[QueuedLetter]:
    chosen: list[QueuedLetter] = []
    for row in due_letters(now).filter(recipient=way.partner).order_by("pk")[:MOST_LETTERS]:
        room -= len(row.body)
        if chosen and room < 0:
            break
        chosen.append(row)
    return chosen
