"""Background work of this room, registered by ``palermo.config.wiring``."""

from collections.abc import Callable
from datetime import datetime

from palermo.node.cases import retention

PERIODIC: dict[str, Callable[[datetime], object]] = {"cases.retention": retention.redact_expired}
