"""Background jobs that survive a kill: the row is the truth, a worker only takes a lease on it.

A handler runs outside a transaction and *at least once*: if the worker dies after the handler's own commit and before
the job is marked done, it runs again when the lease ends. Handlers are therefore idempotent.
"""

import logging
import os
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from palermo.node.office.models import Job

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 8

Heartbeat = Callable[[float], None]
Handler = Callable[[dict[str, Any], Heartbeat, datetime], None]

_handlers: dict[str, Handler] = {}
_log = logging.getLogger(__name__)


class GiveUpError(Exception):
    """A handler's word that trying again is no use; the sentence is shown to a person."""


def register(kind: str, handler: Handler) -> None:
    """Say who does the work of a kind."""
    _handlers[kind] = handler


def enqueue(kind: str, key: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Queue work inside the caller's transaction; the same key twice is one job."""
    Job.objects.get_or_create(key=key, defaults={"kind": kind, "payload": payload, "created_at": now, "due_at": now})


@transaction.atomic
def retry(key: str, *, now: datetime) -> None:
    """Let a failed job run again."""
    Job.objects.filter(key=key, state=Job.State.FAILED).update(
        state=Job.State.QUEUED, attempts=0, due_at=now, last_error="", lease_until=None
    )


@transaction.atomic
def _take(now: datetime) -> Job | None:
    due = Job.objects.select_for_update(skip_locked=False).filter(kind__in=list(_handlers))
    job = (
        due.filter(state=Job.State.QUEUED, due_at__lte=now).order_by("due_at", "pk").first()
        or due.filter(state=Job.State.RUNNING, lease_until__lt=now).order_by("pk").first()
    )
    if job is None:
        return None
    job.state, job.lease_until, job.attempts = Job.State.RUNNING, now + LEASE, job.attempts + 1
    job.save(update_fields=["state", "lease_until", "attempts"])
    return job


def _heartbeat(job: Job) -> Heartbeat:
    def beat(progress: float) -> None:
        Job.objects.filter(pk=job.pk).update(progress=min(max(progress, 0.0), 1.0), lease_until=timezone.now() + LEASE)

    return beat


def _failed(job: Job, error: Exception, now: datetime) -> None:
    job.last_error = "".join(traceback.format_exception_only(error)).strip()[:2000]
    if isinstance(error, GiveUpError) or job.attempts >= MOST_ATTEMPTS:
        job.state, job.finished_at = Job.State.FAILED, now
    else:
        job.state, job.due_at = Job.State.QUEUED, now + timedelta(seconds=min(2**job.attempts, 300))
    job.lease_until = None
    job.save(update_fields=["state", "due_at", "last_error", "lease_until", "finished_at"])


def release_leases() -> None:
    """At the start of the node's only worker: what a killed one left running is due at once, not after its lease."""
    Job.objects.filter(state=Job.State.RUNNING).update(state=Job.State.QUEUED, lease_until=None)


def run_one(now: datetime) -> bool:
    """Run one due job; False when none is due."""
    job = _take(now)
    if job is None:
        return False
    try:
        _handlers[job.kind](job.payload, _heartbeat(job), now)
    except Exception as error:
        _log.exception("job %s (%s) in process %d failed", job.key, job.kind, os.getpid())
        _failed(job, error, now)
    else:
        Job.objects.filter(pk=job.pk).update(
            state=Job.State.DONE, progress=1.0, lease_until=None, finished_at=now, last_error=""
        )
    return True


def run_due(now: datetime) -> int:
    """Run every job that is due; returns how many ran."""
    ran = 0
    while run_one(now):
        ran += 1
    return ran
