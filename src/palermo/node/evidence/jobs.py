"""Background work of this room, registered by ``palermo.config.wiring``."""

from collections.abc import Callable
from datetime import datetime

from palermo.node.evidence import completing, signing
from palermo.node.evidence.actions import asking
from palermo.node.office.jobs import Handler

JOB_HANDLERS: dict[str, Handler] = {completing.JOB: completing.complete_job}
PERIODIC: dict[str, Callable[[datetime], object]] = {
    "evidence.silence": asking.show_silence,
    "evidence.complete": completing.complete_waiting,
    "evidence.certificates": signing.end_certificates,
}
