"""The post: takes what is due to each partner, has it carried the partner's way, and stores the receipts.

What must hold, whoever dies when:

- within a partner, messages go in the order of their sequence; partners never wait for each other;
- a message is settled by a verified receipt only, and a stored receipt is never overwritten;
- two workers may hand in the same parcel: it has the same effect as one (:mod:`palermo.node.exchange.leases`).
"""

import logging
import random
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

import httpx
from django.db.models import F

from palermo.node import restored
from palermo.node.directory.queries import DirectoryError
from palermo.node.exchange import leases
from palermo.node.exchange.actions.watching import expire
from palermo.node.exchange.carriers import carrier_for
from palermo.node.exchange.leases import PASS_SECONDS, backoff, release_leases
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.posting import NoReceiptError
from palermo.node.exchange.routes import NOTHING, Carrier, Load, Way, due_letters, due_messages, next_load, way_to

__all__ = ["backoff", "deliver_due", "release_leases"]

MOST_PEERS_AT_ONCE = 16  # each holds one post in memory

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    """One partner's turn. ``done``: messages and letters that are over and done with."""

    way: Way
    carrier: Carrier
    lease: str
    done: int = 0


def deliver_due(now: datetime, client: httpx.Client, *, rng: random.Random | None = None) -> int:
    """Hand in what is due at ``now``; returns how many messages and letters were settled.

    The database is used in this thread alone; only the carrying runs beside it, one thread a partner.
    """
    rng = rng or random.SystemRandom()
    if not restored.log_is_behind():
        expire(now=now)
    turns = _begin_turns(now)
    if not turns:
        return 0
    ends = time.monotonic() + PASS_SECONDS
    trips: dict[Future[list[bytes]], tuple[_Turn, Load]] = {}
    with ThreadPoolExecutor(max_workers=len(turns), thread_name_prefix="post") as pool:

        def go_on(turn: _Turn) -> None:
            load, failure = _load(turn, now) if time.monotonic() < ends else (NOTHING, "")
            if load:
                trips[pool.submit(turn.carrier.carry, client, turn.way, load.parcels)] = (turn, load)
            else:
                _end_turn(turn, now, rng, failure)

        for turn in turns:
            go_on(turn)
        while trips:
            for future in wait(trips, return_when=FIRST_COMPLETED).done:
                turn, load = trips.pop(future)
                done, failure = _conclude(turn, load, future, now)
                turn.done += done
                if failure or not done:
                    _end_turn(turn, now, rng, failure)
                else:
                    go_on(turn)
    return sum(turn.done for turn in turns)


def _load(turn: _Turn, now: datetime) -> tuple[Load, str]:
    """What goes next, each attempt counted before it is made; nothing, and why, where it cannot be sealed."""
    try:
        load = next_load(turn.way, now)
    except DirectoryError as error:
        return NOTHING, str(error)
    Outgoing.objects.filter(pk__in=load.messages).update(attempts=F("attempts") + 1)
    return load, ""


def _conclude(turn: _Turn, load: Load, future: Future[list[bytes]], now: datetime) -> tuple[int, str]:
    """Store what a trip brought: how much is done with, and "" or the sentence that says why not all."""
    try:
        return turn.carrier.conclude(turn.way, load, future.result(), now)
    except NoReceiptError as error:
        return 0, str(error)
    except Exception as error:  # a fault of our own with one partner must not stop the post to all others
        _log.exception("the post to %s failed", turn.way.partner)
        return 0, f"The post to {turn.way.partner} failed here ({error}). The log of this node says more."


def _begin_turns(now: datetime) -> list[_Turn]:
    messages = set(due_messages(now).values_list("recipient", flat=True).distinct())
    letters = set(due_letters(now).values_list("recipient", flat=True).distinct())
    if not messages and not letters:
        return []
    turns: list[_Turn] = []
    for code in leases.free_peers(now).filter(code__in=messages | letters).values_list("code", flat=True):
        way = way_to(code)
        carrier = carrier_for(way)
        if carrier is None or (way.protocol < 2 and code not in messages):
            continue
        if lease := leases.take(code, now):
            turns.append(_Turn(way, carrier, lease))
        if len(turns) == MOST_PEERS_AT_ONCE:
            break
    return turns


def _end_turn(turn: _Turn, now: datetime, rng: random.Random, failure: str = "") -> None:
    leases.give_back(turn.way.partner, turn.lease, now, rng, answered=turn.done > 0, failure=failure)
