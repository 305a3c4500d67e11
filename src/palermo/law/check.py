"""A request held against the law, whole: what is missing, which conditions, which grounds are open, gates, clocks.

Pure: the request, what governs between the two States (:mod:`palermo.law.governing`), the calendars and the moment are
given. Which States they are plays no part.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from palermo.law.clocks.reckoning import Calendar
from palermo.law.clocks.running import ClockState, Event, Length, state
from palermo.law.clocks.table import clocks
from palermo.law.conditions.shape import Matter
from palermo.law.demands import completeness, demanded
from palermo.law.findings import Finding, missing
from palermo.law.gates import GateAnswer, GateState, gate_states
from palermo.law.grounds import Duty, Effect, Never, Weighed, duties, never, weigh
from palermo.law.instruments import CODES, instrument
from palermo.law.request_types import RequestType
from palermo.law.statement import Statement
from palermo.law.terms import term
from palermo.law.three import all_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What governs between the two States. Codes of instruments, the first of each ruling first.

    ``contents``, ``grounds``: whose provisions say what the request must contain and when it may be refused;
    ``binding``: all that are in force between the two and cover the offence. ``basis``: what the request rests on, and
    what is still to be established for that.
    """

    basis: tuple[Finding, ...] = ()
    contents: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    binding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it stands: type, what it says, the safeguards answered, what happened since, what was agreed."""

    type: RequestType
    said: Statement
    gates: Mapping[str, GateAnswer] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    agreed: Mapping[str, Length] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A clock of this request. ``article``: of the governing instrument, "" where it is practice alone."""

    state: ClockState
    article: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the law says of a request. ``basis``: scope and standing of what it rests on; ``findings``: contents."""

    basis: tuple[Finding, ...]
    findings: tuple[Finding, ...]
    grounds: tuple[Weighed, ...]
    never: tuple[Never, ...]
    duties: tuple[Duty, ...]
    gates: tuple[GateState, ...]
    clocks: tuple[RunningClock, ...]

    @property
    def missing(self) -> list[str]:
        """Each thing that still has to be done before the request may leave."""
        return missing([*self.basis, *self.findings])

    @property
    def bars(self) -> list[str]:
        """Conditions known to stand in the way: what the provision excludes, or has to be refused."""
        barring = (Effect.OUTSIDE, Effect.NEEDED, Effect.MUST_REFUSE)
        found = (row.ground for row in self.grounds if row.open is True and row.ground.effect in barring)
        return [f"{ground.article} ({ground.effect.value}): {ground.condition.says}" for ground in found]

    @property
    def to_find_out(self) -> list[str]:
        """Questions whose answer would decide a condition that is not known."""
        names = [name for row in self.grounds if row.open is None for name in row.ground.condition.terms]
        return [term(name).asks for name in dict.fromkeys(names)]

    @property
    def waiting(self) -> list[str]:
        """What is still to be done at the safeguards."""
        return [row.what_to_do for row in self.gates if row.what_to_do]

    @property
    def ready(self) -> bool:
        """Whether the request may leave: nothing missing, nothing known to bar it, every safeguard answered."""
        return not (self.missing or self.bars or self.waiting)


def check(asked: Asked, ruling: Ruling, now: datetime) -> Report:
    """Hold a request against what governs it. Everything is looked at; nothing stops at the first fault."""
    kind = asked.type
    found = completeness(asked.said, ruling.contents, kind.groups) + _unlisted(kind, ruling)
    matter = Matter(asked.said, all_of(not finding.blocks for finding in found))
    return Report(
        basis=ruling.basis,
        findings=tuple(found),
        grounds=weigh(matter, ruling.grounds, ruling.binding, kind.topics),
        never=never(ruling.grounds, ruling.binding, kind.topics),
        duties=duties(ruling.grounds, ruling.binding, kind.topics),
        gates=tuple(gate_states(kind.gates, asked.said, asked.gates)),
        clocks=tuple(running(asked, ruling, now)),
    )


def running(asked: Asked, ruling: Ruling, now: datetime) -> list[RunningClock]:
    """The clocks that run for this type of request between these two States."""
    governing = list(dict.fromkeys([*ruling.contents, *ruling.grounds]))
    found = []
    for clock in (clocks()[code] for code in asked.type.clocks):
        article = clock.source(governing, ruling.binding)
        if article is not None:
            calendar = asked.calendars.get(clock.binds, Calendar())
            standing = state(clock, asked.events, calendar, now, asked.agreed.get(clock.code))
            found.append(RunningClock(standing, article))
    return found


def _unlisted(kind: RequestType, ruling: Ruling) -> list[Finding]:
    """One finding for each governing instrument that keeps no list of contents for this type."""
    without = [code for code in ruling.contents if not demanded(code, kind.groups)]
    return [
        Finding(
            instrument(code).short if code in CODES else code,
            None,
            "what the request has to contain: this instrument keeps no list",
            "Ask the requested State what its law, or the treaty between you, demands of such a request.",
            required=False,
        )
        for code in without
    ]
