"""What ``palermo node check`` looks at: database file, directory, ledger, exchange, lake, evidence and requests."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from django.db import connection

from palermo.lake.errors import UnknownHoldingError
from palermo.node.directory import checking as directory
from palermo.node.evidence import queries as evidence
from palermo.node.exchange import queries as exchange
from palermo.node.holdings import queries as holdings
from palermo.node.ledger import queries as ledger
from palermo.node.requests import queries as requests


class Fault(Protocol):
    """What the apps' checks return: the kind of thing, which one, and how it differs."""

    @property
    def what(self) -> str:
        """Such as "receipt"."""

    @property
    def where(self) -> str:
        """Its name among its kind."""

    @property
    def detail(self) -> str:
        """What does not fit."""


def _named(faults: Iterable[Fault]) -> list[str]:
    return [f"{fault.what} {fault.where}: {fault.detail}" for fault in faults]


def _database() -> list[str]:
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        rows = [*cursor.execute("PRAGMA integrity_check"), *cursor.execute("PRAGMA foreign_key_check")]
    return [f"SQLite: {row}" for row in rows if row != ("ok",)]


def _lake() -> list[str]:
    return [f"holding {code}: {name} is not what was loaded" for code in holdings.codes() for name in _damaged(code)]


def _damaged(code: str) -> list[str]:
    try:
        return holdings.lake().verify(code)
    except UnknownHoldingError:
        return ["CURRENT"] if holdings.was_loaded(code) else []


CHECKS: dict[str, Callable[[], list[str]]] = {
    "database": _database,
    "directory": lambda: _named(directory.check()),
    "ledger": lambda: _named(ledger.check()),
    "envelopes and receipts": lambda: _named(exchange.check()),
    "holdings": _lake,
    "evidence": lambda: _named(evidence.check()),
    "requests": lambda: _named(requests.check_stored()),
}


def run() -> Iterator[tuple[str, list[str]]]:
    """Each check's name with the faults that it found, in the order of :data:`CHECKS`."""
    for name, check in CHECKS.items():
        try:
            found = check()
        except Exception as error:  # what damage does to a row, no check foresees: it must still say where it ended
            found = [f"could not be read to the end: {type(error).__name__}: {error}"]
        yield name, found
