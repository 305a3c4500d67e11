"""Tells the worker's loops that something was written to the database, so that they need not look again and again.

It asks the database for a mark that every commit moves, which costs a few microseconds: SQLite's ``data_version``
(https://sqlite.org/pragma.html#pragma_data_version), PostgreSQL's position in its write-ahead log.
"""

import logging
import threading

from django.db import close_old_connections, connection

LISTEN_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 1.0
"""How long a loop waits that found nothing to do: what is due by time alone is found then."""

_MARKS = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_wal_insert_lsn()::text"}
_log = logging.getLogger("palermo.worker")


class Bell:
    """Counts the moments at which something had been written since the last look, until ``stop`` is set."""

    def __init__(self, stop: threading.Event) -> None:
        self._rung = threading.Condition()
        self._times = 0
        self.stop = stop

    @property
    def times(self) -> int:
        """How often it rang. Read it before looking for work: what is written while you look is not missed then."""
        return self._times

    def wait(self, times: int) -> None:
        """Wait until it has rung more than ``times``, or the worker stops, or :data:`LONGEST_WAIT_SECONDS` are over."""
        with self._rung:
            self._rung.wait_for(lambda: self._times != times or self.stop.is_set(), LONGEST_WAIT_SECONDS)

    def listen(self) -> None:
        """Ring at every change until the worker stops; runs in a thread of its own."""
        mark = None
        while not self.stop.is_set():
            close_old_connections()
            try:
                seen = self._look()
            except Exception:
                _log.exception("looking for changes failed; trying again")
                seen = None
            if seen != mark:
                mark = seen
                self._ring()
            self.stop.wait(LISTEN_SECONDS)
        self._ring()

    def _ring(self) -> None:
        with self._rung:
            self._times += 1
            self._rung.notify_all()

    def _look(self) -> object:
        with connection.cursor() as cursor:
            cursor.execute(_MARKS[connection.vendor])
            return cursor.fetchone()
