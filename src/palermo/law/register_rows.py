"""The rows of an administrator's file: what a State's own authority adds to the facts, each with source and date.

Whatever says that something is *not* so (not party, no other treaty) is believed until ``review``: by default a year
after the day on which it was known. After that it is unknown again.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from palermo.law.three import Known

REVIEW = timedelta(days=366)
FORMS = (
    "assistance",
    "extradition",
    "confiscation",
    "return of assets",
    "information",
    "police",
    "preservation",
    "joint investigation",
    "special techniques",
    "transfer of proceedings",
    "transfer of sentenced persons",
)
"""The forms of cooperation that two States may have a treaty or agreement about."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """A State that Palermo has no facts of, such as a fictitious one. ``code``: two letters, none that is taken."""

    code: str
    name: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """Whether a State is party. ``instrument``: its code, or that of an additional protocol such as "ETS 182".

    ``deposited`` (Palermo computes the rest) or ``in_force``: since when; ``until``: when a denunciation took effect.
    """

    instrument: str
    state: str
    source: str
    known: date
    party: bool = True
    deposited: date | None = None
    in_force: date | None = None
    until: date | None = None
    review: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatyRow:
    """A treaty, agreement or memorandum between some States, on one or more forms of cooperation.

    The topics hold citations, as the treaty numbers its articles; an empty one: it is silent. ``offences``: codes, none
    for any offence. ``binding``: False for a memorandum that binds no one. ``supplements``: whether it only
    supplements a convention of the Council of Europe on the same matter, where one binds both States.
    """

    code: str
    short: str
    full: str
    forms: tuple[str, ...]
    states: tuple[str, ...]
    in_force: date
    source: str
    known: date
    until: date | None = None
    binding: bool = True
    supplements: bool | None = None
    offences: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    language: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationRow:
    """A declaration, notification or reservation of a State. ``article``: under which it was made, as in "16(5)(a)".

    ``treaty_needed``: its extradition depends on a treaty; ``convention_is_basis``: it takes the instrument as that
    treaty (UNTOC 16(5)). ``authority``: its central authority (18(13)); ``languages``: those it accepts (18(14)).
    """

    instrument: str
    state: str
    article: str
    says: str
    source: str
    known: date
    treaty_needed: bool | None = None
    convention_is_basis: bool | None = None
    authority: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedRow:
    """Two States agreed to apply an instrument's own paragraphs in place of their treaty (UNTOC 18(7) and its like)."""

    instrument: str
    states: tuple[str, ...]
    since: date
    source: str
    known: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRow:
    """Someone checked that no treaty on this form binds the two States but those listed here or kept by Palermo."""

    states: tuple[str, ...]
    form: str
    source: str
    known: date
    review: date | None = None


def believed(known: date, review: date | None, on: date) -> bool:
    """Whether a "not so" still counts on a day."""
    return on <= (review or known + REVIEW)


def runs(since: date | None, until: date | None, on: date) -> Known:
    """Whether a day lies in a period; unknown before it where its beginning is not known."""
    if until is not None and on >= until:
        return False
    return since is None or on >= since
