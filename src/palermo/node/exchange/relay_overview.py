"""What people see of relays: the mailboxes that this node keeps for others, and how the relays fare that it asks.

Counts, sizes and times. There is no content to be shown: a relay has no key for any parcel.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Sum

from palermo.node.directory import queries as directory
from palermo.node.exchange.relay_models import Holding, Poll, RelayMailbox, RelayParcel
from palermo.node.office import policy
from palermo.node.office.policy import Actor
from palermo.sealing.directory import Role


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """What waits here for one member: parcels, bytes, since when the oldest; ``collected_at``: when it asked last."""

    code: str
    waiting: int
    size: int
    oldest_at: datetime | None
    collected_at: datetime | None
    failed: int


@dataclass(frozen=True, slots=True)
class PollRow:
    """A relay that this node asks. ``own``: whether it is this node's own; ``last_error``: "" while it answers."""

    relay: str
    own: bool
    answered_at: datetime | None
    next_at: datetime | None
    failures: int
    last_error: str


def relays_here() -> bool:
    """Whether the directory in force says that this node is a relay."""
    try:
        return Role.RELAY in directory.own().roles
    except directory.UnknownAuthorityError:
        return False


def mailboxes(officer: Actor) -> list[MailboxRow]:
    """Every member that this node relays for, or holds something for, by code."""
    policy.require(officer, "relay.read")
    asked = dict(RelayMailbox.objects.values_list("code", "collected_at"))
    waits = RelayParcel.objects.filter(state=Holding.WAITING).values_list("recipient")
    counted = waits.annotate(Count("pk"), Sum("size"), Min("held_at")).order_by()
    waiting = {code: (number, size, oldest_at) for code, number, size, oldest_at in counted}
    fails = RelayParcel.objects.filter(state=Holding.FAILED).values_list("recipient")
    failed = dict(fails.annotate(Count("pk")).order_by())
    served = {partner.code for partner in directory.partners() if partner.relay == directory.own_code()}
    rows = []
    for code in sorted(served | waiting.keys() | failed.keys()):
        number, size, oldest_at = waiting.get(code, (0, 0, None))
        rows.append(MailboxRow(code, number, size, oldest_at, asked.get(code), failed.get(code, 0)))
    return rows


def polls(officer: Actor) -> list[PollRow]:
    """Every relay that this node asks for its post, or whether it failed, by code."""
    policy.require(officer, "relay.read")
    try:
        own = directory.own().relay
    except directory.UnknownAuthorityError:
        own = ""
    return [
        PollRow(row.relay, row.relay == own, row.answered_at, row.next_at, row.failures, row.last_error)
        for row in Poll.objects.order_by("relay")
    ]
