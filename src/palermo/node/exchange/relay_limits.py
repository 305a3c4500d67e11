"""How much a relay takes, for how long, and why so much.

What waits is never pushed out by what comes later: a full mailbox takes nothing more until its owner collects, and the
oldest parcel leaves by being collected, or by its limit of days. A sender whose parcel is not taken keeps it in its own
outbox and is told to try again, so a full mailbox loses nothing.
"""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, Q, Sum

from palermo.node.exchange.relay_models import Holding, RelayParcel
from palermo.node.exchange.wire import CLOCK_SKEW

KEEP = timedelta(days=14)
"""How long a parcel waits to be collected: half as long as a message may live, so that its sender learns in time to
send it another way."""

REMEMBER = timedelta(days=31)
"""How long it is remembered that a parcel was held, in case it is handed in again: as long as a message may live."""

FRESH = CLOCK_SKEW
"""How far the time of a ticket or a collection may lie from the relay's."""

LEAST_BYTES = 2**14
"""What any parcel counts for at least: its row and the relay's statement take about so much."""


class Bound(NamedTuple):
    """Bytes and number of waiting parcels, and the reason for both."""

    bytes: int
    number: int
    reason: str


MAILBOX = Bound(8 * 2**30, 20_000, "two weeks of a busy authority's post, or one large evidence package")
SENDER = Bound(2 * 2**30, 5_000, "a quarter of a mailbox: no sender can fill one, or the relay, alone")


def room(sender: str, recipient: str) -> tuple[int, int]:
    """Bytes and number of parcels that ``sender`` may still hand in for ``recipient``. Call under both mailboxes' lock.

    A sender's parcels for all recipients count, those that failed too, so that nobody fills the relay with statements.
    """
    kept = Q(sender=sender) & ~Q(state=Holding.COLLECTED)
    of_sender = _held(kept)
    of_mailbox = _held(Q(recipient=recipient, state=Holding.WAITING))
    return (
        min(SENDER.bytes - of_sender[0], MAILBOX.bytes - of_mailbox[0]),
        min(SENDER.number - of_sender[1], MAILBOX.number - of_mailbox[1]),
    )


def _held(which: Q) -> tuple[int, int]:
    found = RelayParcel.objects.filter(which).aggregate(size=Sum("size"), number=Count("pk"))
    return max(found["size"] or 0, LEAST_BYTES * found["number"]), found["number"]
