"""The provisions that rules cite, read from facts in TOML. A rule that cites what is not there fails at once."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Provision:
    """One provision of one instrument, in our own words.

    ``cite``: article, paragraph and letter, as in "18(15)(b)"; ``key``: a few words of the official English text.
    """

    instrument: str
    cite: str
    says: str
    key: str

    @property
    def name(self) -> str:
        """How it is cited to a reader, as in "UNTOC 18(15)(b)"."""
        return f"{self.instrument} {self.cite}"

    @property
    def article(self) -> str:
        """The article's number alone."""
        return self.cite.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Gate:
    """A safeguard: the question that a person answers, and where it comes from."""

    code: str
    question: str
    source: str


@cache
def untoc_provisions() -> dict[str, Provision]:
    """The provisions of UNTOC that are used here, by citation."""
    facts = tomllib.loads(files("palermo.law").joinpath("facts/untoc.toml").read_text("utf-8"))
    rows = [Provision(facts["short"], **row) for row in facts["provision"]]
    return {row.cite: row for row in rows}


def untoc(cite: str) -> Provision:
    """One provision of UNTOC; ``KeyError`` when no facts are kept for it."""
    return untoc_provisions()[cite]


@cache
def gates() -> dict[str, Gate]:
    """Every safeguard by code, in the order in which they are asked."""
    facts = tomllib.loads(files("palermo.law").joinpath("facts/gates.toml").read_text("utf-8"))
    return {row["code"]: Gate(**row) for row in facts["gate"]}
