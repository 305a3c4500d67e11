"""What binds two States on a day: the facts on which the governing provision turns, and nothing about who they are.

The requesting State comes first. The rules that read this see no name of a State but in the sentences they pass on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from palermo.law.instruments import CODES, instrument
from palermo.law.register import Register
from palermo.law.register_rows import FORMS, TreatyRow, runs
from palermo.law.three import Known, all_of

TOPICS = ("basis", "contents", "grounds", "use", "cost", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Treaty:
    """A bilateral or regional treaty, as far as it matters here. ``binding``: in force between both, and no mere
    memorandum.

    ``topics``: citations by topic. ``supplements``: it only supplements a convention of the Council of Europe.
    """

    code: str
    short: str
    forms: tuple[str, ...]
    binding: Known
    topics: Mapping[str, tuple[str, ...]] = field(hash=False)
    supplements: Known = None
    offences: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Two States on a day.

    ``bound``: whether each instrument and additional protocol binds both; ``says``: why, one sentence a State.
    ``no_other``: by form, whether nothing else on it binds both. ``in_lieu``: by instrument, whether both agreed to
    apply its own paragraphs in place of their treaty. ``treaty_needed``: the requested State extradites only under a
    treaty; ``takes``: by instrument, whether it takes it as that treaty.
    """

    bound: Mapping[str, Known] = field(hash=False)
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    treaties: tuple[Treaty, ...] = ()
    no_other: Mapping[str, Known] = field(default_factory=dict, hash=False)
    in_lieu: Mapping[str, Known] = field(default_factory=dict, hash=False)
    treaty_needed: Known = None
    takes: Mapping[str, Known] = field(default_factory=dict, hash=False)


def between(register: Register, requesting: str, requested: str, on: date) -> Between:
    """What the register knows of two States, by code, on a day."""
    codes = (*CODES, *(protocol.code for code in CODES for protocol in instrument(code).protocols))
    standings = {code: [register.standing(code, state, on) for state in (requesting, requested)] for code in codes}
    bound = {code: all_of(one.party for one in both) for code, both in standings.items()}
    for code in CODES:
        if parent := instrument(code).supplements:
            bound[code] = all_of((bound[code], bound[parent]))
    return Between(
        bound=bound,
        says={code: tuple(f"{one.state}: {one.says}" for one in both) for code, both in standings.items()},
        treaties=tuple(_treaty(row, on) for row in register.treaties(requesting, requested)),
        no_other={form: register.no_other(requesting, requested, form, on) for form in FORMS},
        in_lieu={code: register.in_lieu(code, requesting, requested, on) for code in CODES},
        treaty_needed=_declared(register, requested, "treaty_needed"),
        takes={code: _declared(register, requested, "convention_is_basis", code) for code in CODES},
    )


def _treaty(row: TreatyRow, on: date) -> Treaty:
    in_force = runs(row.in_force, row.until, on)
    says = f"In force since {row.in_force}" + (f" until {row.until}" if row.until else "") + f", by {row.source}."
    if not row.binding:
        says = f"A memorandum that binds no one, by {row.source}."
    return Treaty(
        code=row.code,
        short=row.short,
        forms=row.forms,
        binding=all_of((in_force, row.binding)),
        topics={topic: getattr(row, topic) for topic in TOPICS},
        supplements=row.supplements,
        offences=row.offences,
        says=says,
    )


def _declared(register: Register, state: str, what: str, code: str = "") -> Known:
    """The latest word of a State on a question, under one instrument or under any."""
    for one in (code,) if code else CODES:
        for row in register.declarations(one, state):
            if (value := getattr(row, what)) is not None:
                return bool(value)
    return None
