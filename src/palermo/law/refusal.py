"""When assistance may be refused or postponed, and what is owed then (UNTOC Art. 18(8), (9), (21) to (23), (25), (26)).

Nothing here knows which States are concerned: the same answer is judged alike whoever gives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from palermo.law.instruments import untoc

REFUSED = "refused"
POSTPONED = "postponed"


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground for not giving, or not yet giving, what was asked.

    ``code``: the provision; ``outcome``: "refused" or "postponed"; ``consult``: the two States consult first (18(26)).
    """

    code: str
    outcome: str
    consult: bool

    @property
    def article(self) -> str:
        """The provision, as cited to a reader."""
        return untoc(self.code).name

    @property
    def says(self) -> str:
        """The ground in plain words."""
        return untoc(self.code).says

    @property
    def duties(self) -> tuple[str, ...]:
        """What whoever uses this ground has to do."""
        owed = [f"{untoc('18(23)').name}: {untoc('18(23)').says}"] if self.outcome == REFUSED else []
        if self.consult:
            owed.append(f"{untoc('18(26)').name}: {untoc('18(26)').says}")
        return tuple(owed)


ASSISTANCE_GROUNDS = (
    Ground("18(9)", REFUSED, consult=False),
    Ground("18(21)(a)", REFUSED, consult=True),
    Ground("18(21)(b)", REFUSED, consult=True),
    Ground("18(21)(c)", REFUSED, consult=True),
    Ground("18(21)(d)", REFUSED, consult=True),
    Ground("18(25)", POSTPONED, consult=True),
)
POLICE_GROUNDS = (Ground("27(1)", REFUSED, consult=False),)
NEVER_GROUNDS = ("18(8)", "18(22)")


def answer_problems(
    outcome: str, *, ground: str, reasons: str, consultation: str, grounds: Sequence[Ground]
) -> list[str]:
    """Everything that keeps this answer from being given, all at once; an empty list when it may be given.

    ``grounds``: those open for the type of request. An answer that neither refuses nor postpones names no ground.
    """
    if outcome not in (REFUSED, POSTPONED):
        return [f"Only a refusal or a postponement names a ground; this answer is '{outcome}'."] if ground else []
    if ground in NEVER_GROUNDS:
        return [f"{untoc(ground).name}: {untoc(ground).says} Choose another ground, or execute the request."]
    known = next((row for row in grounds if row.code == ground and row.outcome == outcome), None)
    problems = []
    if known is None:
        names = ", ".join(row.article for row in grounds if row.outcome == outcome) or "none for this type of request"
        problems.append(f"Name the ground on which the request is {outcome}: {names}.")
    if not reasons.strip():
        problems.append(f"Give the reasons: {untoc('18(23)').says}")
    if known is not None and known.consult and not consultation.strip():
        problems.append(f"Say when and how you consulted the other authority: {untoc('18(26)').says}")
    return problems
