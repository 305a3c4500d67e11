"""Legal bases that a blind match may rest on: treaty provisions from facts in TOML, and agreements by their names."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from palermo.law import strict

AGREEMENT = "Agreement: "
"""How a bilateral or regional agreement is cited; the authority that relies on it lists its name."""


@dataclass(frozen=True, slots=True)
class Basis:
    """One legal basis. ``name``: how it is stated to the partner; ``cites``: provisions of UNTOC (no agreement has).

    ``spellings``: other names under which it is recognised.
    """

    code: str
    name: str
    says: str
    cites: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


@cache
def treaty_bases() -> tuple[Basis, ...]:
    """Those that every authority of the Convention shares."""
    facts = strict.load(strict.shipped("bases.toml"))
    return tuple(Basis(**strict.frozen(row)) for row in facts["basis"])


def all_bases(agreements: Collection[str] = ()) -> list[Basis]:
    """Every basis that is recognised by who listed these ``agreements`` (their names)."""
    says = "An agreement in force between the two authorities."
    return [*treaty_bases(), *(Basis("agreement", AGREEMENT + name, says) for name in agreements)]


def recognise(text: str, agreements: Collection[str] = ()) -> Basis | None:
    """The basis that a text states, however it is spelt; None if it states none of these.

    ``agreements``: names of the agreements in force with whoever states it, as this authority lists them.
    """
    wanted = _folded(text)
    return next(
        (basis for basis in all_bases(agreements) if wanted in map(_folded, (basis.name, *basis.spellings))), None
    )


def _folded(text: str) -> str:
    """Case, spaces, dashes of any kind, and the word for "article" make no difference."""
    bare = re.sub(r"\barts?\b\.?|\barticles?\b", "", text.casefold())
    return re.sub(r"[\s\u2010-\u2015-]+", "", bare)
