"""Limits: a person is warned before a step's time is over, and when it is over this node states so, signed."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction

from palermo.node.exchange import handlers
from palermo.node.exchange.actions.stating import move, state_own, tell
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.rows import outgoing_row
from palermo.node.exchange.stages import RELAY_WITHIN, RETRIEVE_WITHIN
from palermo.node.exchange.states import MOVES, Outbox
from palermo.node.ledger import actions as ledger
from palermo.sealing.stage import Stage


def warn(*, now: datetime) -> int:
    """Put before a person every message whose present step is about to run out of time; returns how many."""
    due = Outgoing.objects.filter(warn_at__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(_warn(key, now) for key in list(due))


@transaction.atomic
def _warn(key: int, now: datetime) -> bool:
    row = Outgoing.objects.defer("envelope").select_for_update().get(pk=key)
    if row.warn_at is None or row.warn_at > now:
        return False
    if row.stage == Stage.DELIVERED:
        tell(
            row,
            "unread",
            f"{row.recipient} has a message of ours, but no officer there has opened it.",
            now,
            row.limit_at,
        )
    else:
        tell(row, "late", f"A message to {row.recipient} has not arrived, and its time runs out.", now, row.limit_at)
    row.warn_at = None
    row.save(update_fields=["warn_at"])
    return True


def expire(*, now: datetime) -> int:
    """End every step whose time has run out; returns how many messages that concerned."""
    due = Outgoing.objects.filter(limit_at__lte=now).order_by("pk").values_list("pk", flat=True)
    return sum(_expire(key, now) for key in list(due))


@transaction.atomic
def _expire(key: int, now: datetime) -> bool:
    ledger.hold()
    row = Outgoing.objects.defer("envelope").select_for_update().get(pk=key)
    if row.limit_at is None or row.limit_at > now:
        return False
    if row.stage == Stage.DELIVERED:
        _not_retrieved(row, now)
    elif now < row.not_after:
        _not_relayed(row, now)
    else:
        _not_delivered(row, now)
    row.save(update_fields=["state", "stage", "warn_at", "limit_at"])
    return True


def _not_relayed(row: Outgoing, now: datetime) -> None:
    """No relay took it in time: it goes on trying until the message's own end."""
    reason = f"No relay said within {RELAY_WITHIN.days} day that it holds this message."
    state_own(row, Stage.RELAY_FAILED, now, reason)
    move(row, Stage.RELAY_FAILED, now)
    tell(row, "relay-failed", f"A message to {row.recipient} reached no relay yet. It can go by courier.", now)


def _not_delivered(row: Outgoing, now: datetime) -> None:
    if Outbox.UNKNOWN not in MOVES[Outbox(row.state)]:
        raise ValueError(f"a message cannot become unknown after it was {row.state}")
    row.state = Outbox.UNKNOWN
    state_own(row, Stage.NOT_DELIVERED, now, f"No receipt of {row.recipient} came before the message's end.")
    move(row, Stage.NOT_DELIVERED, now)
    tell(
        row, row.state, f"No receipt from {row.recipient} in time: a message of ours may or may not have arrived.", now
    )
    handler = handlers.registered(row.payload_type)
    if handler is not None and handler.undelivered is not None:
        handler.undelivered(outgoing_row(row), now=now)


def _not_retrieved(row: Outgoing, now: datetime) -> None:
    reason = f"No officer of {row.recipient} opened it within {RETRIEVE_WITHIN.days} days of its delivery."
    state_own(row, Stage.NOT_RETRIEVED, now, reason)
    move(row, Stage.NOT_RETRIEVED, now)
    tell(
        row,
        "not-retrieved",
        f"{row.recipient} has a message of ours that nobody there opened. Ask its contact point.",
        now,
    )


PERIODIC: Mapping[str, Callable[[datetime], object]] = {"exchange.warn": lambda now: warn(now=now)}
