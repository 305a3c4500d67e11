"""The poll: a node that nobody can reach asks its relay for its post, and any node whether a relay failed for it.

What must hold, whoever dies when: a parcel is acknowledged only after its effect and its answer are committed. What was
not acknowledged is handed out again, and gets the answer that it got before.
"""

import logging
import random
import secrets
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import collected, relay_statements
from palermo.node.exchange.collected import Brought
from palermo.node.exchange.delivery import backoff
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.posting import NoReceiptError, post
from palermo.node.exchange.relay_models import Poll
from palermo.node.exchange.relay_wire import COLLECT_PATH, COLLECTION_TYPE, MAX_COLLECTED_BYTES
from palermo.node.exchange.states import OPEN
from palermo.sealing import batch, parcel
from palermo.sealing.directory import Role
from palermo.sealing.errors import FormatError, SealingError
from palermo.sealing.ticket import Collection, Held, Index, sign_collection

PASS_SECONDS = 30.0
ASK_OTHERS = timedelta(hours=1)
"""How often a relay is asked that is not this node's own, but was handed something: it may have failed."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Turn:
    """One relay's turn. ``taken``, ``told``: what the next collection acknowledges; ``after``: see there."""

    relay: str
    url: str
    taken: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    after: str = ""
    brought: int = 0
    answered: bool = False


def poll_due(now: datetime, client: httpx.Client, *, rng: random.Random | None = None) -> int:
    """Ask every relay that is due; returns how many parcels were taken in.

    The database is used in this thread alone; only the asking runs beside it, one thread a relay.
    """
    rng = rng or random.SystemRandom()
    turns = [_Turn(code, _address(code)) for code in _due(now)]
    if not turns:
        return 0
    ends = time.monotonic() + PASS_SECONDS
    asks: dict[Future[bytes], _Turn] = {}
    with ThreadPoolExecutor(max_workers=len(turns), thread_name_prefix="poll") as pool:
        for turn in turns:
            asks[pool.submit(_ask, client, turn.url, _collection(turn, now))] = turn
        while asks:
            for future in wait(asks, return_when=FIRST_COMPLETED).done:
                turn = asks.pop(future)
                try:
                    again = _take(turn, future.result(), now)
                except (NoReceiptError, SealingError) as error:
                    _fail(turn, str(error), now, rng)
                    continue
                if again and time.monotonic() < ends:
                    asks[pool.submit(_ask, client, turn.url, _collection(turn, now))] = turn
                else:
                    _end(turn, now, rng, more=again)
    return sum(turn.brought for turn in turns)


# --- which relays, and when -----------------------------------------------------------------


def _due(now: datetime) -> list[str]:
    """The relays to ask at ``now``: this node's own, and whoever was handed something for others."""
    if directory.directory_version() == 0:
        return []
    wanted = _wanted()
    known = set(Poll.objects.values_list("relay", flat=True))
    for code in wanted - known:
        Poll.objects.get_or_create(relay=code)
    due = Poll.objects.filter(Q(next_at__isnull=True) | Q(next_at__lte=now))
    return [code for code in due.values_list("relay", flat=True) if _relays(code)]


def _wanted() -> set[str]:
    """One that was asked once goes on being asked: what was handed to a former relay may still wait there."""
    try:
        own = directory.own().relay
    except directory.UnknownAuthorityError:
        own = ""
    handed = Outgoing.objects.filter(handed_at__isnull=False, state__in=OPEN).values_list("recipient", flat=True)
    relays = {directory.relay_of(code) for code in set(handed)}
    return (relays | {own}) - {"", directory.own_code()}


def _relays(code: str) -> bool:
    try:
        row = directory.authority(code)
    except directory.UnknownAuthorityError:
        return False
    return row.is_member and Role.RELAY in row.roles and bool(row.endpoint)


def _address(code: str) -> str:
    return directory.authority(code).endpoint.rstrip("/") + COLLECT_PATH


# --- asking, and taking in ------------------------------------------------------------------


def _collection(turn: _Turn, now: datetime) -> bytes:
    asked = Collection(
        relay=turn.relay,
        member=directory.own_code(),
        at=now,
        nonce=secrets.token_hex(16),
        taken=turn.taken,
        told=turn.told,
        after=turn.after,
    )
    return sign_collection(asked, own_keys.signing_key())


def _ask(client: httpx.Client, url: str, collection: bytes) -> bytes:
    return post(client, url, collection, media_type=COLLECTION_TYPE, most_bytes=MAX_COLLECTED_BYTES)


def _take(turn: _Turn, answer: bytes, now: datetime) -> bool:
    """Note failures, take parcels in; whether to ask again. Raises ``SealingError`` for what is no answer."""
    index, failures, parcels = _read(answer)
    turn.answered = True
    turn.told = tuple(dict.fromkeys(_note(turn.relay, failures, now)))
    outcomes = collected.take_in(parcels, now=now)
    turn.taken = tuple(dict.fromkeys(outcome.digest for outcome in outcomes if outcome.settled))
    turn.brought += len(turn.taken)
    turn.after = index.parcels[-1].digest if index.parcels else ""
    return bool(turn.taken or turn.told or index.more)


def _read(answer: bytes) -> tuple[Index, list[bytes], list[Brought]]:
    part = "answer of the relay"
    items = batch.unpack(answer, part=part)
    index = Index.from_bytes(items[0] if items else b"")
    failures, parcels = items[1 : 1 + index.failures], items[1 + index.failures :]
    if index.failures < 0 or len(failures) != index.failures or len(parcels) != len(index.parcels):
        raise FormatError(part, "does not hold what its index says")
    return index, failures, [_brought(held, content) for held, content in zip(index.parcels, parcels, strict=True)]


def _brought(held: Held, content: bytes) -> Brought:
    if parcel.digest(content) != held.digest:
        raise FormatError("answer of the relay", f"the parcel {held.digest[:16]} is not the one that its index names")
    return Brought(held.sender, content)


def _note(relay: str, failures: Iterable[bytes], now: datetime) -> list[str]:
    """Keep a relay's signed failures with their messages; the digests that it need not tell again."""
    told = []
    for failure in failures:
        try:
            told.append(relay_statements.keep(relay, failure, now=now).envelope_digest)
        except SealingError as error:
            _log.warning("a statement of the relay %s is refused: %s", relay, error)
    return told


# --- how it fared ---------------------------------------------------------------------------


def _pause(relay: str, rng: random.Random) -> timedelta:
    own = directory.own().relay == relay
    return (timedelta(seconds=settings.NODE.poll_seconds) if own else ASK_OTHERS) * rng.uniform(0.5, 1.0)


@transaction.atomic
def _end(turn: _Turn, now: datetime, rng: random.Random, *, more: bool) -> None:
    next_at = None if more else now + _pause(turn.relay, rng)
    values = {"failures": 0, "last_error": "", "answered_at": now, "next_at": next_at}
    Poll.objects.filter(relay=turn.relay).update(**values)


@transaction.atomic
def _fail(turn: _Turn, sentence: str, now: datetime, rng: random.Random) -> None:
    row = Poll.objects.select_for_update().get(relay=turn.relay)
    row.failures += 1
    row.last_error = "".join(character if character.isprintable() else " " for character in sentence)[:1000]
    row.next_at = now + backoff(row.failures, rng)
    if turn.answered:
        row.answered_at = now
    row.save()
