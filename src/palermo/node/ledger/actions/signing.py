"""Checkpoints: at fixed intervals, and each after padding, so that they tell little about how much is disclosed.

The log is signed when its interval ends, whether or not anything was entered, and by nothing else than the clock. Since
the checkpoint before it has then grown by 8 entries, or by 16, 32, 64 … where more was entered: padding fills it up. So
whoever sees checkpoints, or the leaf hashes between them, learns that the node was running and, of a busy interval, the
power of two below which the number of its entries lies. An officer may have the log signed at once: that is padded too,
and shows that somebody wished it.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet

from palermo.node.directory import own_keys
from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions.appending import hold, pad, require_whole
from palermo.node.ledger.models import Checkpoint, Log
from palermo.sealing.checkpoint import sign_checkpoint

LEAST_GROWTH = 8


def growth(entered: int) -> int:
    """By how many entries the log grows between two checkpoints, where that many were entered: 8, 16, 32, 64 …"""
    return max(LEAST_GROWTH, 1 << (entered - 1).bit_length())


def interval() -> timedelta:
    """The time between two checkpoints, from ``node.toml``."""
    return timedelta(seconds=settings.NODE.checkpoint_seconds)


@transaction.atomic
def close_interval(*, now: datetime) -> str | None:
    """Pad and sign the log if its interval has ended; the signed text, or None while it runs.

    Intervals end at whole multiples since 1970, so nothing follows from when a node was started. A node that was off
    signs once when it is back.
    """
    due = Log.objects.filter(pk=1).values_list("due_at", flat=True).first()
    if due is not None and now < due <= now + interval():
        return None
    log = hold()
    if log.due_at != due:
        return None  # another process closed it meanwhile
    text = _pad_and_sign(log, now)
    epoch, length = datetime(1970, 1, 1, tzinfo=UTC), interval()
    log.due_at = epoch + ((now - epoch) // length + 1) * length
    log.save(update_fields=["due_at"])
    return text


@transaction.atomic
def checkpoint(*, now: datetime) -> str:
    """Pad and sign the log now, for what cannot wait, and return the signed text (C2SP tlog-checkpoint).

    A log to which nothing was added since its newest checkpoint is not signed again.
    """
    log, newest = hold(), _newest()
    return newest.text if newest and newest.size == log.length else _pad_and_sign(log, now)


@transaction.atomic
def current_checkpoint(*, now: datetime) -> str:
    """The newest signed checkpoint, as an envelope carries it; before the first, that of the empty log."""
    newest = _newest()
    return newest.text if newest else sign(0, now)


def sign(size: int, now: datetime) -> str:
    """Sign the first ``size`` entries of the log in use, once a size."""
    log = logs.own()
    origin = log.origin
    stored = Checkpoint.objects.filter(origin=origin, size=size).first()
    if stored is None:
        root = tree.own(log.number).root(size)
        text = sign_checkpoint(origin, size, root, own_keys.signing_key())
        stored = Checkpoint.objects.create(origin=origin, size=size, root=root, text=text, signed_at=now)
    return stored.text


def _pad_and_sign(log: Log, now: datetime) -> str:
    require_whole()
    signed: int = _signed().aggregate(largest=Max("size"))["largest"] or 0
    entered = log.length - signed
    pad(log, growth(entered) - entered, now)
    return sign(log.length, now)


def _newest() -> Checkpoint | None:
    return _signed().order_by("-size").first()


def _signed() -> QuerySet[Checkpoint]:
    return Checkpoint.objects.filter(origin=logs.own().origin)
