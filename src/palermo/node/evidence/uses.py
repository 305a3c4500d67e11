"""What may be done with an item of evidence, and which of it needs its provider's consent first.

UNTOC Art. 18(19): "The requesting State Party shall not transmit or use information or evidence furnished by the
requested State Party for investigations, prosecutions or judicial proceedings other than those stated in the request
without the prior consent of the requested State Party." Art. 18(5) binds who received information without a request
(18(4)) to keep it confidential, and to the restrictions on its use that came with it.

Three things forbid: how the item came here, its Traffic Light Protocol and its handling code. What any of them forbids
is forbidden, so the strictest wins. The grades of source and information forbid nothing; they go along.
"""

from dataclasses import dataclass
from enum import StrEnum

from palermo.node.evidence.marks import HandlingCode, Marks, Origin, Tlp


class Use(StrEnum):
    """Something an officer may want to do with an item."""

    STATED = "stated"
    COURT = "court"
    CASE = "case"
    EXPORT = "export"
    CITE = "cite"
    SHARE = "share"
    EXCULPATORY = "exculpatory"


ASKABLE = (Use.COURT, Use.CASE, Use.EXPORT, Use.CITE, Use.SHARE)
"""What consent is asked for. The stated proceedings need none, exculpatory disclosure needs a notice instead."""

NEEDS_RECIPIENT = frozenset({Use.CITE, Use.SHARE})
LONGEST_TARGET = 200
_TARGETS = {
    Use.COURT: "in which proceedings, before which court",
    Use.CASE: "in which case of yours, by its reference",
    Use.EXPORT: "for what purpose it is exported",
    Use.CITE: "in which request it would be cited, by its reference",
    Use.SHARE: "which request it would answer, by its reference",
}


@dataclass(frozen=True, slots=True)
class Intent:
    """One use, exactly: consent to it opens nothing else.

    ``recipient``: code of the authority that would learn of the item (share, cite). ``target``: the case in which it
    would be used (case), the request that it would answer (share) or stand in (cite), the proceedings or purpose
    (court, export), the notice (exculpatory).
    """

    use: Use
    recipient: str = ""
    target: str = ""


def intent_problems(use: str, recipient: str, target: str) -> list[str]:
    """What is missing or too much for consent to be asked, or given, for a use: one sentence each."""
    if use not in [askable.value for askable in ASKABLE]:
        return [f"Choose the use: {', '.join(ASKABLE)}."]
    problems = []
    if not target or len(target) > LONGEST_TARGET:
        problems.append(f"Say {_TARGETS[Use(use)]}, in at most {LONGEST_TARGET} characters.")
    if bool(recipient) != (use in NEEDS_RECIPIENT):
        problems.append(
            "Name the authority that would learn of it." if not recipient else "No other authority learns of it so."
        )
    return problems


FOR_THE_STATED_PROCEEDINGS = Intent(Use.STATED)

_NOTHING: frozenset[Use] = frozenset()

BY_ORIGIN: dict[Origin, frozenset[Use]] = {
    Origin.OWN: _NOTHING,
    Origin.RECEIVED: frozenset({Use.CASE, Use.EXPORT, Use.CITE, Use.SHARE}),
    Origin.INTELLIGENCE: frozenset({Use.COURT, Use.CITE, Use.SHARE}),
}
"""Evidence is bound to the proceedings stated in the request (18(19)); intelligence is no evidence (18(5), 27)."""

BY_TLP: dict[Tlp, frozenset[Use]] = {
    Tlp.CLEAR: _NOTHING,
    Tlp.GREEN: frozenset({Use.EXPORT}),
    Tlp.AMBER: frozenset({Use.EXPORT, Use.CITE, Use.SHARE}),
    Tlp.AMBER_STRICT: frozenset({Use.EXPORT, Use.CITE, Use.SHARE}),
    Tlp.RED: frozenset({Use.CASE, Use.EXPORT, Use.CITE, Use.SHARE}),
}
"""FIRST TLP 2.0: GREEN stays in the community (the network), AMBER in the organisation, RED with who received it.

AMBER and AMBER+STRICT differ in the organisation's clients, of whom a node knows nothing.
"""

BY_HANDLING_CODE: dict[HandlingCode, frozenset[Use]] = {
    HandlingCode.H0: _NOTHING,
    HandlingCode.H1: frozenset({Use.COURT}),
    HandlingCode.H2: frozenset({Use.COURT, Use.EXPORT, Use.CITE, Use.SHARE}),
    HandlingCode.H3: frozenset({Use.COURT, Use.CASE, Use.EXPORT, Use.CITE, Use.SHARE}),
}
"""Europol: H1 not in judicial proceedings without permission, H2 not to be passed on, H3 other restrictions."""

_IN_WORDS = frozenset({Use.CASE, Use.EXPORT})
"""What a restriction in words forbids besides: a machine cannot read it, so leaving its case asks the provider."""


def needing_consent(origin: Origin, marks: Marks) -> frozenset[Use]:
    """The uses of an item that its provider must consent to first.

    Our own items need nobody's. What was furnished for stated proceedings may go before the court in these, whatever
    its handling code: that is what it was furnished for (18(3), 18(19)).
    """
    if origin is Origin.OWN:
        return _NOTHING
    forbidden = BY_ORIGIN[origin] | BY_TLP[marks.tlp] | BY_HANDLING_CODE[marks.handling_code]
    if marks.use_limit:
        forbidden |= _IN_WORDS
    return forbidden - {Use.COURT} if origin is Origin.RECEIVED else forbidden
