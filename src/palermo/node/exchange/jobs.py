"""What the node's worker does for the exchange on every turn of its clock."""

from datetime import datetime
from functools import cache

import httpx

from palermo.node.exchange import delivery


@cache
def _client() -> httpx.Client:
    """One connection pool a process. No proxy, no redirect: partners are where the directory says."""
    return httpx.Client(follow_redirects=False, trust_env=False)


@cache
def _begin() -> None:
    """Once, on the first turn of this process: the worker before this one is dead, and so are its leases."""
    delivery.release_leases()


def deliver(now: datetime) -> int:
    """Post what is due; returns how many messages were settled."""
    _begin()
    return delivery.deliver_due(now, _client())


PERIODIC = {"exchange.deliver": deliver}
