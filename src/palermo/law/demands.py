"""What each instrument demands of a request, from facts in TOML, held against what the request says.

The demands are data, so that an authority's own treaty can bring its own; how one is judged is one function here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from palermo.law import strict
from palermo.law.findings import Finding
from palermo.law.instruments import provision
from palermo.law.statement import Person, Statement
from palermo.law.terms import Kind, term

TESTS = ("said", "answered", "yes", "any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One thing that a request must contain. The fields are described at the head of ``facts/demands/UNTOC.toml``.

    ``required`` and ``optional``: see :class:`palermo.law.findings.Finding`; an optional demand is asked for, and its
    absence never holds the request back.
    """

    instrument: str
    group: str
    cite: str
    what: str
    do: str
    terms: tuple[str, ...]
    test: str = "said"
    among: tuple[str, ...] = ()
    only_if: str = ""
    unless: str = ""
    excused_by: str = ""
    person_parts: tuple[str, ...] = ("identity", "location", "nationality")
    required: bool = True
    optional: bool = False

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name

    def applies(self, said: Statement) -> bool:
        """Whether this request has to meet it; what is not known excuses from nothing and demands nothing more."""
        if self.only_if and said.says(self.only_if) is not True:
            return False
        return not (self.unless and said.says(self.unless) is True)

    def finding(self, said: Statement) -> Finding:
        """This demand, held against what the request says."""
        present = self._present(said)
        if present is not True and (self.optional or (self.excused_by and said.says(self.excused_by))):
            present = None
        what_to_do = "" if present is True else self.do
        return Finding(self.article, present, self.what, what_to_do, self.required and not self.optional)

    def _present(self, said: Statement) -> bool | None:
        if self.test == "answered":
            return said.answer(self.terms[0]) is not None
        states = [self._one(name, said) for name in self.terms]
        if self.test == "any":
            return True if True in states else None if None in states else False
        return False if False in states else None if None in states else True

    def _one(self, name: str, said: Statement) -> bool | None:
        if term(name).kind is Kind.PERSONS:
            return self._persons(said.persons(name))
        if self.among:
            return said.text(name) in self.among
        return said.says(name)

    def _persons(self, persons: Iterable[Person]) -> bool | None:
        named = list(persons)
        whole = all(getattr(person, part).strip() for person in named for part in self.person_parts)
        return False if not named else True if whole else None


@cache
def of_instrument(code: str) -> tuple[Demand, ...]:
    """Every demand that is kept of one instrument; empty where none are. ``ValueError`` names a faulty row."""
    path = strict.shipped(f"demands/{code}.toml")
    return read(code, strict.load(path)) if path.is_file() else ()


def read(code: str, facts: Mapping[str, Any]) -> tuple[Demand, ...]:
    """The demands of an instrument's facts: rows of its own, and those that it has in common with another.

    ``ValueError`` for an unknown field, term or test; ``KeyError`` for a provision that is not kept.
    """
    known = {field.name for field in fields(Demand)}
    rows = []
    for row in facts.get("demand", ()):
        if unknown := set(row) - known:
            raise ValueError(f"demands of {code}: unknown fields {sorted(unknown)} in {row.get('cite')}")
        rows.append(_checked(Demand(instrument=code, **strict.frozen(row))))
    return (*_taken(code, facts.get("taken", {})), *rows)


def _taken(code: str, taken: Mapping[str, Any]) -> tuple[Demand, ...]:
    if not taken:
        return ()
    source, cites = of_instrument(taken["from"]), taken["cites"]
    return tuple(_checked(replace(row, instrument=code, cite=cites[row.cite])) for row in source if row.cite in cites)


def _checked(demand: Demand) -> Demand:
    provision(demand.instrument, demand.cite)
    for name in (*demand.terms, *filter(None, (demand.only_if, demand.unless, demand.excused_by))):
        term(name)
    if demand.test not in TESTS or not demand.terms:
        where = f"demand {demand.instrument} {demand.cite}"
        raise ValueError(f"{where}: test is one of {', '.join(TESTS)}, over some terms")
    return demand


def demanded(instrument: str, groups: Iterable[str]) -> tuple[Demand, ...]:
    """The demands of one instrument on a request of these groups, in the order of its articles."""
    wanted = set(groups)
    return tuple(demand for demand in of_instrument(instrument) if demand.group in wanted)


def completeness(said: Statement, instruments: Iterable[str], groups: Iterable[str]) -> list[Finding]:
    """Every demand of these instruments on the request, present or missing, none left out for another's absence."""
    wanted = tuple(groups)
    rows = (demand for code in dict.fromkeys(instruments) for demand in demanded(code, wanted))
    return [demand.finding(said) for demand in rows if demand.applies(said)]
