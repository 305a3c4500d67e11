"""Who acts on a letter, by its kind, and how long letters wait.

A letter's handler runs in a transaction of its own, or in that of the batch it came with. It is idempotent: a letter
may come twice, late, or after a newer one. It writes no ledger entry, since a letter discloses nothing new.
"""

from datetime import datetime, timedelta
from typing import Protocol

from palermo.sealing.letter import Letter

__all__ = ["DEFAULT_LIFE", "Letter", "LetterHandler", "register", "registered"]

DEFAULT_LIFE = timedelta(days=7)


class LetterHandler(Protocol):
    """Acts on a letter. Raises ``handlers.RefusedError`` (never) or ``handlers.NotYetError`` (to be sent again)."""

    def __call__(self, letter: Letter, *, now: datetime) -> None:
        """Apply the letter, whose sender is proven and a member."""


_handlers: dict[str, LetterHandler] = {}


def register(kind: str, handler: LetterHandler) -> None:
    """Say who acts on letters of a kind, such as "ledger.cosign+v1"; the later registration counts."""
    _handlers[kind] = handler


def registered(kind: str) -> LetterHandler | None:
    """Who acts on letters of a kind, if anyone does."""
    return _handlers.get(kind)
