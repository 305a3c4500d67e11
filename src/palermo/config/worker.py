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
from typing import TYPE_CHECKING

import django
import httpx

if TYPE_CHECKING:
    from palermo.config.bell import Bell

AFTER_FAILURE_SECONDS = 1.0
RELAY_SECONDS = 1.0  # how often it is looked whether a relay is due to be asked
CLOCK_SECONDS = 60.0
WITNESSING_SECONDS = 1.0
_log = logging.getLogger("palermo.worker")


def _loop(name: str, work: Callable[[datetime], int], idle: Callable[[int], object], bell: "Bell") -> None:
    """Call ``work`` until the worker stops; where it had nothing to do or failed, wait by ``idle`` first.

    ``idle`` is given how often the bell had rung before the work began.
    """
    from django.db import close_old_connections
    from django.utils import timezone

    from palermo.node.exchange import refusals

    while not bell.stop.is_set():
        close_old_connections()
        rung = bell.times
        try:
            with refusals.kept():
                busy = work(timezone.now())
        except Exception:
            _log.exception("%s failed; trying again", name)
            busy = 0
            bell.stop.wait(AFTER_FAILURE_SECONDS)
        if not busy:
            idle(rung)


def _tick(now: datetime) -> int:
    from palermo.config import wiring

    for name, task in wiring.periodic().items():
        try:
            task(now)
        except Exception:
            _log.exception("periodic task %s failed; trying again at the next tick", name)
    return 0


def _every(seconds: float, stop: threading.Event) -> Callable[[int], object]:
    return lambda rung: stop.wait(seconds)


def _thread(name: str, target: Callable[..., None], *arguments: object) -> threading.Thread:
    return threading.Thread(target=target, args=arguments, name=name, daemon=True)


def run(stop: threading.Event) -> None:
    """Work until ``stop`` is set."""
    from palermo.config.bell import Bell
    from palermo.node import restored
    from palermo.node.evidence import completing
    from palermo.node.exchange import delivery, polling, recovery, witnessing
    from palermo.node.exchange.files import carrying, working
    from palermo.node.office import jobs

    jobs.release_leases()
    delivery.release_leases()
    bell = Bell(stop)
    with httpx.Client(trust_env=False, timeout=httpx.Timeout(60.0, connect=5.0), follow_redirects=False) as client:
        woken: dict[str, Callable[[datetime], int]] = {
            "delivery": lambda now: delivery.deliver_due(now, client),
            "pieces": carrying.Carrier(client).turn,
            "files": working.work_one,
            "jobs": lambda now: 0 if restored.log_is_behind() else int(jobs.run_one(now)),
            "packages": completing.complete_ready,
        }
        timed: dict[str, tuple[Callable[[datetime], int], float]] = {
            "relay": (lambda now: polling.poll_due(now, client), RELAY_SECONDS),
            "witnessing": (witnessing.turn, WITNESSING_SECONDS),
            "recovery": (recovery.turn, WITNESSING_SECONDS),
            "clock": (_tick, CLOCK_SECONDS),
        }
        threads = [_thread("bell", bell.listen)]
        threads += [_thread(name, _loop, name, work, bell.wait, bell) for name, work in woken.items()]
        for name, (work, pause) in timed.items():
            threads.append(_thread(name, _loop, name, work, _every(pause, stop), bell))
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
