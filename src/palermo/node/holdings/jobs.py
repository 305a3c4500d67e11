"""Background work of this room, registered by ``palermo.config.wiring``."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from palermo.node.holdings import actions
from palermo.node.office.jobs import Handler, Heartbeat


def load(payload: dict[str, Any], heartbeat: Heartbeat, now: datetime) -> None:
    """Load what an officer uploaded."""
    actions.run_queued_load(payload["load"], heartbeat, now)


JOB_HANDLERS: dict[str, Handler] = {actions.LOAD_JOB: load}
PERIODIC: dict[str, Callable[[datetime], object]] = {"holdings.retention": actions.expire_due}
