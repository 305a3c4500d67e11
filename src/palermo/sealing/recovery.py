"""What a restored node and its partners write to one another, each a record in the body of a letter.

The restored node says up to which number it knows what passed between the two. The partner hands back what came after:
its own messages with the receipts that the node once gave for them, and the node's messages that it received. Receipts
and signatures prove each; nothing is believed.
"""

from dataclasses import dataclass

from palermo.sealing.canonical import MAX_INTEGER
from palermo.sealing.errors import FormatError
from palermo.sealing.new_log import MAX_LOGS, NewLog

WANT_STANDING = "exchange.want-standing+v1"
STANDING = "exchange.standing+v1"
AGAIN = "exchange.again+v1"
SENT = "exchange.sent+v1"
RECIPIENT_KEY = "exchange.recipient-key+v1"
"""A letter whose body is the statement of a new recipient key: one that was made after a back-up is lost with it."""

MOST_MISSING = 1000


@dataclass(frozen=True)
class StandingRequest:
    """I was restored. Of your messages I hold those up to ``received`` but for the ``missing``; I know to have sent
    you messages up to the number ``sent``. Where my log was lost as well, ``new_logs`` are those that followed."""

    received: int
    missing: tuple[int, ...]
    sent: int
    new_logs: tuple[NewLog, ...] = ()

    def __post_init__(self) -> None:
        """Refuse numbers that no message has."""
        if not (0 <= self.received < MAX_INTEGER and 0 <= self.sent < MAX_INTEGER):
            raise FormatError("request for the standing", "names numbers that no message has")
        if len(self.new_logs) > MAX_LOGS:
            raise FormatError("request for the standing", f"comes with more than {MAX_LOGS} new logs")
        if len(self.missing) > MOST_MISSING:
            raise FormatError("request for the standing", f"misses more than {MOST_MISSING} single messages")


@dataclass(frozen=True)
class Standing:
    """Your messages have reached me up to the number ``last``: go on after it."""

    last: int

    def __post_init__(self) -> None:
        """Refuse a number that no message has."""
        if not 0 <= self.last < MAX_INTEGER:
            raise FormatError("standing", "names a number that no message has")


@dataclass(frozen=True)
class Again:
    """A message of mine once more, with the receipt that you gave for it."""

    envelope: bytes
    receipt: bytes


@dataclass(frozen=True)
class Sent:
    """A message of yours: the envelope, what you signed within it, and the receipt that I gave for it."""

    envelope: bytes
    signed: bytes
    receipt: bytes
