"""No safe haven: who does not extradite a national, prosecutes (UNTOC 16(10)-(12), UNCAC 44(11), CoE extradition 6(2)).

The duty is a matter of its own, with dates that the two States agree; the clocks ``submission_for_prosecution`` and
``prosecution_outcome`` follow it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from palermo.law.instruments import provision
from palermo.law.three import Known, all_of, any_of, is_not


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is known of a refusal to extradite a national.

    ``sole``: nationality was the only ground; ``asked``: the seeking State asked for prosecution; ``for_sentence``:
    extradition was sought to enforce a sentence; ``returns``: surrendered on condition of return to serve it (16(11));
    ``own_jurisdiction``: it was refused because the requested State deems that it has jurisdiction (Budapest 24(6)).
    """

    national: Known
    sole: Known
    asked: Known
    for_sentence: Known = False
    returns: Known = False
    own_jurisdiction: Known = False


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty that a refusal for nationality brings. ``arises``: three-valued. ``what``: what is owed, to whom."""

    instrument: str
    cite: str
    arises: Known
    what: str
    clock: str = ""

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return provision(self.instrument, self.cite).name


SUBMIT = "submit the case without undue delay to the competent authorities for the purpose of prosecution"
INFORM = "submit the case to the competent authorities, and inform the requesting State of the result"
REPORT = "submit the case to the competent authorities for prosecution, and report the final outcome in due course"
ENFORCE = "consider enforcing the sentence, or what remains of it, where domestic law permits"


def duties(refusal: Refusal, binding: Iterable[str]) -> tuple[Duty, ...]:
    """What the requested State owes after refusing to extradite its national, by every instrument that binds both."""
    bound = set(binding)
    sole = all_of([refusal.national, refusal.sole, refusal.asked, is_not(refusal.returns)])
    with_others = all_of([refusal.national, refusal.asked])
    or_jurisdiction = any_of([sole, all_of([refusal.own_jurisdiction, refusal.asked])])
    enforce = all_of([refusal.national, refusal.for_sentence, refusal.asked])
    rows = (
        Duty("UNTOC", "16(10)", sole, SUBMIT, "submission_for_prosecution"),
        Duty("UNTOC", "16(12)", enforce, ENFORCE),
        Duty("UNCAC", "44(11)", sole, SUBMIT, "submission_for_prosecution"),
        Duty("COE-EXTRADITION", "6(2)", with_others, INFORM, "submission_for_prosecution_coe"),
        Duty("BUDAPEST", "24(6)", or_jurisdiction, REPORT, "submission_for_prosecution"),
    )
    return tuple(row for row in rows if row.instrument in bound)
