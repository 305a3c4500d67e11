"""Who acts on a letter, by its kind, and how long letters wait.

A letter's handler runs in a transaction of its own, or in that of the batch it came with. It is idempotent: a letter
may come twice, late, or after a newer one. It writes no ledger entry, since a letter discloses nothing new.
"""

from datetime import datetime, timedelta
from typing import Protocol

from palermo.node.directory import queries as directory
from palermo.node.exchange.handlers import RefusedError
from palermo.sealing import records
from palermo.sealing.errors import SealingError
from palermo.sealing.letter import MAX_BODY_BYTES, Letter

__all__ = [
    "DEFAULT_LIFE",
    "Letter",
    "LetterHandler",
    "partners_who_take",
    "read_body",
    "register",
    "registered",
    "takes",
]

DEFAULT_LIFE = timedelta(days=7)
_SINCE_PROTOCOL = 2
"""The version of the protocol from which on a partner takes letters."""


class LetterHandler(Protocol):
    """Acts on a letter. Raises ``handlers.RefusedError`` (never) or ``handlers.NotYetError`` (to be sent again)."""

    def __call__(self, letter: Letter, *, now: datetime) -> None:
        """Apply the letter, whose sender is proven and a member."""


_handlers: dict[str, LetterHandler] = {}


def register(kind: str, handler: LetterHandler) -> None:
    """Say who acts on letters of a kind, such as "ledger.cosign+v1"; the later registration counts."""
    _handlers[kind] = handler


def takes(code: str) -> bool:
    """Whether an authority speaks a version of the protocol that has letters; not where the directory lacks it."""
    try:
        return directory.authority(code).protocol >= _SINCE_PROTOCOL
    except directory.UnknownAuthorityError:
        return False


def partners_who_take() -> list[str]:
    """The codes of all partners to which letters can be written."""
    return [row.code for row in directory.partners() if row.protocol >= _SINCE_PROTOCOL]


def read_body(record: type[records.Record], letter: Letter) -> records.Record:
    """What a letter says. Raises ``handlers.RefusedError`` for what is no such record."""
    try:
        return records.from_bytes(record, letter.body, "letter body", max_bytes=MAX_BODY_BYTES)
    except SealingError as error:
        raise RefusedError(f"It cannot be taken: {error}") from error


def registered(kind: str) -> LetterHandler | None:
    """Who acts on letters of a kind, if anyone does."""
    return _handlers.get(kind)
