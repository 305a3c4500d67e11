"""When a holding's retention ends, what partners met of it loses its caption; that they met it stays."""

from datetime import datetime

from django.db import transaction

from palermo.node.holdings import queries as holdings
from palermo.node.matching.models import HeldHit
from palermo.node.office.actions import audit


@transaction.atomic
def redact_expired(now: datetime) -> int:
    """Take the captions off the hits on holdings whose retention has ended; returns how many."""
    redacted = 0
    for code in holdings.expired():
        gone = holdings.gone(code)
        count = HeldHit.objects.filter(holding=code).exclude(caption=gone).update(caption=gone)
        if count:
            audit(None, "held_hit.redacted", code, now=now, detail={"hits": count})
        redacted += count
    return redacted
