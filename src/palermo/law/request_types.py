"""The types of request in the law's terms, from facts in TOML, one file a type: adding one touches nothing else.

A type says which demands, grounds, clocks and safeguards concern it, on which articles it can rest, and which functions
of an authority may issue and receive it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from palermo.law import strict
from palermo.law.clocks.table import clocks
from palermo.law.gates import gates
from palermo.law.instruments import provision
from palermo.law.register_rows import FORMS

ROLES = ("police", "fiu", "central-authority", "customs", "border", "drug-control")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestType:
    """One type of request.

    ``form``: the form of cooperation whose governing provision is looked for; ``topics``: those of the grounds that
    are open, none where an article only invites (UNTOC 17, 19 to 21): who is free needs no ground to decline;
    ``groups``: of the demands on it; ``articles``: on which it can rest, by instrument.
    ``issue``, ``receive``: functions of the authorities, as in the directory. ``intelligence``: never evidence.
    ``needs_agreement``: its article only invites, or asks for a decision: an agreement or consent carries it.
    """

    code: str
    label: str
    says: str
    form: str
    topics: tuple[str, ...]
    groups: tuple[str, ...]
    articles: Mapping[str, tuple[str, ...]]
    issue: tuple[str, ...]
    receive: tuple[str, ...]
    clocks: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    intelligence: bool = False
    needs_agreement: bool = False


@cache
def request_types() -> dict[str, RequestType]:
    """Every type by code, in alphabetical order; ``ValueError`` or ``KeyError`` names a faulty file."""
    rows = (read(path.stem, path.read_text("utf-8")) for path in sorted(strict.shipped("types").glob("*.toml")))
    return {row.code: row for row in rows}


def read(code: str, text: str) -> RequestType:
    """One type from its file, checked against every table that it names."""
    facts: dict[str, Any] = tomllib.loads(text)
    if unknown := set(facts) - {field.name for field in fields(RequestType)} - {"code"}:
        raise ValueError(f"types/{code}.toml: unknown fields {sorted(unknown)}")
    values = strict.frozen(facts)
    values["articles"] = {name: tuple(cites) for name, cites in facts["articles"].items()}
    found = RequestType(code=code, **values)
    for instrument, cites in found.articles.items():
        for cite in cites:
            provision(instrument, cite)
    wrong = [name for name in found.clocks if name not in clocks()]
    wrong += [name for name in found.gates if name not in gates()]
    wrong += [name for name in (*found.issue, *found.receive) if name not in ROLES]
    if wrong or found.form not in FORMS:
        raise ValueError(f"types/{code}.toml: unknown {', '.join(wrong) or found.form}")
    return found
