"""Refusing and postponing: only on a ground of the governing provision, and with the duties that it carries.

Nothing here knows which States are concerned: the same answer is judged alike whoever gives it.
"""

from collections.abc import Sequence

from palermo.law.grounds import POSTPONED, REFUSED, Ground, grounds
from palermo.law.instruments import provision

__all__ = ["ASSISTANCE_GROUNDS", "NEVER_GROUNDS", "POLICE_GROUNDS", "POSTPONED", "REFUSED", "Ground", "answer_problems"]

ASSISTANCE_GROUNDS = tuple(row for row in grounds("UNTOC", ["assistance"]) if row.outcome)
POLICE_GROUNDS = grounds("UNTOC", ["police"])
NEVER_GROUNDS = {
    "18(8)": ("UNTOC", "18(8)"),
    "18(22)": ("UNTOC", "18(22)"),
    "16(15)": ("UNTOC", "16(15)"),
    "12(6)": ("UNTOC", "12(6)"),
    "UNCAC 46(8)": ("UNCAC", "46(8)"),
    "UNCAC 46(22)": ("UNCAC", "46(22)"),
    "UNCAC 44(16)": ("UNCAC", "44(16)"),
    "DRUGS1988 7(5)": ("DRUGS1988", "7(5)"),
    "TF1999 12(2)": ("TF1999", "12(2)"),
    "TF1999 13": ("TF1999", "13"),
    "TF1999 14": ("TF1999", "14"),
}
"""Provisions that say what is no ground: an answer that names one is told so."""


def answer_problems(
    outcome: str, *, ground: str, reasons: str, consultation: str, grounds: Sequence[Ground]
) -> list[str]:
    """Everything that keeps this answer from being given, all at once; an empty list when it may be given.

    ``grounds``: those open for the request. An answer that neither refuses nor postpones names no ground. Reasons are
    asked for with every refusal and every postponement: where the provision does not demand them, the partner would
    ask next. Consultation is asked for where it is owed before, and not only "where appropriate".
    """
    if outcome not in (REFUSED, POSTPONED):
        return [f"Only a refusal or a postponement names a ground; this answer is '{outcome}'."] if ground else []
    if ground in NEVER_GROUNDS:
        kept = provision(*NEVER_GROUNDS[ground])
        return [f"{kept.name}: {kept.says} Choose another ground, or execute the request."]
    known = next((row for row in grounds if row.code == ground and row.outcome == outcome), None)
    problems = []
    if known is None:
        names = ", ".join(dict.fromkeys(row.article for row in grounds if row.outcome == outcome))
        problems.append(f"Name the ground on which the request is {outcome}: {names or 'none for this request'}.")
    if not reasons.strip():
        problems.append(f"Give the reasons{_source(known.instrument, known.reasons) if known else '.'}")
    if known is not None and known.must_consult and not consultation.strip():
        owed = _source(known.instrument, known.consult)
        problems.append(f"Say when and how you consulted the other authority{owed}")
    return problems


def _source(instrument: str, cite: str) -> str:
    return f": {provision(instrument, cite).says}" if cite else "."
