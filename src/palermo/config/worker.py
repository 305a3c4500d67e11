"""The node's background process: delivers envelopes, asks relays, runs jobs, and does what the clock asks for.

Each has a thread of its own, so that a long evaluation never delays a receipt. The truth is in rows (outbox, jobs):
this process may be killed at any moment and started again.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime

import django
import httpx

IDLE_SECONDS = 0.2
RELAY_SECONDS = 1.0  # how often it is looked whether a relay is due to be asked
CLOCK_SECONDS = 60.0
WITNESSING_SECONDS = 1.0
_log = logging.getLogger("palermo.worker")


def _loop(name: str, work: Callable[[datetime], int], pause: float, stop: threading.Event) -> None:
    """Call ``work`` until asked to stop; wait ``pause`` seconds whenever it had nothing to do or failed."""
    from django.db import close_old_connections
    from django.utils import timezone

    from palermo.node.exchange import refusals

    while not stop.is_set():
        close_old_connections()
        try:
            with refusals.kept():
                busy = work(timezone.now())
        except Exception:
            _log.exception("%s failed; trying again", name)
            busy = 0
        if not busy:
            stop.wait(pause)


def _tick(now: datetime) -> int:
    from palermo.config import wiring

    for name, task in wiring.periodic().items():
        try:
            task(now)
        except Exception:
            _log.exception("periodic task %s failed; trying again at the next tick", name)
    return 0


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    from palermo.node.exchange import delivery, polling, witnessing
    from palermo.node.exchange.files import carrying, working
    from palermo.node.office import jobs

    jobs.release_leases()
    delivery.release_leases()
    with httpx.Client(trust_env=False, timeout=httpx.Timeout(60.0, connect=5.0), follow_redirects=False) as client:
        loops: list[tuple[str, Callable[[datetime], int], float]] = [
            ("delivery", lambda now: delivery.deliver_due(now, client), IDLE_SECONDS),
            ("relay", lambda now: polling.poll_due(now, client), RELAY_SECONDS),
            ("pieces", carrying.Carrier(client).turn, IDLE_SECONDS),
            ("files", working.work_one, IDLE_SECONDS),
            ("jobs", lambda now: int(jobs.run_one(now)), IDLE_SECONDS),
            ("clock", _tick, CLOCK_SECONDS),
            ("witnessing", witnessing.turn, WITNESSING_SECONDS),
        ]
        threads = [threading.Thread(target=_loop, args=(*loop, stop), name=loop[0], daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(timeout=10)


def main() -> None:
    """Run the worker of the node whose home is ``PALERMO_HOME``, until SIGTERM or SIGINT."""
    from palermo.config.lifeline import die_with_parent

    die_with_parent()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "palermo.config.settings")
    django.setup()
    from palermo.config import wiring

    wiring.connect()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run(stop)


if __name__ == "__main__":
    main()
