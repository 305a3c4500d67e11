"""Whose turn a partner is, and how long it is left alone.

A lease keeps two workers off the same partner. It is a courtesy, not a lock: handing in twice is harmless, because the
recipient answers a repeated parcel with the answer that it gave before.
"""

import random
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet

from palermo.node.exchange.models import Peer
from palermo.node.exchange.posting import POST_SECONDS

PASS_SECONDS = 30.0
LEASE = timedelta(seconds=POST_SECONDS + PASS_SECONDS + 30)
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0


def backoff(failures: int, rng: random.Random) -> timedelta:
    """How long to leave a partner alone after ``failures`` in a row: doubling, capped, with jitter of up to a half."""
    longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 20))
    return timedelta(seconds=longest * rng.uniform(0.5, 1.0))


def release_leases() -> None:
    """At the start of the node's only worker: a killed worker's leases end at once, not after :data:`LEASE`."""
    Peer.objects.exclude(lease="").update(lease="", leased_until=None)


def free_peers(now: datetime) -> QuerySet[Peer]:
    """Partners that no other worker has leased and that need not be left alone; who was not heard longest, first.

    An end further off than any that is ever set was set while this node's clock ran ahead: it does not count.
    """
    latest = now + timedelta(seconds=LONGEST_WAIT_SECONDS)
    not_leased = Q(leased_until__isnull=True) | Q(leased_until__lte=now) | Q(leased_until__gt=now + LEASE)
    not_paused = Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=latest)
    free = Peer.objects.filter(not_leased, not_paused)
    return free.order_by(F("answered_at").asc(nulls_first=True), "code")


@transaction.atomic
def take(code: str, now: datetime) -> str | None:
    """Lease a partner; None if it is no longer free."""
    peer = free_peers(now).select_for_update().filter(code=code).first()
    if peer is None:
        return None
    peer.lease, peer.leased_until = uuid4().hex, now + LEASE
    peer.save(update_fields=["lease", "leased_until"])
    return peer.lease


@transaction.atomic
def give_back(code: str, lease: str, now: datetime, rng: random.Random, *, answered: bool, failure: str = "") -> None:
    """End a lease; after a failure leave the partner alone for a while. ``failure``: a sentence for a person."""
    peer = Peer.objects.select_for_update().filter(code=code, lease=lease).first()
    if peer is None:
        return
    peer.lease, peer.leased_until = "", None
    if answered:
        peer.failures, peer.next_attempt_at, peer.last_error, peer.answered_at = 0, None, "", now
    if failure:
        peer.failures, peer.last_error = peer.failures + 1, _printable(failure)[:1000]
        peer.next_attempt_at = now + backoff(peer.failures, rng)
    peer.save()


def _printable(said: str) -> str:
    """What a partner's machine said, without what a database or a terminal could choke on."""
    return "".join(character if character.isprintable() else " " for character in said)
