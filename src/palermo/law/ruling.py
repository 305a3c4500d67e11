"""From what governs between two States to what a request of one type is checked against.

The step between :mod:`palermo.law.governing` (which provision governs each topic) and :mod:`palermo.law.check`.
"""

from dataclasses import replace

from palermo.law.between import Between
from palermo.law.case import Case
from palermo.law.check import Ruling
from palermo.law.findings import Finding
from palermo.law.governing import Answer, Considered, governing
from palermo.law.instruments import CODES
from palermo.law.offers import AGREEMENT, INVITATION
from palermo.law.parties import DEPOSITARY
from palermo.law.request_types import RequestType
from palermo.law.statement import Statement

PROTOCOL_TERMS = {
    "fiscal_protocol_binds": "ETS 99",
    "fiscal_second_protocol_binds": "ETS 98",
    "bis_in_idem_protocol_binds": "ETS 86",
}
"""Terms of a request that the register of parties answers, where the request does not."""


def ruling(kind: RequestType, answer: Answer) -> Ruling:
    """What a request of this type is checked against, given what governs its form of cooperation."""
    likeliest = _likeliest(kind, answer)
    contents, grounds = _governs(answer, "contents", likeliest), _governs(answer, "grounds", likeliest)
    basis = _basis(kind, answer, likeliest) + _unsure(answer)
    if not contents and likeliest is not None and likeliest.applies is not False:
        contents = (likeliest.instrument,)
    return Ruling(
        basis=basis,
        contents=contents,
        grounds=grounds,
        binding=tuple(one.instrument for one in answer.considered if one.applies is True),
    )


def answer_for(kind: RequestType, case: Case, pair: Between) -> Answer:
    """What governs the form of cooperation that a type of request asks for."""
    return governing(kind.form, case, pair)


def informed(said: Statement, pair: Between, answer: Answer, languages: tuple[str, ...] = ()) -> Statement:
    """What the register knows put in where the request says nothing: protocols, coverage, accepted languages."""
    known: dict[str, object] = {name: pair.bound.get(code) for name, code in PROTOCOL_TERMS.items()}
    covering = [one.applies for one in answer.considered if one.instrument == "UNTOC"]
    known["covered_offence"] = covering[0] if covering else None
    if languages and said.text("language"):
        known["language_accepted"] = said.text("language") in languages
    return said.with_(**{name: value for name, value in known.items() if said.answer(name) is None})


def _likeliest(kind: RequestType, answer: Answer) -> Considered | None:
    """The likeliest basis among those that this type can rest on: its articles', or a treaty between the two States."""
    own = (one for one in answer.considered if one.instrument in kind.articles or one.instrument not in CODES)
    return next((one for one in own if one.applies is not False), next(iter(answer.considered), None))


def _governs(answer: Answer, topic: str, likeliest: Considered | None) -> tuple[str, ...]:
    """The instrument that governs a topic for certain; or else the likeliest basis, unless that is silent or unsure."""
    rules = answer.governing(topic)
    if not rules and likeliest is not None:
        rules = tuple(rule for rule in answer.on(topic) if rule.instrument == likeliest.instrument)
        if not rules and likeliest.applies is True:
            return (likeliest.instrument,)
    return tuple(dict.fromkeys(rule.instrument for rule in rules or answer.on(topic)[:1]))


def _unsure(answer: Answer) -> tuple[Finding, ...]:
    """Where it is not known which provision governs contents or grounds: which may, and what to find out."""
    found = []
    for topic in ("contents", "grounds"):
        if answer.governing(topic) or not answer.on(topic):
            continue
        rule = answer.on(topic)[0]
        names = ", ".join(dict.fromkeys(one.name for one in answer.on(topic)))
        what = f"which provision governs {topic}: it may be {names}. {rule.why}"
        found.append(Finding(rule.name, None, what, "Find out what else binds both States.", required=False))
    return tuple(found)


def _basis(kind: RequestType, answer: Answer, likeliest: Considered | None) -> tuple[Finding, ...]:
    """The scope and standing of the likeliest basis; for what only an agreement carries, nothing of it is demanded."""
    if likeliest is None:
        what_to_do = "Look for a treaty, or ask by domestic law and reciprocity."
        return (Finding("-", False, "an instrument on which the request may rest", what_to_do),)
    if kind.needs_agreement and likeliest.strength in (AGREEMENT, INVITATION):
        return tuple(replace(reason, required=False) for reason in likeliest.reasons[:-1])
    found = tuple(
        replace(reason, what_to_do=f"{DEPOSITARY}.") if reason.blocks and not reason.what_to_do else reason
        for reason in likeliest.reasons
    )
    if likeliest.sufficient is not True and not any(reason.blocks for reason in found):
        what_to_do = "Establish what is not known above, or look for another basis: 'palermo law basis' lists all."
        name = likeliest.basis[0] if likeliest.basis else likeliest.short
        found = (*found, Finding(name, likeliest.sufficient, "a sufficient basis for the request", what_to_do))
    return found
