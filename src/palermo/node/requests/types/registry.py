"""The registry of request types: every folder here with a ``rule.py`` that exports ``TYPE``.

To add a type, add a folder. Its code is the folder's name, stored as text, so that no migration is needed; the laws in
``tests/laws`` cover it by its existing.
"""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module

from palermo.law.findings import Finding
from palermo.law.refusal import Ground
from palermo.node.requests.types.form import FormField


class Channel(StrEnum):
    """Which of an authority's functions asks and answers: it must be among its directory roles on both sides."""

    POLICE = "police"
    FIU = "fiu"
    CENTRAL_AUTHORITY = "central-authority"


@dataclass(frozen=True, slots=True)
class Parties:
    """What is known of the two sides, apart from the form: nothing here names a state, so no rule can turn on it."""

    asker_has_role: bool | None
    asked_has_role: bool | None
    asker_name: str
    asked_languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestType:
    """One type of request.

    ``approve``, ``send``, ``respond``: rows of the access policy for the second person, the sender and who answers.
    ``intelligence``: what comes back is intelligence and is never evidence. ``cites_hits``: form field with hit ids.
    ``completeness``: the treaty's demands, held against form and parties. ``days``: until an answer is due.
    """

    code: str
    label: str
    summary: str
    legal_basis: str
    channel: Channel
    intelligence: bool
    fields: tuple[FormField, ...]
    completeness: Callable[[Mapping[str, str], Parties], list[Finding]]
    grounds: tuple[Ground, ...]
    gates: tuple[str, ...]
    approve: str
    send: str
    respond: str
    days: int
    cites_hits: str = "hits"
    hits_need_consent: bool = True


@cache
def all_types() -> dict[str, RequestType]:
    """Every type by code, in alphabetical order."""
    folder = import_module("palermo.node.requests.types").__path__
    names = sorted(module.name for module in pkgutil.iter_modules(folder) if module.ispkg)
    found = {name: import_module(f"palermo.node.requests.types.{name}.rule").TYPE for name in names}
    if wrong := [name for name, type_ in found.items() if type_.code != name]:
        raise ValueError(f"The code of a request type is its folder's name; not so: {', '.join(wrong)}")
    return found


def get(code: str) -> RequestType | None:
    """The type of that code, if there is one."""
    return all_types().get(code)
