"""On what cooperation between two States may rest on a day: every form, every instrument, every topic, as one report.

The report is what ``palermo law basis`` prints and what its JSON holds: fields are added last, none is renamed.
"""

from dataclasses import dataclass
from datetime import date

from palermo.law import offences, states
from palermo.law.between import between
from palermo.law.case import Case
from palermo.law.findings import Finding
from palermo.law.governing import Answer, Considered, Rule, governing
from palermo.law.offers import TOPICS
from palermo.law.parties import DEPOSITARY
from palermo.law.register import Register
from palermo.law.register_rows import FORMS
from palermo.law.three import Known

NOTIFIED = ("18(13)", "18(14)")
"""What a State notifies under UNTOC, and a request needs: its central authority, and the languages it accepts."""


@dataclass(frozen=True, slots=True)
class Party:
    """One of the two States: its ISO 3166-1 code and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Notified:
    """What the requested State notified. ``says``: None where it is not known; ``source``: who says so."""

    article: str
    says: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What governs one topic. ``governing``: for certain; ``possible``: only if what is unknown turns out so."""

    topic: str
    governing: tuple[str, ...]
    possible: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of cooperation. ``sufficient``: there is a basis on which a request may rest; None: not known."""

    form: str
    sufficient: Known
    considered: tuple[Considered, ...]
    topics: tuple[Topic, ...]
    always: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole. ``version``: of this shape."""

    version: int
    requesting: Party
    requested: Party
    offence: str
    conduct: str
    on: date
    forms: tuple[Form, ...]
    notified: tuple[Notified, ...]


class SameStateError(ValueError):
    """Both States are the same one."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"Both States are {code}: name the State that asks first, then the one that is asked.")


def report(register: Register, requesting: str, requested: str, case: Case, on: date) -> Report:
    """On what the two States, by code or name, may cooperate on a case on a day.

    Raises :class:`~palermo.law.states.UnknownStateError` and :class:`SameStateError`.
    """
    one, other = (states.find(text, register.known) for text in (requesting, requested))
    if one.code == other.code:
        raise SameStateError(one.code)
    pair = between(register, one.code, other.code, on)
    offence = offences.offences()[case.offence]
    return Report(
        1,
        Party(one.code, one.name),
        Party(other.code, other.name),
        offence.code,
        offence.conduct,
        on,
        tuple(_form(governing(form, case, pair)) for form in FORMS),
        tuple(_notified(register, other.code, article) for article in NOTIFIED),
    )


def _form(answer: Answer) -> Form:
    return Form(
        answer.form,
        answer.sufficient,
        answer.considered,
        tuple(_topic(answer, topic) for topic in TOPICS),
        tuple(rule.name for rule in answer.always if rule.applies is True),
    )


def _topic(answer: Answer, topic: str) -> Topic:
    sure = answer.governing(topic)
    possible = [rule for rule in answer.on(topic) if rule not in sure]
    return Topic(topic, tuple(rule.name for rule in sure), tuple(rule.name for rule in possible), answer.on(topic))


def _notified(register: Register, state: str, article: str) -> Notified:
    name = f"UNTOC {article}"
    row = next((one for one in register.declarations("UNTOC", state) if one.article == article), None)
    if row is None:
        return Notified(name, None, f"{DEPOSITARY}.")
    return Notified(name, row.authority or ", ".join(row.languages) or row.says, f"{row.source}, of {row.known}")


def unmet(one: Considered) -> tuple[Finding, ...]:
    """The reasons for which an instrument does not apply, or for which it is not known whether it does."""
    return tuple(reason for reason in one.reasons if reason.present is not True)
