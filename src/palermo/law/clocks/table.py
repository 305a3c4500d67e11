"""The table of clocks, from facts in TOML: strict, so that a misspelt event or field fails at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from palermo.law import strict
from palermo.law.instruments import provision

BINDS = ("requested", "requesting", "acting")
AGREED = ("", "instead", "only")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock. The fields are described at the head of ``facts/clocks.toml``.

    ``binds``: "requested" or "requesting" State, or "acting": the authority that reckons. ``own_rule``: the length is
    Palermo's own safeguard, tied to that provision, not the treaty's. ``open``: it has no length at all.
    """

    code: str
    label: str
    instrument: str
    cite: str
    binds: str
    starts: tuple[str, ...]
    stops: tuple[str, ...]
    consequence: str
    days: int | None = None
    hours: int | None = None
    agreed: str = ""
    unit: str = "days"
    practice_days: int | None = None
    practice_hours: int | None = None
    own_rule: bool = False
    open: bool = False
    also: Mapping[str, str] = field(default_factory=dict)
    elsewhere: bool = False
    always: bool = False
    resets: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    suspends: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    warnings: tuple[tuple[int, str], ...] = ()
    afterwards: str = ""

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name

    def source(self, governing: Collection[str], binding: Collection[str]) -> str | None:
        """The provision that this clock has between two States; "" for practice alone; None where it does not run.

        ``governing``: the instruments whose provisions apply; ``binding``: all in force between the two.
        """
        counted = [*governing, *binding] if self.always else list(governing)
        cites = {self.instrument: self.cite, **self.also}
        found = next((provision(code, cites[code]).name for code in counted if code in cites), None)
        return self.article if found is None and self.own_rule else "" if found is None and self.elsewhere else found

    @property
    def in_hours(self) -> bool:
        """Whether it counts elapsed hours rather than calendar days."""
        return self.hours is not None or self.practice_hours is not None or self.unit == "hours"

    @property
    def events(self) -> frozenset[str]:
        """Every event that this clock listens to."""
        lists = (self.starts, self.stops, self.resets, self.restarts, self.suspends, self.resumes)
        return frozenset(code for names in (*lists, self.holds, self.until, self.ends) for code in names)


@cache
def _facts() -> dict[str, Any]:
    return strict.load(strict.shipped("clocks.toml"))


@cache
def events() -> dict[str, str]:
    """Every event that a clock knows, and what it says."""
    return dict(_facts()["events"])


@cache
def clocks() -> dict[str, Clock]:
    """Every clock by code, in the order of the table; ``ValueError`` names what is wrong with a row."""
    rows = [_clock(row) for row in _facts()["clock"]]
    return {row.code: row for row in rows}


def _clock(row: dict[str, Any]) -> Clock:
    values = strict.frozen(row)
    values["warnings"] = tuple((int(before), str(who)) for before, who in row.get("warnings", ()))
    clock = Clock(**values)
    for instrument, cite in ((clock.instrument, clock.cite), *clock.also.items()):
        provision(instrument, cite)
    unknown = clock.events - set(events())
    lengths = [length for length in (clock.days, clock.hours) if length is not None]
    if unknown or clock.binds not in BINDS or clock.agreed not in AGREED:
        raise ValueError(f"clock {clock.code}: unknown events {sorted(unknown)}, or wrong `binds` or `agreed`")
    if len(lengths) + clock.open + (clock.agreed == "only") != 1:
        raise ValueError(f"clock {clock.code}: give exactly one of days, hours, open, agreed = 'only'")
    return clock
