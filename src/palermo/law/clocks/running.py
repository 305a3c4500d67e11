"""Where a clock stands: a pure function of the events, the calendar of the State that it binds, and the moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from palermo.law.clocks.reckoning import Calendar, End, after_days, after_hours, end_of, instant, warn_at
from palermo.law.clocks.table import Clock, clocks

Length = int | date | datetime


class Status(StrEnum):
    """Where a clock stands. ``AGREE``: nobody has agreed its length yet. ``HELD``: what is owed goes on."""

    IDLE = "not started"
    AGREE = "length to be agreed"
    RUNNING = "running"
    WARNING = "ends soon"
    RUN_OUT = "run out"
    SUSPENDED = "suspended"
    HELD = "goes on until decided"
    OPEN = "without end"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``at``: an instant with its offset, or a calendar day of the State that is bound."""

    code: str
    at: datetime | date


@dataclass(frozen=True, slots=True)
class ClockState:
    """Where one clock stands. ``due``: its end, None where it has none; ``left``: until then, negative afterwards.

    ``length_from``: "treaty", "agreed", "own rule", "practice" or "" where there is no length. ``late``: it was stopped
    after its end. ``tell``: who is to be told by now, the highest last; ``note``: what to find out.
    """

    clock: Clock
    status: Status
    started_at: datetime | date | None = None
    due: End | None = None
    length_from: str = ""
    left: timedelta | None = None
    stopped_at: datetime | date | None = None
    late: bool = False
    tell: tuple[str, ...] = ()
    note: str = ""


@dataclass(slots=True)
class _Course:
    """What the events seen so far make of the clock."""

    start: datetime | date | None = None
    suspended: datetime | None = None
    pause: timedelta = timedelta()
    held: bool = False
    decided: datetime | None = None
    stopped: datetime | date | None = None
    ended: datetime | None = None
    armed: bool = False


def state(
    clock: Clock, events: Iterable[Event], calendar: Calendar, now: datetime, agreed: Length | None = None
) -> ClockState:
    """Where this clock stands at ``now`` (with its offset), by the events up to then.

    ``calendar``: of the State that the clock binds. ``agreed``: what the two States agreed: a number of days (or hours,
    for a clock of hours), the last day, or the instant of the end. ``ValueError`` for a moment without offset.
    """
    if now.tzinfo is None:
        raise ValueError("say in which time zone `now` is")
    course = _course(clock, events, calendar, now)
    if course.start is None and course.ended is None:
        return ClockState(clock, Status.IDLE)
    if course.ended is not None:
        return ClockState(clock, Status.RUN_OUT, course.start, End(course.ended, None), "treaty", course.ended - now)
    if clock.open:
        status = Status.OPEN if course.stopped is None else Status.STOPPED
        return ClockState(clock, status, course.start, stopped_at=course.stopped)
    due, length_from = _due(clock, course, calendar, agreed)
    if due is None:
        status = Status.AGREE if course.stopped is None else Status.STOPPED
        note = "Agree on a date with the other authority, and enter it."
        return ClockState(clock, status, course.start, stopped_at=course.stopped, note=note)
    return _judged(clock, course, calendar, now, due, length_from)


def states(
    events: Iterable[Event],
    calendars: Mapping[str, Calendar],
    now: datetime,
    agreed: Mapping[str, Length] | None = None,
    codes: Iterable[str] | None = None,
) -> list[ClockState]:
    """Where each clock stands; ``calendars`` by "requested", "requesting", "acting"; a missing one is not known."""
    happened, lengths = list(events), agreed or {}
    chosen = [clocks()[code] for code in codes] if codes is not None else list(clocks().values())
    return [
        state(clock, happened, calendars.get(clock.binds, Calendar()), now, lengths.get(clock.code)) for clock in chosen
    ]


def _course(clock: Clock, events: Iterable[Event], calendar: Calendar, now: datetime) -> _Course:
    course = _Course()
    seen = sorted(events, key=lambda event: (instant(event.at, calendar), event.code in clock.starts))
    for event in seen:
        at = instant(event.at, calendar)
        if at <= now or event.code in clock.starts:
            _take(clock, course, event, at)
    return course


def _take(clock: Clock, course: _Course, event: Event, at: datetime) -> None:
    code = event.code
    if code in clock.starts or (code in clock.restarts and course.armed and course.start is None):
        course.start, course.suspended, course.pause = event.at, None, timedelta()
        course.stopped, course.armed = None, True
    elif code in clock.ends and course.armed:
        course.ended = at
    elif course.start is None or course.stopped is not None:
        return
    elif code in clock.resets:
        course.start = None
    elif code in clock.stops:
        course.stopped = event.at
    elif code in clock.suspends and course.suspended is None:
        course.suspended = at
    elif code in clock.resumes and course.suspended is not None:
        course.pause, course.suspended = course.pause + (at - course.suspended), None
    elif code in clock.holds:
        course.held, course.decided = True, None
    elif code in clock.until and course.held:
        course.held, course.decided = False, at


def _due(clock: Clock, course: _Course, calendar: Calendar, agreed: Length | None) -> tuple[End | None, str]:
    """When it ends, and where that length comes from."""
    assert course.start is not None
    found, length_from = None, ""
    if clock.agreed and agreed is not None:
        found, length_from = _agreed(clock, course.start, calendar, agreed), "agreed"
    elif clock.days is not None:
        found, length_from = after_days(course.start, clock.days, calendar), "treaty"
    elif clock.hours is not None:
        found, length_from = after_hours(course.start, clock.hours, calendar), "treaty"
    elif clock.practice_days is not None:
        found, length_from = after_days(course.start, clock.practice_days, calendar), "practice"
    elif clock.practice_hours is not None:
        found, length_from = after_hours(course.start, clock.practice_hours, calendar), "practice"
    if found is None:
        return None, ""
    if course.pause:
        found = replace(found, at=found.at + course.pause, last_day=None)
    if course.decided is not None and course.decided > found.at:
        found = End(course.decided, None)
    return found, "own rule" if clock.own_rule and length_from == "treaty" else length_from


def _agreed(clock: Clock, start: datetime | date, calendar: Calendar, agreed: Length) -> End:
    if isinstance(agreed, datetime):
        return End(agreed.astimezone(UTC), None)
    if isinstance(agreed, date):
        return end_of(agreed, calendar)
    return after_hours(start, agreed, calendar) if clock.in_hours else after_days(start, agreed, calendar)


def _judged(clock: Clock, course: _Course, calendar: Calendar, now: datetime, due: End, length_from: str) -> ClockState:
    note = "" if due.exact else "The State's time zone is not known: this is the earliest end. Enter the zone."
    found = ClockState(clock, Status.RUNNING, course.start, due, length_from, due.at - now, note=note)
    if course.stopped is not None:
        late = instant(course.stopped, calendar) >= due.at
        return replace(found, status=Status.STOPPED, stopped_at=course.stopped, late=late, left=None)
    if course.suspended is not None:
        return replace(found, status=Status.SUSPENDED, left=due.at - course.suspended)
    if course.held:
        return replace(found, status=Status.HELD, left=None)
    if now >= due.at:
        told = tuple(dict.fromkeys([*(who for _, who in clock.warnings), clock.afterwards]))
        return replace(found, status=Status.RUN_OUT, tell=told)
    warned = [who for before, who in clock.warnings if now >= warn_at(due, before, clock.in_hours, calendar)]
    return replace(found, status=Status.WARNING if warned else Status.RUNNING, tell=tuple(dict.fromkeys(warned)))
