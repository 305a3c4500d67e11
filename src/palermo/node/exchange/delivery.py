"""The post: takes each partner's due messages, hands them in by HTTP in order, and stores the receipts.

What must hold, whoever dies when:

- within a partner, messages are posted in the order of their sequence; partners never wait for each other;
- a message is settled by a verified receipt only, and a stored receipt is never overwritten;
- a lease keeps two workers off the same partner. It is a courtesy, not a lock: posting twice is harmless, because the
  recipient answers a repeated envelope with the receipt that it gave before.
"""

import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
from django.db import transaction
from django.db.models import F, Q, QuerySet

from palermo.node.directory import queries as directory
from palermo.node.exchange.actions.settling import expire, settle
from palermo.node.exchange.models import Outgoing, Peer
from palermo.node.exchange.states import OPEN, Outbox
from palermo.node.exchange.wire import ENVELOPE_TYPE, MAX_RECEIPT_BYTES, PATH
from palermo.sealing.errors import SealingError

POST_SECONDS = 60.0  # for the whole of one post: the largest envelope needs a line of 1.1 MB/s
PASS_SECONDS = 30.0
CHUNK_BYTES = 2**16
LEASE = timedelta(seconds=POST_SECONDS + PASS_SECONDS + 30)
TIMEOUT = httpx.Timeout(connect=5.0, read=30.0, write=30.0, pool=5.0)
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
KEEP_ASKING = timedelta(days=30)
MOST_PEERS_AT_ONCE = 16  # each holds one envelope in memory
MOST_MESSAGES_A_PASS = 100

_HEADERS = {"Content-Type": ENVELOPE_TYPE, "Accept-Encoding": "identity"}
_log = logging.getLogger(__name__)


class NoReceiptError(Exception):
    """A post that brought no receipt; the sentence is kept for the administrator."""


@dataclass(slots=True)
class _Round:
    """One partner's turn: the primary keys of what is due, in order."""

    peer: str
    lease: str
    url: str
    due: Iterator[int]
    settled: int = 0


def backoff(failures: int, rng: random.Random) -> timedelta:
    """How long to leave a partner alone after ``failures`` in a row: doubling, capped, with jitter of up to a half."""
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 20))
    return timedelta(seconds=longest * rng.uniform(0.5, 1.0))


def release_leases() -> None:
    """At the start of the node's only worker: a killed worker's leases end at once, not after :data:`LEASE`."""
    Peer.objects.exclude(lease="").update(lease="", leased_until=None)


def deliver_due(now: datetime, client: httpx.Client, *, rng: random.Random | None = None) -> int:
    """Post what is due at ``now`` and return how many messages were settled by a receipt.

    The database is used in this thread alone; only the posting runs beside it, one thread a partner.
    """
    rng = rng or random.SystemRandom()
    expire(now=now)
    rounds = _begin_rounds(now)
    if not rounds:
        return 0
    ends = time.monotonic() + PASS_SECONDS
    posts: dict[Future[bytes], tuple[_Round, int]] = {}
    with ThreadPoolExecutor(max_workers=len(rounds), thread_name_prefix="post") as pool:

        def post_next(turn: _Round) -> None:
            message = next(turn.due, None) if time.monotonic() < ends else None
            if message is None:
                _end_round(turn, now, rng)
            else:
                posts[pool.submit(_post, client, turn.url, _envelope(message))] = (turn, message)

        for turn in rounds:
            post_next(turn)
        while posts:
            for future in wait(posts, return_when=FIRST_COMPLETED).done:
                turn, message = posts.pop(future)
                if failure := _conclude(future, message, now):
                    _end_round(turn, now, rng, failure)
                else:
                    turn.settled += 1
                    post_next(turn)
    return sum(turn.settled for turn in rounds)


def _conclude(future: Future[bytes], message: int, now: datetime) -> str:
    """Store what a post brought; "" if it was a good receipt, else the sentence that says why not."""
    try:
        settle(message, future.result(), now=now)
    except NoReceiptError as error:
        return str(error)
    except SealingError as error:
        return f"The answer is not a receipt of this partner for this message ({error})."
    except Exception as error:  # an app's own fault in acting on it must not stop the post to all others
        _log.exception("settling message %d failed", message)
        return f"The answer could not be acted on here ({error}). The log of this node says more."
    return ""


def _begin_rounds(now: datetime) -> list[_Round]:
    due = _due_messages(now)
    peers = _free_peers(now).filter(code__in=due.values("recipient"))
    longest_unheard = peers.order_by(F("answered_at").asc(nulls_first=True), "code").values_list("code", flat=True)
    rounds = []
    for code in list(longest_unheard[:MOST_PEERS_AT_ONCE]):
        lease = _take_lease(code, now)
        if lease is None:
            continue
        keys = list(due.filter(recipient=code).order_by("sequence").values_list("pk", flat=True)[:MOST_MESSAGES_A_PASS])
        try:
            url = directory.authority(code).endpoint.rstrip("/") + PATH
        except directory.UnknownAuthorityError:
            url = ""
        rounds.append(_Round(code, lease, url, iter(keys)))
    return rounds


def _due_messages(now: datetime) -> QuerySet[Outgoing]:
    given_up = Q(state=Outbox.UNKNOWN, not_after__lte=now - KEEP_ASKING)
    return Outgoing.objects.filter(state__in=OPEN).exclude(given_up)


def _free_peers(now: datetime) -> QuerySet[Peer]:
    """Partners that no other worker has leased and that need not be left alone any longer."""
    not_leased = Q(leased_until__isnull=True) | Q(leased_until__lte=now)
    not_paused = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)
    return Peer.objects.filter(not_leased, not_paused)


@transaction.atomic
def _take_lease(code: str, now: datetime) -> str | None:
    """Lease a partner, unless it is no longer free."""
    peer = _free_peers(now).select_for_update().filter(code=code).first()
    if peer is None:
        return None
    peer.lease, peer.leased_until = uuid4().hex, now + LEASE
    peer.save(update_fields=["lease", "leased_until"])
    return peer.lease


@transaction.atomic
def _end_round(turn: _Round, now: datetime, rng: random.Random, failure: str = "") -> None:
    """Give the lease back; after a failure leave the partner alone for a while."""
    peer = Peer.objects.select_for_update().filter(code=turn.peer, lease=turn.lease).first()
    if peer is None:
        return
    peer.lease, peer.leased_until = "", None
    if turn.settled:
        peer.failures, peer.next_attempt_at, peer.last_error, peer.answered_at = 0, None, "", now
    if failure:
        peer.failures, peer.last_error = peer.failures + 1, _printable(failure)[:1000]
        peer.next_attempt_at = now + backoff(peer.failures, rng)
    peer.save()


def _printable(said: str) -> str:
    """What a partner's machine said, without what a database or a terminal could choke on."""
    return "".join(character if character.isprintable() else " " for character in said)


def _envelope(message: int) -> bytes:
    """The bytes to post; counts the attempt before it is made."""
    Outgoing.objects.filter(pk=message).update(attempts=F("attempts") + 1)
    return bytes(Outgoing.objects.values_list("envelope", flat=True).get(pk=message))


def _post(client: httpx.Client, url: str, envelope: bytes) -> bytes:
    """Hand in one envelope and return the answer's body. Raises :class:`NoReceiptError`."""
    if not url:
        raise NoReceiptError("The directory in force does not list this partner. Import the newest directory.")
    ends = time.monotonic() + POST_SECONDS
    headers = {**_HEADERS, "Content-Length": str(len(envelope))}
    try:
        with client.stream("POST", url, content=_paced(envelope, ends), headers=headers, timeout=TIMEOUT) as answer:
            body = _bounded_body(answer, ends)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoReceiptError(f"No answer from {url}: {error or type(error).__name__}.") from error
    if answer.status_code != httpx.codes.OK:
        said = body[:300].decode("utf-8", "replace").strip()
        raise NoReceiptError(f"{url} answered {answer.status_code}: {said}")
    return body


def _paced(envelope: bytes, ends: float) -> Iterator[bytes]:
    """The envelope in pieces, so that a partner which reads a byte at a time does not hold the line for ever."""
    for start in range(0, len(envelope), CHUNK_BYTES):
        if time.monotonic() > ends:
            raise NoReceiptError(f"The envelope could not be handed in within {POST_SECONDS:.0f} seconds.")
        yield envelope[start : start + CHUNK_BYTES]


def _bounded_body(answer: httpx.Response, ends: float) -> bytes:
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise NoReceiptError("The answer is compressed, which was not asked for: it could be larger than it looks.")
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_RECEIPT_BYTES:
            raise NoReceiptError(f"The answer is longer than a receipt can be ({MAX_RECEIPT_BYTES} bytes).")
        if time.monotonic() > ends:
            raise NoReceiptError(f"The answer took longer than {POST_SECONDS:.0f} seconds.")
    return bytes(body)
