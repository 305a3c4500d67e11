"""The end of an entry's retention: its salts and values are destroyed; its leaf, and so every proof, stays.

That an entry was destroyed, and by which rule, is an entry itself, which is never destroyed: so nobody can hide a
disclosure by calling it expired.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import TruncDay

from palermo.node import restored
from palermo.node.ledger.actions.appending import append, hold
from palermo.node.ledger.models import Entry
from palermo.node.ledger.ranges import ranges_of, write_ranges
from palermo.sealing.new_log import OPENED

DESTROYED = "destroyed"
STATEMENT = "ledger.destroyed"
KEPT = (STATEMENT, OPENED)
"""Kinds of entries that are never destroyed: what was destroyed, and how a log began, can always be read."""
MOST_AT_ONCE = 1000


@transaction.atomic
def destroy(indexes: Iterable[int], *, under: str, now: datetime) -> int:
    """Destroy the salts and values of these entries, under a rule that is named; returns how many there were.

    What a column repeated of them goes as well; of the time, the day stays. Entries that say what was destroyed, or
    that opened a log, are left as they are.
    """
    hold()
    rows = Entry.objects.filter(index__in=list(indexes), destroyed_at__isnull=True).exclude(kind__in=KEPT)
    chosen = list(rows.order_by("index").values_list("index", flat=True))
    if not chosen:
        return 0
    Entry.objects.filter(index__in=chosen).update(
        kind=DESTROYED,
        counterparty="",
        recorded_at=TruncDay(F("recorded_at"), tzinfo=UTC),
        fields=[],
        destroyed_at=now,
        destroyed_under=under,
    )
    fields = {"entries": write_ranges(ranges_of(chosen)), "rule": under}
    append(kind=STATEMENT, counterparty="", fields=fields, now=now)
    return len(chosen)


def destroy_due(now: datetime) -> int:
    """Destroy what is older than the years that ``node.toml`` states, a month at a time; how many entries it was."""
    if restored.log_is_behind():
        return 0  # what says so could not be entered yet
    years: int = settings.NODE.ledger_years
    before = now.replace(year=now.year - years, day=1, hour=0, minute=0, second=0, microsecond=0)
    due = Entry.objects.filter(recorded_at__lt=before, destroyed_at__isnull=True).exclude(kind__in=KEPT)
    found = list(due.order_by("index").values_list("index", flat=True)[:MOST_AT_ONCE])
    return destroy(found, under=f"older than {years} years", now=now) if found else 0
