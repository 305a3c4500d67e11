"""Background work of this room, registered by ``palermo.config.wiring``."""

from collections.abc import Callable
from datetime import datetime

from palermo.node.evidence.actions import asking

PERIODIC: dict[str, Callable[[datetime], object]] = {"evidence.silence": asking.show_silence}
