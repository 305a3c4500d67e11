"""A request file checked, as rows: what ``palermo law check`` prints and what its JSON holds.

Fields are added last, and none is renamed.
"""

from dataclasses import dataclass
from datetime import date, datetime

from palermo.law import states
from palermo.law.basis import Party, SameStateError
from palermo.law.between import between
from palermo.law.check import Asked, Report, RunningClock, check
from palermo.law.findings import Finding
from palermo.law.governing import Answer
from palermo.law.grounds import Weighed
from palermo.law.offers import TOPICS
from palermo.law.register import Register
from palermo.law.request_file import RequestFile
from palermo.law.ruling import answer_for, informed, ruling
from palermo.law.terms import term
from palermo.law.three import Known

SHAPE = 1


@dataclass(frozen=True, slots=True)
class GoverningRow:
    """Which provisions govern one topic for certain, and which may, if what is not known turns out so."""

    topic: str
    governing: tuple[str, ...]
    possible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition, and the ground that it opens. ``met``: null where not known; ``closed_by``: no ground, by that.

    ``judged``: for the requested State alone to judge; ``duties``: of whoever uses the ground; ``ask``: to find out.
    """

    article: str
    effect: str
    condition: str
    met: Known
    closed_by: str
    judged: bool
    duties: tuple[str, ...]
    ask: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NeverRow:
    """What is no ground for refusing this request, by which provision."""

    article: str
    what: str


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A duty that binds both States, whichever treaty governs. ``on``: refusal, or nationality."""

    article: str
    on: str
    what: str


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A fact that bears on a safeguard."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class GateRow:
    """A safeguard. ``what_to_do``: "" where a person has answered it and, if need be, a second one has looked."""

    code: str
    question: str
    source: str
    facts: tuple[ShownFact, ...]
    answered: bool
    what_to_do: str


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A clock. ``article``: "" for good practice alone; ``due``: its end in UTC; ``exact``: false where the earliest.

    ``length_from``: treaty, agreed, own rule, practice; ``tell``: who is to be told by now; ``last_day``: as counted
    in the State that it ``binds``.
    """

    code: str
    label: str
    article: str
    binds: str
    status: str
    due: datetime | None
    last_day: date | None
    exact: bool
    length_from: str
    late: bool
    tell: tuple[str, ...]
    consequence: str
    note: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The whole. ``scope``: what the request rests on; ``contents``: what its provision demands of it."""

    version: int
    ready: bool
    type: str
    form: str
    requesting: Party
    requested: Party
    offence: str
    on: date
    scope: tuple[Finding, ...]
    governing: tuple[GoverningRow, ...]
    always: tuple[str, ...]
    contents: tuple[Finding, ...]
    missing: tuple[str, ...]
    conditions: tuple[ConditionRow, ...]
    bars: tuple[str, ...]
    never: tuple[NeverRow, ...]
    duties: tuple[DutyRow, ...]
    gates: tuple[GateRow, ...]
    clocks: tuple[ClockRow, ...]


def checked(request: RequestFile, register: Register, on: date, now: datetime) -> Checked:
    """The request held against what governs between its two States on a day; clocks stand as they do at ``now``.

    Raises :class:`~palermo.law.states.UnknownStateError` and :class:`~palermo.law.basis.SameStateError`.
    """
    one, other = (states.find(text, register.known) for text in (request.requesting, request.requested))
    if one.code == other.code:
        raise SameStateError(one.code)
    pair = between(register, one.code, other.code, on)
    answer = answer_for(request.type, request.case, pair)
    asked = Asked(
        type=request.type,
        said=informed(request.said, pair, answer, accepted_languages(register, other.code)),
        gates=request.gates,
        events=request.events,
        agreed=request.agreed,
        calendars=request.calendars,
    )
    found = check(asked, ruling(request.type, answer), now)
    return _rows(request, Party(one.code, one.name), Party(other.code, other.name), on, answer, found)


def accepted_languages(register: Register, state: str) -> tuple[str, ...]:
    """The languages that a State notified under UNTOC 18(14); none where they are not known."""
    rows = register.declarations("UNTOC", state)
    return next((row.languages for row in rows if row.article == "18(14)" and row.languages), ())


def _rows(request: RequestFile, one: Party, other: Party, on: date, answer: Answer, found: Report) -> Checked:
    return Checked(
        version=SHAPE,
        ready=found.ready,
        type=request.type.code,
        form=request.type.form,
        requesting=one,
        requested=other,
        offence=request.case.offence,
        on=on,
        scope=found.basis,
        governing=tuple(_topic(answer, topic) for topic in TOPICS),
        always=tuple(rule.name for rule in answer.always if rule.applies is True),
        contents=found.findings,
        missing=tuple(found.missing),
        conditions=tuple(map(_condition, found.grounds)),
        bars=tuple(found.bars),
        never=tuple(NeverRow(row.article, row.what) for row in found.never),
        duties=tuple(DutyRow(row.article, row.on, row.what) for row in found.duties),
        gates=tuple(
            GateRow(
                row.gate.code,
                row.gate.question,
                row.gate.source,
                tuple(ShownFact(*fact) for fact in row.facts),
                row.answer is not None,
                row.what_to_do,
            )
            for row in found.gates
        ),
        clocks=tuple(map(_clock, found.clocks)),
    )


def _topic(answer: Answer, topic: str) -> GoverningRow:
    sure = answer.governing(topic)
    possible = (rule.name for rule in answer.on(topic) if rule not in sure)
    return GoverningRow(topic, tuple(rule.name for rule in sure), tuple(possible))


def _condition(row: Weighed) -> ConditionRow:
    condition = row.ground.condition
    ask = tuple(term(name).asks for name in condition.terms) if row.open is None else ()
    return ConditionRow(
        row.ground.article,
        row.ground.effect.value,
        condition.says,
        row.open,
        row.closed_by,
        condition.judged,
        row.ground.duties,
        ask,
    )


def _clock(row: RunningClock) -> ClockRow:
    state, due = row.state, row.state.due
    return ClockRow(
        state.clock.code,
        state.clock.label,
        row.article,
        state.clock.binds,
        state.status.value,
        due.at if due else None,
        due.last_day if due else None,
        due.exact if due else True,
        state.length_from,
        state.late,
        state.tell,
        state.clock.consequence,
        state.note,
    )
