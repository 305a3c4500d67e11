"""Clocks: the table of cases, days of rest, and what holds of every clock."""

import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.law.clocks.reckoning import Calendar, after_days, day_of, midnight, warn_at
from palermo.law.clocks.running import Event, Length, Status, state, states
from palermo.law.clocks.table import Clock, clocks, events
from palermo.law.instruments import provision

CASES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases" / "clocks.toml").read_text("utf-8"))[
    "case"
]
FIELDS = {"name", "clock", "happened", "zone", "agreed", "now", "status", "due", "last", "late", "tell", "length_from"}
ZONES = ["Europe/Vienna", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/St_Johns", "UTC"]


def moment(text: str) -> datetime | date:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def length(value: object) -> Length | None:
    return date.fromisoformat(value) if isinstance(value, str) else value  # type: ignore[return-value]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_case_of_the_table(case: dict[str, Any]) -> None:
    assert set(case) <= FIELDS
    calendar = Calendar(ZoneInfo(case["zone"])) if "zone" in case else Calendar()
    happened = [Event(code, moment(at)) for code, at in case["happened"]]
    now = datetime.fromisoformat(case["now"])
    found = state(clocks()[case["clock"]], happened, calendar, now, length(case.get("agreed")))
    assert found.status == case["status"], found
    if "due" in case:
        assert found.due is not None and found.due.at == datetime.fromisoformat(case["due"])
    if "last" in case:
        assert found.due is not None and found.due.last_day == date.fromisoformat(case["last"])
    if "tell" in case:
        assert list(found.tell) == case["tell"]
    if "length_from" in case:
        assert found.length_from == case["length_from"]
    assert found.late is case.get("late", False)
    assert bool(found.note) == ("zone" not in case or found.status is Status.AGREE)


def test_every_clock_has_a_case_a_source_and_somebody_to_tell() -> None:
    assert set(clocks()) == {case["clock"] for case in CASES}
    for clock in clocks().values():
        assert provision(clock.instrument, clock.cite) and clock.consequence.endswith(".")
        assert clock.open or (clock.warnings and clock.afterwards), clock.code
        assert [before for before, _ in clock.warnings] == sorted((b for b, _ in clock.warnings), reverse=True)
    assert set(events()) == {code for clock in clocks().values() for code in clock.events} | {"request_sent"}


def test_a_warning_comes_before_days_of_rest() -> None:
    holiday = date(2026, 3, 20)
    calendar = Calendar(ZoneInfo("Europe/Vienna"), frozenset({5, 6}), frozenset({holiday}))
    end = after_days(date(2026, 3, 4), 18, calendar)
    assert end.last_day == date(2026, 3, 22)
    assert warn_at(end, 1, False, calendar) == midnight(date(2026, 3, 19), ZoneInfo("Europe/Vienna"))


def test_a_moment_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        state(clocks()["preservation"], [], Calendar(), datetime(2026, 1, 1))


def test_the_calendar_is_that_of_the_state_that_the_clock_binds() -> None:
    calendars = {"requested": Calendar(ZoneInfo("Pacific/Kiritimati")), "requesting": Calendar(ZoneInfo("UTC"))}
    happened = [Event("arrested", datetime(2026, 3, 1, 11, tzinfo=UTC))]
    now = datetime(2026, 3, 2, tzinfo=UTC)
    (bound,) = states(happened, calendars, now, codes=["provisional_arrest_may_end"])
    assert bound.due is not None and bound.due.last_day == date(2026, 3, 20)


def test_an_event_of_tomorrow_has_not_happened_but_a_date_may_be_appointed() -> None:
    calendar, now = Calendar(ZoneInfo("UTC")), datetime(2026, 6, 1, 12, tzinfo=UTC)
    arrest = [Event("arrested", date(2026, 5, 30)), Event("released", date(2026, 6, 2))]
    assert state(clocks()["provisional_arrest_must_end"], arrest, calendar, now).status is Status.RUNNING
    appointed = [Event("surrender_date", date(2026, 6, 20))]
    found = state(clocks()["surrender_may_release"], appointed, calendar, now)
    assert found.status is Status.RUNNING and found.due is not None and found.due.last_day == date(2026, 7, 5)


starts = st.datetimes(datetime(2000, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@settings(max_examples=200)
@given(start=starts, days=st.integers(1, 100), zone=zones)
def test_a_period_ends_with_its_last_day(start: datetime, days: int, zone: ZoneInfo) -> None:
    end = after_days(start, days, Calendar(zone))
    assert end.last_day == day_of(start, zone) + timedelta(days=days)
    assert day_of(end.at - timedelta(seconds=1), zone) == end.last_day
    assert day_of(end.at, zone) == end.last_day + timedelta(days=1)


@settings(max_examples=200)
@given(start=starts, days=st.integers(1, 100), zone=zones)
def test_where_the_zone_is_not_known_the_end_is_never_too_late(start: datetime, days: int, zone: ZoneInfo) -> None:
    unknown = after_days(start, days, Calendar())
    known = after_days(start, days, Calendar(zone))
    assert not unknown.exact and unknown.at <= known.at + timedelta(hours=1)  # summer time moves an end by an hour
    assert known.at - unknown.at <= timedelta(days=1, hours=1)


@settings(max_examples=200)
@given(
    clock=st.sampled_from(list(clocks().values())),
    codes=st.lists(st.sampled_from(sorted(events())), max_size=8),
    hours=st.lists(st.integers(0, 4000), min_size=8, max_size=8),
    asked_at=st.lists(st.integers(0, 6000), min_size=2, max_size=2),
    zone=zones,
)
def test_what_is_known_does_not_depend_on_the_order_of_telling(
    clock: Clock, codes: list[str], hours: list[int], asked_at: list[int], zone: ZoneInfo
) -> None:
    base = datetime(2026, 1, 1, tzinfo=UTC)
    at = [base + timedelta(hours=hour, seconds=second) for second, hour in enumerate(hours)]
    happened = [Event(*one) for one in zip(codes, at, strict=False)]
    for hour in asked_at:
        now = base + timedelta(hours=hour)
        first = state(clock, happened, Calendar(zone), now, 30)
        assert first == state(clock, happened[::-1], Calendar(zone), now, 30)
        assert (first.status is Status.RUN_OUT) <= (first.due is not None and now >= first.due.at)
        assert (first.status in (Status.RUNNING, Status.WARNING)) <= (first.due is not None and now < first.due.at)
