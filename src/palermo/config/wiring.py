"""Connects each app's handlers to the exchange, the job loop and the clock.

An app exports plain tables: ``handlers.EXCHANGE_HANDLERS`` (payload type -> effect of a received message),
``handlers.EVIDENCE_ERASERS`` (room -> how it erases its copy of a package that has to be destroyed),
``jobs.JOB_HANDLERS`` (kind -> work) and ``jobs.PERIODIC`` (name -> what is to be done again and again).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from palermo.node.evidence import copies
from palermo.node.exchange import (
    carriers,
    collected,
    handlers,
    letters,
    new_logs,
    recovery,
    relay,
    renewal,
    witnessing,
)
from palermo.node.exchange.actions import opening, watching
from palermo.node.exchange.files import working as files
from palermo.node.exchange.relay_carrier import RelayCarrier
from palermo.node.exchange.routes import Route
from palermo.node.office import jobs

_APPS = ("holdings", "cases", "matching", "evidence", "requests")

Periodic = Callable[[datetime], object]


def _table(app: str, module: str, name: str) -> Mapping[str, Any]:
    package = import_module(f"palermo.node.{app}")
    if find_spec(f"{package.__name__}.{module}") is None:
        return {}
    table: Mapping[str, Any] = getattr(import_module(f"{package.__name__}.{module}"), name, {})
    return table


def connect() -> None:
    """Register every app's handlers; call once a process, after Django is set up. Calling again changes nothing."""
    carriers.register(Route.RELAY, 2, RelayCarrier())
    for payload_type, effect in renewal.EXCHANGE_HANDLERS.items():
        handlers.register(payload_type, effect)
    of_exchange = (collected, files, new_logs, opening, recovery, witnessing)
    for letter_handlers in (module.LETTER_HANDLERS for module in of_exchange):
        for kind, letter_handler in letter_handlers.items():
            letters.register(kind, letter_handler)
    for app in _APPS:
        for payload_type, handler in _table(app, "handlers", "EXCHANGE_HANDLERS").items():
            handlers.register(payload_type, handler)
        for room, eraser in _table(app, "handlers", "EVIDENCE_ERASERS").items():
            copies.register(room, eraser)
        for kind, job in _table(app, "jobs", "JOB_HANDLERS").items():
            jobs.register(kind, job)


def periodic() -> dict[str, Periodic]:
    """What the worker does on every turn of its clock, by name."""
    of_apps = {name: task for app in _APPS for name, task in _table(app, "jobs", "PERIODIC").items()}
    return {
        **renewal.PERIODIC,
        **relay.PERIODIC,
        **files.PERIODIC,
        **watching.PERIODIC,
        **new_logs.PERIODIC,
        **witnessing.PERIODIC,
        **of_apps,
    }
