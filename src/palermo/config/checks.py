"""What ``palermo node check`` looks at: database file, ledger, exchange, lake, evidence and requests."""

from collections.abc import Callable, Iterator

from django.db import connection

from palermo.node.evidence import queries as evidence
from palermo.node.exchange import queries as exchange
from palermo.node.holdings import queries as holdings
from palermo.node.ledger import queries as ledger
from palermo.node.requests import queries as requests


def _database() -> list[str]:
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        rows = [*cursor.execute("PRAGMA integrity_check"), *cursor.execute("PRAGMA foreign_key_check")]
    return [f"SQLite: {row}" for row in rows if row != ("ok",)]


def _lake() -> list[str]:
    return [fault for code in holdings.codes() for fault in holdings.lake().verify(code)]


CHECKS: dict[str, Callable[[], list[str]]] = {
    "database": _database,
    "ledger": lambda: [str(fault) for fault in ledger.check()],
    "envelopes and receipts": lambda: [str(fault) for fault in exchange.check()],
    "holdings": _lake,
    "evidence": lambda: [str(fault) for fault in evidence.check()],
    "requests": lambda: [str(fault) for fault in requests.check_stored()],
}


def run() -> Iterator[tuple[str, list[str]]]:
    """Each check's name with the faults that it found, in the order of :data:`CHECKS`."""
    for name, check in CHECKS.items():
        yield name, check()
