"""Grounds: when cooperation may or must be refused or postponed under an instrument, what closes one, what is owed.

From facts in TOML, one file an instrument. Nothing here knows which States are concerned.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cache
from typing import Any

from palermo.law import strict
from palermo.law.conditions.shape import Condition, Matter
from palermo.law.conditions.table import conditions
from palermo.law.instruments import provision
from palermo.law.three import Known

REFUSED = "refused"
POSTPONED = "postponed"


class Effect(StrEnum):
    """What follows where a condition is met. ``OUTSIDE``: no duty under the provision; ``NEEDED``: nothing without it.

    ``CONDITION``: cooperation goes on, and the right is kept; ``CONSIDER``: it is weighed; ``DUTY``: it is owed.
    """

    MAY_REFUSE = "may refuse"
    MUST_REFUSE = "must refuse"
    MAY_POSTPONE = "may postpone"
    OUTSIDE = "outside"
    NEEDED = "needed"
    CONDITION = "condition"
    CONSIDER = "consider"
    DUTY = "duty"

    @property
    def outcome(self) -> str:
        """The answer that it allows: "refused", "postponed", or "" for none."""
        refusing = (Effect.MAY_REFUSE, Effect.MUST_REFUSE, Effect.OUTSIDE, Effect.NEEDED)
        return REFUSED if self in refusing else POSTPONED if self is Effect.MAY_POSTPONE else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A ground of one instrument. The fields are described at the head of ``facts/grounds/UNTOC.toml``."""

    instrument: str
    topics: tuple[str, ...]
    cite: str
    effect: Effect
    when: str
    reasons: str = ""
    consult: str = ""
    consult_when: str = "always"
    duty: str = ""

    @property
    def code(self) -> str:
        """Under which an answer names it: the citation, with the instrument unless that is UNTOC."""
        return self.cite if self.instrument == "UNTOC" else f"{self.instrument} {self.cite}"

    @property
    def outcome(self) -> str:
        """The answer that it allows: "refused", "postponed", or "" for none."""
        return self.effect.outcome

    @property
    def condition(self) -> Condition:
        """The condition that opens it."""
        return conditions()[self.when]

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name

    @property
    def says(self) -> str:
        """The provision in plain words."""
        return provision(self.instrument, self.cite).says

    @property
    def must_consult(self) -> bool:
        """Whether this ground cannot be used without consultation first."""
        return bool(self.consult) and self.consult_when == "always"

    @property
    def duties(self) -> tuple[str, ...]:
        """What whoever uses this ground has to do, each with its provision."""
        owed = []
        if self.reasons and self.outcome:
            owed.append(self._duty(self.reasons))
        if self.consult:
            where = "" if self.must_consult else f" ({self.consult_when})"
            owed.append(self._duty(self.consult) + where)
        if self.duty:
            owed.append(self._duty(self.duty))
        return tuple(owed)

    def _duty(self, cite: str) -> str:
        kept = provision(self.instrument, cite)
        return f"{kept.name}: {kept.says}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """What is no ground. ``always``: also where another treaty governs; ``closes``: conditions that open none by it."""

    instrument: str
    topics: tuple[str, ...]
    cite: str
    what: str
    always: bool = False
    closes: tuple[str, ...] = ()

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A duty of the two States. ``on``: refusal, nationality, use, costs ...; ``always``: whichever treaty governs."""

    instrument: str
    topics: tuple[str, ...]
    cite: str
    on: str
    what: str
    always: bool = False

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that one instrument says about grounds."""

    grounds: tuple[Ground, ...] = ()
    never: tuple[Never, ...] = ()
    duties: tuple[Duty, ...] = ()


@cache
def of_instrument(code: str) -> Catalogue:
    """What is kept of one instrument; empty where nothing is. ``ValueError`` names a faulty row."""
    path = strict.shipped(f"grounds/{code}.toml")
    return read(code, strict.load(path)) if path.is_file() else Catalogue()


def read(code: str, facts: Mapping[str, Any]) -> Catalogue:
    """An instrument's grounds: its own, and those it has in common with another (``taken``: citations renamed)."""
    grounds = [
        Ground(**{**row, "effect": Effect(row["effect"])}) for row in _rows(code, facts.get("ground", ()), Ground)
    ]
    never = [Never(**row) for row in _rows(code, facts.get("never", ()), Never)]
    duties = [Duty(**row) for row in _rows(code, facts.get("duty", ()), Duty)]
    if taken := facts.get("taken"):
        source, cites = of_instrument(taken["from"]), taken["cites"]
        grounds[:0] = [_renamed(row, code, cites) for row in source.grounds if row.cite in cites]
        never[:0] = [replace(row, instrument=code, cite=cites[row.cite]) for row in source.never if row.cite in cites]
    for row in grounds:
        for cite in filter(None, (row.cite, row.reasons, row.consult, row.duty)):
            provision(code, cite)
        if row.when not in conditions():
            raise ValueError(f"grounds of {code} {row.cite}: no condition '{row.when}'")
    return Catalogue(tuple(grounds), tuple(never), tuple(duties))


def _rows(code: str, rows: Iterable[Mapping[str, Any]], shape: type) -> Iterable[dict[str, Any]]:
    known = {field.name for field in fields(shape)}
    for row in rows:
        if unknown := set(row) - known:
            raise ValueError(f"grounds of {code}: unknown fields {sorted(unknown)} in {row.get('cite')}")
        if row.get("cite"):
            provision(code, row["cite"])
        yield {"instrument": code, **strict.frozen(row)}


def _renamed(row: Ground, code: str, cites: Mapping[str, str]) -> Ground:
    """The same ground by another instrument's citations; a duty that it does not repeat is none there."""
    return replace(
        row,
        instrument=code,
        cite=cites[row.cite],
        reasons=cites.get(row.reasons, ""),
        consult=cites.get(row.consult, ""),
        duty=cites.get(row.duty, ""),
    )


@dataclass(frozen=True, slots=True)
class Weighed:
    """A ground held against a request. ``open``: yes where its condition is met, no where not or where it is closed.

    ``closed_by``: the provision that says it is none.
    """

    ground: Ground
    open: Known
    closed_by: str = ""


def grounds(instrument: str, topics: Iterable[str]) -> tuple[Ground, ...]:
    """The grounds of one instrument for these topics."""
    wanted = set(topics)
    return tuple(row for row in of_instrument(instrument).grounds if wanted & set(row.topics))


def never(governing: Iterable[str], binding: Iterable[str], topics: Iterable[str]) -> tuple[Never, ...]:
    """What is no ground: by the instruments that govern, and by those that bind, whichever governs."""
    wanted, ruling = set(topics), set(governing)
    rows = (row for code in dict.fromkeys([*sorted(ruling), *binding]) for row in of_instrument(code).never)
    return tuple(row for row in rows if wanted & set(row.topics) and (row.always or row.instrument in ruling))


def duties(governing: Iterable[str], binding: Iterable[str], topics: Iterable[str]) -> tuple[Duty, ...]:
    """The duties of the instruments that govern, and those of the binding ones that hold whichever governs."""
    wanted, ruling = set(topics), set(governing)
    rows = (row for code in dict.fromkeys([*sorted(ruling), *binding]) for row in of_instrument(code).duties)
    return tuple(row for row in rows if wanted & set(row.topics) and (row.always or row.instrument in ruling))


def weigh(
    matter: Matter, governing: Iterable[str], binding: Iterable[str], topics: Iterable[str]
) -> tuple[Weighed, ...]:
    """Every ground of the governing instruments, each open, closed, or not known.

    ``binding``: every instrument in force between the two States that covers the offence; ``topics``: of the request.
    """
    ruling, wanted = list(dict.fromkeys(governing)), set(topics)
    closing = {code: row.article for row in never(ruling, binding, wanted) for code in row.closes}
    found = []
    for ground in (row for code in ruling for row in grounds(code, wanted)):
        shut = closing.get(ground.when, "")
        found.append(Weighed(ground, False if shut else ground.condition.holds(matter), shut))
    return tuple(found)
