"""Background work of this room, registered by ``palermo.config.wiring``. Every step may run twice and acts once."""

from collections.abc import Callable
from datetime import datetime

from palermo.node.evidence import completing, signing
from palermo.node.evidence.actions import asking, recalling, retaining, returning
from palermo.node.office.jobs import Handler

JOB_HANDLERS: dict[str, Handler] = {
    completing.JOB: completing.complete_job,
    returning.PASS_ON_JOB: returning.pass_on,
    returning.DESTROY_JOB: returning.destroy,
    recalling.FORWARD_JOB: returning.forward,
    retaining.DESTROY_JOB: retaining.destroy,
}


def show_silence(now: datetime) -> None:
    """Questions and recalls that nobody answered in time."""
    asking.show_silence(now)
    recalling.show_silence(now)


PERIODIC: dict[str, Callable[[datetime], object]] = {
    "evidence.silence": show_silence,
    "evidence.complete": completing.complete_waiting,
    "evidence.certificates": signing.end_certificates,
    "evidence.retention": retaining.end_retention,
    "evidence.proofs": returning.prove_statements,
}
