"""Background work of this room, registered by ``palermo.config.wiring``. Every step may run twice and acts once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from palermo.node.matching import retention
from palermo.node.matching.actions import close_due_epochs, epochs, holder, querier, release_reviewed, settle
from palermo.node.matching.steps import Step
from palermo.node.office.jobs import Handler, Heartbeat
from palermo.sealing.errors import FormatError


def publish(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Publish an epoch to each of its tiers."""
    epochs.publish(payload["epoch"], heartbeat, now)


def offer(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Send a tier's manifest and filters to one partner."""
    epochs.offer(payload["epoch"], payload["tier"], payload["partner"], now)


def refuse(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Tell a partner that its run failed here."""
    holder.refuse(payload["partner"], payload["run"], payload["awaited"], now)


def of_ours(step: Callable[[str, datetime], None]) -> Handler:
    """A step of a run of ours; what can never be sent, above all for its size, ends the run instead of trying again."""

    def job(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
        try:
            step(payload["run"], now)
        except FormatError as error:
            querier.fail(payload["run"], _unsendable(error), now)

    return job


def of_a_partner(step: Callable[[str, str, datetime], None]) -> Handler:
    """A step of a partner's run, likewise."""

    def job(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
        try:
            step(payload["partner"], payload["run"], now)
        except FormatError as error:
            holder.fail(payload["partner"], payload["run"], _unsendable(error), now)

    return job


def _unsendable(error: FormatError) -> str:
    return f"A message of this run cannot be sent ({error}): ask kind by kind, or about fewer inputs."


JOB_HANDLERS: dict[str, Handler] = {
    Step.PUBLISH: publish,
    Step.OFFER: offer,
    Step.PREPARE: of_ours(querier.prepare),
    Step.EVALUATE: of_a_partner(holder.evaluate),
    Step.FINALIZE: of_ours(querier.finalize),
    Step.CONFIRM: of_a_partner(holder.confirm),
    Step.CONCLUDE: of_ours(querier.conclude),
    Step.REFUSE: refuse,
}
PERIODIC: dict[str, Callable[[datetime], object]] = {
    "matching.review": release_reviewed,
    "matching.epochs": close_due_epochs,
    "matching.settle": settle,
    "matching.retention": retention.redact_expired,
}
