"""The reference page of ``palermo law check`` lists every type, clock, safeguard and key as the code has them."""

from pathlib import Path

import pytest

from palermo.law.clocks.table import Clock, clocks
from palermo.law.gates import gates
from palermo.law.request_file import KEYS
from palermo.law.request_types import RequestType, request_types

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "law-check.md"


def type_row(kind: RequestType) -> str:
    articles = "; ".join(f"{code} {', '.join(cites)}" for code, cites in kind.articles.items())
    who = ", ".join(kind.issue)
    return (
        f"| `{kind.code}` | {kind.label} | {articles} | {who} | {'intelligence' if kind.intelligence else 'evidence'} |"
    )


def clock_row(clock: Clock) -> str:
    length = f"{clock.days} days" if clock.days else f"{clock.hours} hours" if clock.hours else "no end"
    if clock.agreed == "only":
        practice = f"{clock.practice_days} days" if clock.practice_days else f"{clock.practice_hours} hours"
        known = clock.practice_days or clock.practice_hours
        length = "as agreed" + (f"; until then {practice}, by practice" if known else "")
    elif clock.agreed:
        length += ", or as agreed"
    length += ", our own rule" if clock.own_rule else ""
    return f"| `{clock.code}` | {clock.label} | {clock.article} | {clock.binds} | {length} |"


@pytest.mark.parametrize("kind", request_types().values(), ids=lambda kind: kind.code)
def test_each_type_stands_on_the_page(kind: RequestType) -> None:
    assert kind.issue == kind.receive, "the page has one column for both"
    assert type_row(kind) in PAGE.read_text("utf-8")


@pytest.mark.parametrize("clock", clocks().values(), ids=lambda clock: clock.code)
def test_each_clock_stands_on_the_page(clock: Clock) -> None:
    assert clock_row(clock) in PAGE.read_text("utf-8")


def test_each_key_and_safeguard_stands_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    assert all(f"`{name}`" in text for name in (*KEYS, *gates()))
