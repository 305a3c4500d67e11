"""Background work of this room, registered by ``palermo.config.wiring``. Every step may run twice and acts once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from palermo.node.matching.actions import close_due_epochs, epochs, holder, querier, release_reviewed, settle
from palermo.node.matching.steps import Step
from palermo.node.office.jobs import Handler, Heartbeat


def publish(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Publish an epoch to each of its tiers."""
    epochs.publish(payload["epoch"], heartbeat, now)


def offer(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Send a tier's manifest and filters to one partner."""
    epochs.offer(payload["epoch"], payload["tier"], payload["partner"], now)


def prepare(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Step 1 of a run of ours."""
    querier.prepare(payload["run"], now)


def finalize(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Steps 3 and 4 of a run of ours."""
    querier.finalize(payload["run"], now)


def conclude(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Step 6 of a run of ours."""
    querier.conclude(payload["run"], now)


def evaluate(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Step 2 of a partner's run."""
    holder.evaluate(payload["partner"], payload["run"], now)


def confirm(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Step 5 of a partner's run."""
    holder.confirm(payload["partner"], payload["run"], now)


def refuse(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Tell a partner that its run failed here."""
    holder.refuse(payload["partner"], payload["run"], payload["awaited"], now)


JOB_HANDLERS: dict[str, Handler] = {
    Step.PUBLISH: publish,
    Step.OFFER: offer,
    Step.PREPARE: prepare,
    Step.EVALUATE: evaluate,
    Step.FINALIZE: finalize,
    Step.CONFIRM: confirm,
    Step.CONCLUDE: conclude,
    Step.REFUSE: refuse,
}
PERIODIC: dict[str, Callable[[datetime], object]] = {
    "matching.review": release_reviewed,
    "matching.epochs": close_due_epochs,
    "matching.settle": settle,
}
