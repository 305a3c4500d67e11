"""What can become of a message, at the sender and at the recipient."""

from enum import StrEnum


class Outbox(StrEnum):
    """The sender's knowledge of a message. Only a verified receipt makes it accepted or rejected."""

    QUEUED = "queued"
    UNKNOWN = "unknown"  # its time ran out without a receipt: it may or may not have arrived
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Inbox(StrEnum):
    """The recipient's decision on a verified message; it never changes."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


MOVES: dict[Outbox, frozenset[Outbox]] = {
    Outbox.QUEUED: frozenset({Outbox.ACCEPTED, Outbox.REJECTED, Outbox.UNKNOWN}),
    # A late receipt still settles it: the recipient answers a repeated envelope with the receipt it once gave.
    Outbox.UNKNOWN: frozenset({Outbox.ACCEPTED, Outbox.REJECTED}),
    Outbox.ACCEPTED: frozenset(),
    Outbox.REJECTED: frozenset(),
}
OPEN = (Outbox.QUEUED, Outbox.UNKNOWN)
