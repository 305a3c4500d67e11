"""Offences by conduct: a taxonomy mapped to the instruments' articles, and found by any name that a law gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from palermo.law import strict
from palermo.law.nearest import folded, near

COVERED, CONSIDERED, BY_PREDICATE = "covered", "considered", "by predicate"


@dataclass(frozen=True, slots=True)
class Cover:
    """One instrument's provision on an offence.

    ``how``: "covered" by the instrument itself; "considered": States only consider it; "by predicate": only where the
    predicate or underlying offence is covered by the same instrument.
    """

    instrument: str
    cite: str
    how: str


@dataclass(frozen=True, slots=True)
class Offence:
    """One offence. ``conduct``: what was done, in plain words. ``names``: what laws call it, "zh: 洗钱罪"."""

    code: str
    name: str
    conduct: str
    names: tuple[str, ...]
    covered: tuple[str, ...] = ()
    considered: tuple[str, ...] = ()
    by_predicate: tuple[str, ...] = ()

    @property
    def covers(self) -> tuple[Cover, ...]:
        """Where the instruments speak of it; any offence may be serious crime besides (UNTOC 2(b))."""
        kinds = ((COVERED, self.covered), (CONSIDERED, self.considered), (BY_PREDICATE, self.by_predicate))
        return tuple(Cover(*text.partition(" ")[::2], how) for how, texts in kinds for text in texts)

    def cover(self, instrument: str) -> Cover | None:
        """Where one instrument speaks of it."""
        return next((one for one in self.covers if one.instrument == instrument), None)


class UnknownOffenceError(LookupError):
    """No offence has this code or name. ``text``: what was given; ``near``: codes that look like it."""

    def __init__(self, text: str, alike: list[str]) -> None:
        self.text, self.near = text, alike
        hint = (
            f"Did you mean {' or '.join(alike)}?"
            if alike
            else "Choose by what was done: 'palermo law offences' lists them; 'serious-crime' stands for any other."
        )
        super().__init__(f"No offence is known as '{text}'. {hint}")


@cache
def offences() -> Mapping[str, Offence]:
    """Every offence of the taxonomy by code."""
    path = strict.shipped("offences.toml")
    tables = strict.load(path)
    problems: list[str] = []
    read = strict.rows(Offence, tables.pop("offence", []), "offence", problems)
    problems += [f"'{key}' is unknown." for key in tables]
    if problems:
        raise strict.FactsError(path.name, problems)
    return {offence.code: offence for offence in read}


def find(text: str) -> Offence:
    """The offence that a code or a name, in any language kept, means; :class:`UnknownOffenceError` where none does.

    A name that laws give to several offences means none: their codes are then named as near matches.
    """
    if (offence := offences().get(text.strip())) is not None:
        return offence
    wanted = folded(text)
    labels = {name: offence.code for offence in offences().values() for name in _names(offence)}
    same = dict.fromkeys(code for name, code in labels.items() if wanted and folded(name) == wanted)
    if len(same) == 1:
        return offences()[next(iter(same))]
    alike = same or dict.fromkeys(labels[name] for name in near(text, labels))
    raise UnknownOffenceError(text, list(alike))


def _names(offence: Offence) -> list[str]:
    return [offence.code, offence.name, *(name.partition(": ")[2] for name in offence.names)]
