"""How far a message of ours has come, which step may follow which, and how long each may take."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from palermo.sealing.stage import Stage

MOVES: Mapping[Stage, frozenset[Stage]] = {
    Stage.SUBMISSION_ACCEPTED: frozenset(
        {Stage.RELAYED, Stage.RELAY_FAILED, Stage.DELIVERED, Stage.NOT_DELIVERED},
    ),
    Stage.SUBMISSION_REJECTED: frozenset(),
    Stage.RELAYED: frozenset({Stage.RELAY_FAILED, Stage.DELIVERED, Stage.NOT_DELIVERED}),
    Stage.RELAY_FAILED: frozenset({Stage.RELAYED, Stage.DELIVERED, Stage.NOT_DELIVERED}),
    # What was given up may have arrived all the same: a receipt that comes late still counts.
    Stage.NOT_DELIVERED: frozenset({Stage.DELIVERED}),
    Stage.DELIVERED: frozenset({Stage.RETRIEVED, Stage.NOT_RETRIEVED}),
    Stage.NOT_RETRIEVED: frozenset({Stage.RETRIEVED}),
    Stage.RETRIEVED: frozenset(),
}
ON_ITS_WAY = (Stage.SUBMISSION_ACCEPTED, Stage.RELAYED, Stage.RELAY_FAILED)
ARRIVED = (Stage.DELIVERED, Stage.RETRIEVED, Stage.NOT_RETRIEVED)

RELAY_WITHIN = timedelta(days=1)
"""By when a relay says that it holds a parcel. Delivery's limit is the message's own end, ``not_after``."""

RETRIEVE_WITHIN = timedelta(days=5)
"""By when an officer of the recipient has opened a message that is for a person: a working week without its weekend."""

WARN_AT_MOST = timedelta(days=2)


class Clock(NamedTuple):
    """When the present step ends, and when a person is warned before that."""

    warn_at: datetime
    limit_at: datetime


def clock(start: datetime, limit: datetime) -> Clock:
    """The clock of a step: the warning comes when a quarter of its time is left, two days before its end at most."""
    return Clock(limit - min((limit - start) / 4, WARN_AT_MOST), limit)
