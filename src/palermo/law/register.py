"""The register: the facts that come with Palermo, with what an administrator's files add or correct, on any day.

What a file says of a State and an instrument comes before the facts; of two files the later one counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from palermo.law import parties, strict
from palermo.law.instruments import CODES, instrument
from palermo.law.offences import offences
from palermo.law.parties import Standing
from palermo.law.register_rows import (
    FORMS,
    AgreedRow,
    CheckedRow,
    DeclarationRow,
    PartyRow,
    StateRow,
    TreatyRow,
    believed,
    runs,
)
from palermo.law.states import State, states
from palermo.law.three import Known

KINDS: dict[str, type[Any]] = {
    "state": StateRow,
    "party": PartyRow,
    "treaty": TreatyRow,
    "declaration": DeclarationRow,
    "agreed": AgreedRow,
    "checked": CheckedRow,
}
"""The tables of a file, [[state]] and so on, and what a row of each holds."""


@dataclass(frozen=True, slots=True)
class Register:
    """Facts about States on instruments. Without rows: those that come with Palermo."""

    state: tuple[StateRow, ...] = ()
    party: tuple[PartyRow, ...] = ()
    treaty: tuple[TreatyRow, ...] = ()
    declaration: tuple[DeclarationRow, ...] = ()
    agreed: tuple[AgreedRow, ...] = ()
    checked: tuple[CheckedRow, ...] = ()
    known: Mapping[str, State] = field(default_factory=states, hash=False)

    def standing(self, code: str, state: str, on: date) -> Standing:
        """Whether an instrument or an additional protocol binds a State on a day."""
        row = next((one for one in reversed(self.party) if (one.instrument, one.state) == (code, state)), None)
        if row is not None:
            return _by_row(row, on)
        if code in CODES and state in states():
            return parties.standing(code, state, on)
        if state not in states():  # that a table of real States does not list it says nothing
            return Standing(code, state, None, "Nothing is known of it here: add a [[party]] row to your file.")
        return Standing(code, state, None, f"No table of its parties is kept here. {parties.DEPOSITARY}.")

    def treaties(self, one: str, other: str) -> tuple[TreatyRow, ...]:
        """Every treaty, agreement or memorandum of the files that names both States, in force or not."""
        return tuple(row for row in self.treaty if {one, other} <= set(row.states))

    def declarations(self, code: str, state: str) -> tuple[DeclarationRow, ...]:
        """What a State declared under an instrument, the latest row first."""
        return tuple(row for row in reversed(self.declaration) if (row.instrument, row.state) == (code, state))

    def no_other(self, one: str, other: str, form: str, on: date) -> Known:
        """Whether nothing else on a form of cooperation binds both: True where someone checked, else unknown."""
        rows = (row for row in self.checked if {one, other} <= set(row.states) and row.form == form)
        return True if any(believed(row.known, row.review, on) for row in rows) else None

    def in_lieu(self, code: str, one: str, other: str, on: date) -> bool:
        """Whether both agreed to apply the instrument's own paragraphs in place of their treaty.

        Such an agreement is the two States' own act: where none is recorded, there is none.
        """
        rows = (row for row in self.agreed if row.instrument == code and {one, other} <= set(row.states))
        return any(runs(row.since, row.until, on) for row in rows)

    def with_rows(self, other: "Register") -> "Register":
        """Both together; the other's rows count where they speak of the same."""
        joined = {name: getattr(self, name) + getattr(other, name) for name in KINDS}
        return replace(self, **joined, known={**self.known, **other.known})


def load(paths: Iterable[Path]) -> Register:
    """The facts with the files laid over them; :class:`~palermo.law.strict.FactsError` names every fault of one."""
    register = Register()
    for path in paths:
        register = register.with_rows(read(path, register))
    return register


def read(path: Path, before: Register | None = None) -> Register:
    """One file, alone. Its States may be those of ``before``."""
    tables = strict.load(path)
    problems: list[str] = []
    rows = {name: strict.rows(kind, tables.pop(name, []), name, problems) for name, kind in KINDS.items()}
    problems += [f"'{key}' is unknown (known: {', '.join(KINDS)})." for key in tables]
    earlier = (before or Register()).known
    added = {row.code: State(row.code, row.name, row.also) for row in rows["state"]}
    problems += [f"state {code}: that code is taken by {earlier[code].name}." for code in added if code in earlier]
    known = {**earlier, **added}
    for name, of_kind in rows.items():
        for number, row in enumerate(of_kind, 1):
            problems += [f"{name} {number}: {fault}" for fault in _faults(row, known)]
    if problems:
        raise strict.FactsError(path.name, problems)
    return Register(**rows, known=known)


def _by_row(row: PartyRow, on: date) -> Standing:
    since = row.in_force
    entry = instrument(row.instrument).entry if row.instrument in CODES else None
    if since is None and row.deposited is not None and entry is not None:
        since = parties.enters(entry, instrument(row.instrument).in_force, row.deposited)
    if row.party:
        bound = runs(since, row.until, on)
        until = f" until {row.until}" if row.until else ""
        says = f"In force for it since {since}{until}, by {row.source}."
    elif believed(row.known, row.review, on):
        bound, says = False, f"Not party on {row.known}, by {row.source}."
    else:
        bound, says = None, f"Not party on {row.known}; since then not known. {parties.DEPOSITARY}."
    return Standing(row.instrument, row.state, bound, says, since, row.source, row.known)


def _faults(row: Any, known: Mapping[str, State]) -> list[str]:
    has = {one.name for one in fields(row)}
    named = [*(row.states if "states" in has else ()), *([row.state] if "state" in has else [])]
    found = [f"'{code}' is no State's code; add a [[state]] if it should be." for code in named if code not in known]
    if "states" in has and len(set(row.states)) < 2:
        found.append("'states' names at least two.")
    forms = (*(row.forms if "forms" in has else ()), *([row.form] if "form" in has else []))
    found += [f"'{form}' is none of: {', '.join(FORMS)}." for form in forms if form not in FORMS]
    found += [f"'{code}' is no offence's code." for code in getattr(row, "offences", ()) if code not in offences()]
    if "instrument" in has and row.instrument not in _instruments():
        found.append(f"'{row.instrument}' is none of: {', '.join(_instruments())}.")
    elif isinstance(row, PartyRow):
        found += _party_faults(row)
    if isinstance(row, StateRow) and not (len(row.code) == 2 and row.code.isascii() and row.code.isupper()):
        found.append(f"'{row.code}' is no code of two capital letters.")
    return found


def _party_faults(row: PartyRow) -> list[str]:
    computed = row.instrument in CODES and instrument(row.instrument).entry is not None
    if row.party and row.in_force is None and (row.deposited is None or not computed):
        what = "'deposited' or 'in_force'" if computed else "'in_force'"
        return [f"give {what}: since when {row.state} is party to {row.instrument}."]
    return []


def _instruments() -> tuple[str, ...]:
    return (*CODES, *(protocol.code for code in CODES for protocol in instrument(code).protocols))
