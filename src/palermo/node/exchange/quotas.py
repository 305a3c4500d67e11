"""How much a partner may hand in on one day (UTC), and why so much.

Every message that a partner signs leaves rows here, and its bytes. Without a bound one partner, or whoever got hold of
its key, could fill our disk. Within a quota a message is taken; above it, it is rejected, signed and recorded, and its
content is not kept; above twice the quota it is rejected and nothing of it is kept but the count.
"""

from collections.abc import Iterable
from datetime import date
from enum import Enum, auto
from typing import NamedTuple

from palermo.node.exchange.models import Intake

LEAST_BYTES = 2**14
"""What any message counts for at least: its rows, ledger entry and receipt take about so much."""


class Quota(NamedTuple):
    """Bytes of envelopes a day, and the reason for that number."""

    bytes: int
    reason: str


QUOTAS: dict[str, Quota] = {
    "envelopes": Quota(
        2**30, "twenty messages of the largest size, or the runs of a thousand holdings: more than a day's work"
    ),
}


class Standing(Enum):
    """Where a message leaves its sender."""

    WITHIN = auto()
    ABOVE = auto()
    FAR_ABOVE = auto()


def charge(partner: str, sizes: Iterable[int], day_date: date) -> list[Standing]:
    """Count envelopes of these sizes in bytes, in their order; where each leaves its sender.

    Call inside the transaction that takes them in.
    """
    intake, _ = Intake.objects.select_for_update().get_or_create(partner=partner, day_date=day_date)
    standings = []
    for size in sizes:
        intake.bytes += max(size, LEAST_BYTES)
        standings.append(_standing(intake.bytes))
    intake.save(update_fields=["bytes"])
    return standings


def _standing(handed_in: int) -> Standing:
    quota = QUOTAS["envelopes"].bytes
    if handed_in <= quota:
        return Standing.WITHIN
    return Standing.ABOVE if handed_in <= 2 * quota else Standing.FAR_ABOVE


def reason() -> str:
    """What is said to a partner above its quota."""
    return (
        f"You have handed in more than the {QUOTAS['envelopes'].bytes} bytes that we take from a partner in one day "
        "(UTC). Send it again tomorrow under a new id, or ask our contact point."
    )
