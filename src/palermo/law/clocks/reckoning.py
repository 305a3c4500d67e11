"""How days are counted: whole calendar days of the State that the clock binds, the day of the event not counted.

A period of eighteen days after 1 March ends with the last moment of 19 March, in that State's own time zone, whatever
summer time does in between; a day that the calendar of that zone leaped over (the date line) is no day. Where the zone
is not known, the earliest possible end is taken: too early a warning harms nobody.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

ONE_DAY = timedelta(days=1)
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar of one State. ``zone``: None where not known. ``weekend``: days of rest, Monday is 0.

    No provision in the table lengthens a period because it ends on a day of rest; warnings come before such days.
    """

    zone: tzinfo | None = None
    weekend: frozenset[int] = frozenset()
    holidays: frozenset[date] = field(default_factory=frozenset)

    def rests(self, day: date) -> bool:
        """Whether offices are known to be closed on that day."""
        return day.weekday() in self.weekend or day in self.holidays


@dataclass(frozen=True, slots=True)
class End:
    """When a period ends. ``at``: the instant; ``last_day``: its last whole day, None for hours or an unknown zone.

    ``exact`` is False where the time zone is not known: ``at`` is then the earliest that it can be.
    """

    at: datetime
    last_day: date | None
    exact: bool = True


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant at which a calendar day begins there; where clocks skip midnight, the instant of the skip."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def exists(day: date, zone: tzinfo) -> bool:
    """Whether that calendar day had any length there (Samoa had no 30 December 2011)."""
    return midnight(day + ONE_DAY, zone) > midnight(day, zone)


def day_of(moment: datetime | date, zone: tzinfo) -> date:
    """The calendar day of a moment there; a plain date is already one."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def instant(moment: datetime | date, calendar: Calendar) -> datetime:
    """The instant of a moment; a plain date counts from its beginning, in the earliest zone where none is known."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    if calendar.zone is not None:
        return midnight(moment, calendar.zone)
    return datetime.combine(moment, time.min, UTC) - 14 * ONE_HOUR


def after_days(start: datetime | date, days: int, calendar: Calendar) -> End:
    """The end of a period of so many days after the day of an event."""
    if calendar.zone is None:
        earliest = instant(start, calendar) + timedelta(days=days)
        return End(earliest if isinstance(start, datetime) else earliest + ONE_DAY, None, exact=False)
    day, left = day_of(start, calendar.zone), days
    while left > 0:
        day += ONE_DAY
        left -= exists(day, calendar.zone)
    return End(midnight(day + ONE_DAY, calendar.zone), day)


def after_hours(start: datetime | date, hours: float, calendar: Calendar) -> End:
    """The end of a period of elapsed hours: summer time neither lengthens nor shortens it."""
    exact = isinstance(start, datetime) or calendar.zone is not None
    return End(instant(start, calendar) + hours * ONE_HOUR, None, exact)


def end_of(day: date, calendar: Calendar) -> End:
    """The end of a day that was agreed."""
    if calendar.zone is None:
        return End(instant(day, calendar) + ONE_DAY, day, exact=False)
    return End(midnight(day + ONE_DAY, calendar.zone), day)


def warn_at(end: End, before: int, in_hours: bool, calendar: Calendar) -> datetime:
    """When to warn: so long before the end, and not on a day of rest but before it."""
    if in_hours:
        return end.at - before * ONE_HOUR
    if end.last_day is None or calendar.zone is None:
        return end.at - timedelta(days=before)
    day = end.last_day - timedelta(days=before)
    for _ in range(31):
        if not calendar.rests(day):
            break
        day -= ONE_DAY
    return midnight(day, calendar.zone)
