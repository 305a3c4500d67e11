"""The instruments, and the provisions that rules cite, from facts in TOML. A rule that cites what is not there fails.

One file an instrument: ``facts/instruments/CODE.toml``, read strictly (``law/strict.py``), and only when asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType

from palermo.law import strict

CODES = (
    "UNTOC",
    "TIP",
    "FIREARMS",
    "UNCAC",
    "DRUGS1988",
    "TF1999",
    "COE-EXTRADITION",
    "COE-MLA",
    "BUDAPEST",
    "CYBERCRIME-UN",
)
"""Every instrument of which facts are kept, in the order in which equals are listed."""

KINDS = ("offences", "extradition", "mutual assistance")
IN_FORCE, SIGNED = "in force", "signed, not in force"


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision of one instrument, in our own words.

    ``instrument``, ``short``: its code and its short name. ``cite``: article, paragraph and letter, as in "18(15)(b)".
    ``key``: a few words of the official English text. ``brought_by``: the additional protocol that wrote it, to which
    both States must be party ("" where the instrument itself did). ``note``: what a protocol changed besides.
    """

    instrument: str
    short: str
    cite: str
    says: str
    key: str
    brought_by: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """How it is cited to a reader, as in "UNTOC 18(15)(b)"."""
        return f"{self.short} {self.cite}"

    @property
    def article(self) -> str:
        """The article's number alone."""
        return self.cite.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """How it enters into force for a State (``article`` says so): a time after the deposit, in days or in months.

    ``first``: how many deposits bring it into force at all, ``first_days`` or ``first_months`` after the last of them.
    ``later_days``, ``later_months``: for who deposits afterwards. Months end on the first day of the next month.
    """

    article: str
    first: int
    first_days: int | None = None
    first_months: int | None = None
    later_days: int | None = None
    later_months: int | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """An additional protocol that a consolidated text contains."""

    code: str
    full: str
    adopted: date


@dataclass(frozen=True, slots=True)
class Instrument:
    """One treaty.

    ``kind``: "offences" (cooperation about certain offences), "extradition" or "mutual assistance" (about any).
    ``status``: "in force" since ``in_force``, or "signed, not in force" as ``known`` on that day.
    ``supplements``: the instrument with which a protocol is read.
    """

    code: str
    short: str
    full: str
    kind: str
    adopted: date
    depositary: str
    status: str
    in_force: date | None = None
    known: date | None = None
    supplements: str = ""
    entry: Entry | None = None
    protocols: tuple[Protocol, ...] = ()
    provisions: Mapping[str, Provision] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class _Head:
    code: str
    short: str
    full: str
    kind: str
    adopted: date
    depositary: str
    status: str
    in_force: date | None = None
    known: date | None = None
    supplements: str = ""


@dataclass(frozen=True, slots=True)
class _Cited:
    cite: str
    says: str
    key: str
    brought_by: str = ""
    note: str = ""


@cache
def instrument(code: str) -> Instrument:
    """One instrument; ``KeyError`` when no facts are kept for it."""
    if code not in CODES:
        raise KeyError(code)
    return read(strict.shipped(f"instruments/{code}.toml"))


def provision(code: str, cite: str) -> Provision:
    """One provision; ``KeyError`` when no facts are kept for it."""
    return instrument(code).provisions[cite]


def untoc(cite: str) -> Provision:
    """One provision of UNTOC; ``KeyError`` when no facts are kept for it."""
    return provision("UNTOC", cite)


def read(path: Path) -> Instrument:
    """One instrument's file; :class:`~palermo.law.strict.FactsError` names every fault of it."""
    tables = strict.load(path)
    problems: list[str] = []
    protocols = strict.rows(Protocol, tables.pop("protocol", []), "protocol", problems)
    cited = strict.rows(_Cited, tables.pop("provision", []), "provision", problems)
    given = tables.pop("entry", None)
    entry = strict.row(Entry, given, "entry", problems) if given is not None else None
    head = strict.row(_Head, tables, "the file", problems)
    if head is not None:
        problems += _head_faults(head, entry)
    problems += _provision_faults(cited, {protocol.code for protocol in protocols})
    if problems or head is None:
        raise strict.FactsError(path.name, problems)
    values = {name: getattr(head, name) for name in _Head.__slots__}
    provisions = {
        one.cite: Provision(head.code, head.short, one.cite, one.says, one.key, one.brought_by, one.note)
        for one in cited
    }
    return Instrument(**values, entry=entry, protocols=protocols, provisions=MappingProxyType(provisions))


def _head_faults(head: _Head, entry: Entry | None) -> list[str]:
    found = []
    if head.kind not in KINDS:
        found.append(f"kind: '{head.kind}' is none of: {', '.join(KINDS)}.")
    if head.status not in (IN_FORCE, SIGNED):
        found.append(f"status: '{head.status}' is none of: {IN_FORCE}; {SIGNED}.")
    if head.status == IN_FORCE and head.in_force is None:
        found.append("in_force: say since when it is in force.")
    if head.status == SIGNED and head.known is None:
        found.append("known: say on which day that status was known.")
    if entry is not None and (entry.later_days is None) == (entry.later_months is None):
        found.append("entry: give either 'later_days' or 'later_months'.")
    return found


def _provision_faults(cited: tuple[_Cited, ...], protocols: set[str]) -> list[str]:
    found, seen = [], set()
    for one in cited:
        if one.cite in seen:
            found.append(f"provision {one.cite} stands twice.")
        if one.brought_by and one.brought_by not in protocols:
            found.append(f"provision {one.cite}: '{one.brought_by}' is no [[protocol]] of this file.")
        seen.add(one.cite)
    return found
