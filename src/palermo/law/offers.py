"""What each instrument offers for each form of cooperation, from ``facts/governing.toml``."""

from dataclasses import dataclass
from functools import cache

from palermo.law import strict
from palermo.law.instruments import provision

TREATY, DUTY, EXTRADITION, AGREEMENT, INVITATION = "treaty", "duty", "extradition", "agreement", "invitation"
STRENGTHS = (TREATY, DUTY, EXTRADITION, AGREEMENT, INVITATION)
TOPICS = ("basis", "contents", "grounds", "use", "cost", "language")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One instrument on one form: which provisions speak to which topic, which of them yield, which apply always.

    ``strength``: how far it is a basis, one of ``STRENGTHS``. For extradition, ``included``: its offences count as
    extraditable in every treaty; ``optional``: who needs a treaty may take it as one; ``recognised``: who needs none
    recognises them.
    """

    instrument: str
    form: str
    strength: str
    basis: tuple[str, ...]
    contents: tuple[str, ...] = ()
    grounds: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    cost: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    yields_by: str = ""
    yielding: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    included: str = ""
    optional: str = ""
    recognised: str = ""

    def cites(self, topic: str) -> tuple[str, ...]:
        """The provisions on a topic; none where the instrument is silent."""
        found: tuple[str, ...] = getattr(self, topic)
        return found


@cache
def offers() -> tuple[Offer, ...]:
    """Every offer, in the order of the file; one that cites a provision of which no facts are kept fails."""
    path = strict.shipped("governing.toml")
    tables = strict.load(path)
    problems: list[str] = []
    read = strict.rows(Offer, tables.pop("rule", []), "rule", problems)
    problems += [f"'{key}' is unknown." for key in tables]
    problems += [f"rule {one.instrument}: strength '{one.strength}'." for one in read if one.strength not in STRENGTHS]
    if problems:
        raise strict.FactsError(path.name, problems)
    for one in read:
        named = [cite for topic in TOPICS for cite in one.cites(topic)] + list(one.always)
        for cite in (*named, one.yields_by, one.included, one.optional, one.recognised):
            if cite:
                provision(one.instrument, cite)
    return read


def on_form(form: str) -> tuple[Offer, ...]:
    """The offers for one form of cooperation."""
    return tuple(one for one in offers() if one.form == form)
