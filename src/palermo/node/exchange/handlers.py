"""Who acts on a received message, by payload type.

A handler runs inside the transaction that stores the message, its ledger entry and its receipt: either all of it
happens or nothing does. It writes rows and enqueues jobs; it never does heavy work or talks to the network.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from palermo.node.exchange.rows import MessageRow


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was opened and verified. ``created_at`` is the sender's clock."""

    sender: str
    message_id: str
    payload_type: str
    payload: bytes
    case_reference: str
    purpose: str
    in_reply_to: str
    ledger_index: int
    created_at: datetime


class RefusedError(Exception):
    """A handler's lasting refusal. ``reason`` goes to the sender, signed: say what they can do about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYetError(Exception):
    """This message cannot be taken yet; nothing is kept and the sender tries again."""


class Effect(Protocol):
    """What a received message does here. Raises :class:`RefusedError` or :class:`NotYetError`."""

    def __call__(self, message: Received, *, now: datetime) -> None:
        """Apply the message."""


class Undelivered(Protocol):
    """Told of a message of ours that the partner rejected (``state`` "rejected") or that ran out of time ("unknown").

    An "unknown" message may still turn out accepted or rejected; the latter is told again.
    """

    def __call__(self, message: MessageRow, *, now: datetime) -> None:
        """Act on it, in the transaction that settles the message."""


class FileEffect(Protocol):
    """What a received message does when the file that it offered is here (:mod:`palermo.node.exchange.files`)."""

    def examine(self, message: Received, file: Path, *, now: datetime) -> Any:
        """Look at the file, outside any transaction, for as long as it takes; returns what ``take`` needs.

        It may run again, also after it returned. Raises :class:`RefusedError`.
        """

    def take(self, message: Received, file: Path, examined: Any, *, now: datetime) -> None:
        """Apply the message as an :class:`Effect`, in the transaction that signs for the file; it may move the file."""


@dataclass(frozen=True, slots=True)
class Handler:
    """What an app does with a payload type: the effect of a received one, and what a lost one of ours means.

    ``forget``: the content must not be kept longer than the work takes. The app calls ``exchange.actions.forget`` when
    it is done with a message; what it refuses is never kept at all. ``file``: what a message does when the file that
    its ``effect`` accepted has come. ``for_person``: an officer is to read it, so its sender is told when one did; the
    app calls ``exchange.actions.opened``.
    """

    effect: Effect
    undelivered: Undelivered | None = None
    forget: bool = False
    file: FileEffect | None = None
    for_person: bool = False


_handlers: dict[str, Handler] = {}


def register(payload_type: str, handler: Effect | Handler) -> None:
    """Say who acts on a payload type; the later registration counts."""
    _handlers[payload_type] = handler if isinstance(handler, Handler) else Handler(handler)


def registered(payload_type: str) -> Handler | None:
    """Who acts on a payload type, if anyone does."""
    return _handlers.get(payload_type)


def forgets(payload_type: str) -> bool:
    """Whether received messages of this type are forgotten."""
    handler = registered(payload_type)
    return handler is not None and handler.forget


def for_person(payload_type: str) -> bool:
    """Whether an officer is to read messages of this type."""
    handler = registered(payload_type)
    return handler is not None and handler.for_person


def known_types() -> list[str]:
    """All payload types this node understands, sorted: what a refusal names."""
    return sorted(_handlers)
