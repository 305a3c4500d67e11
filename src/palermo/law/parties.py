"""Who is party to what, since when: deposits of March 2015 turned into entry into force for each State.

A row of the depositary's table is a deposit. An instrument enters into force for a State some time after its deposit,
and never before it enters into force at all (UNTOC 38 and its like in each instrument). What the table cannot tell
stays unknown: whether a State that had deposited nothing by then has done so since, and from which day a successor
State was bound before it deposited. A State that was party is taken to be one still: leaving takes a denunciation,
which an administrator's file records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from palermo.law import strict
from palermo.law.instruments import SIGNED, Entry, Instrument, instrument
from palermo.law.three import Known

KINDS = ("ratified", "accepted", "approved", "acceded", "succeeded", "confirmed")
TABLED = ("UNTOC", "TIP", "FIREARMS", "UNCAC", "DRUGS1988", "TF1999")
"""The instruments whose table of deposits is kept. None is for those of the Council of Europe."""

DEPOSITARY = "Check with the depositary"


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a State deposited, and when. ``kind``: one of ``KINDS``, or "signed" where it did no more than that."""

    kind: str
    on: date


@dataclass(frozen=True, slots=True)
class Table:
    """The deposits of one instrument, as known on a day, by State."""

    instrument: str
    known: date
    source: str
    deposits: Mapping[str, Deposit]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an instrument binds a State on a day.

    ``party``: None where it is not known. ``since``: entry into force for it. ``says``: why, in a sentence.
    ``source`` and ``known``: where that comes from, and of which day it is ("" and None where nothing is known).
    """

    instrument: str
    state: str
    party: Known
    says: str
    since: date | None = None
    source: str = ""
    known: date | None = None


@dataclass(frozen=True, slots=True)
class _Head:
    instrument: str
    known: date
    source: str


@cache
def table(code: str) -> Table | None:
    """The table of an instrument, None where none is kept."""
    if code not in TABLED:
        return None
    path = strict.shipped(f"parties/{code}.toml")
    tables = strict.load(path)
    problems: list[str] = []
    deposits = {state: Deposit(kind, on) for kind in (*KINDS, "signed") for state, on in tables.pop(kind, {}).items()}
    problems += [f"{state}: '{row.on}' is no date." for state, row in deposits.items() if type(row.on) is not date]
    head = strict.row(_Head, tables, "the file", problems)
    if head is None or problems:
        raise strict.FactsError(path.name, problems)
    return Table(head.instrument, head.known, head.source, deposits)


def enters(entry: Entry, in_force: date | None, deposited: date) -> date:
    """When an instrument enters into force for who deposited on a day: never before it does so at all."""
    if entry.later_months is not None:
        own = _first_of_month_after(deposited, entry.later_months)
    else:
        own = deposited + timedelta(days=entry.later_days or 0)
    return own if in_force is None else max(own, in_force)


def standing(code: str, state: str, on: date) -> Standing:
    """Whether an instrument binds a State on a day, by the facts that come with Palermo."""
    facts = instrument(code)
    kept = table(code)
    if facts.status == SIGNED:
        return _signed(facts, state, on)
    if kept is None or facts.entry is None:
        return Standing(code, state, None, f"No table of its parties is kept here. {DEPOSITARY}.")
    if facts.in_force is not None and on < facts.in_force:
        return Standing(
            code, state, False, f"It entered into force on {facts.in_force}.", None, kept.source, kept.known
        )
    deposit = kept.deposits.get(state)
    if deposit is None or deposit.kind == "signed":
        return _nothing_deposited(kept, state, on, deposit)
    return _deposited(facts, facts.entry, kept, Standing(code, state, None, ""), deposit, on)


def _deposited(facts: Instrument, entry: Entry, kept: Table, whose: Standing, deposit: Deposit, on: date) -> Standing:
    since = enters(entry, facts.in_force, deposit.on)
    party: Known = on >= since
    says = (
        f"{deposit.kind.capitalize()} on {deposit.on}, in force for it since {since} ({facts.short} {entry.article})."
    )
    if deposit.kind == "succeeded":
        since, party = deposit.on, True if on >= deposit.on else None
        says = (
            f"Succeeded by a deposit of {deposit.on}, with effect from its independence, a day that is not kept here."
        )
    if on > kept.known and party:
        says += f" Later denunciations than of {kept.known:%B %Y} are not known here."
    return Standing(whose.instrument, whose.state, party, says, since, kept.source, kept.known)


def _nothing_deposited(kept: Table, state: str, on: date, deposit: Deposit | None) -> Standing:
    did = f"Signed on {deposit.on}, nothing deposited" if deposit else "Nothing deposited"
    if on <= kept.known:
        return Standing(kept.instrument, state, False, f"{did} by {kept.known}.", None, kept.source, kept.known)
    says = f"{did} by {kept.known}; since then not known. {DEPOSITARY}."
    return Standing(kept.instrument, state, None, says, None, kept.source, kept.known)


def _signed(facts: Instrument, state: str, on: date) -> Standing:
    known = facts.known or on
    if on <= known:
        return Standing(facts.code, state, False, f"Signed, not in force on {known}.", None, "", known)
    says = f"Signed, not in force on {known}; since then not known. {DEPOSITARY}."
    return Standing(facts.code, state, None, says, None, "", known)


def _first_of_month_after(day: date, months: int) -> date:
    """The first day of the month that follows the end of so many months after a day."""
    total = day.year * 12 + day.month - 1 + months + 1
    return date(total // 12, total % 12 + 1, 1)
