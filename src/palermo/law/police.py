"""Police-to-police cooperation (UNTOC Art. 27), and what its intelligence may be used for.

A hit that another authority gave is that authority's intelligence. A formal request may rest on it only if a person
judged the hit to be the same subject and the originator's consent to that use is recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from palermo.law.findings import Finding
from palermo.law.instruments import untoc


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryFacts:
    """What a police inquiry says. ``same_channel``: both sides are law enforcement agencies; None when not known."""

    subject_matter: str = ""
    question: str = ""
    purpose: str = ""
    cites_hit: bool = False
    same_channel: bool | None = None


@dataclass(frozen=True, slots=True)
class CitedHit:
    """A hit that a request cites.

    ``consent``: the originator's word on use in formal requests, None before any; ``conditions``: what it tied it to.
    """

    reference: str
    judged_same: bool | None
    consent: bool | None
    conditions: str = ""


def completeness(facts: InquiryFacts) -> list[Finding]:
    """What a police inquiry has to say before it can leave, all at once."""
    demands = (
        ("27(1)(a)", "both sides are law enforcement agencies", facts.same_channel, "Send it to a police partner."),
        ("27(1)(b)(i)", "the hit to be confirmed", facts.cites_hit, "Choose the hit that you ask about."),
        ("27(1)(b)(i)", "subject matter", bool(facts.subject_matter.strip()), "Say what the inquiry is about."),
        ("27(1)(b)(i)", "the question", bool(facts.question.strip()), "Say what you want confirmed."),
        ("27(1)", "purpose", bool(facts.purpose.strip()), "State the purpose of the inquiry."),
    )
    return [
        Finding(untoc(cite).name, present, what, "" if present else what_to_do)
        for cite, what, present, what_to_do in demands
    ]


def judged(hits: Sequence[CitedHit]) -> list[Finding]:
    """For each hit cited: a person has judged it the same subject. An unjudged hit carries nothing."""
    return [
        Finding(
            untoc("27(1)(b)(i)").name,
            hit.judged_same,
            f"hit {hit.reference} was judged the same subject",
            "" if hit.judged_same else f"Judge hit {hit.reference}; only one judged the same can be cited.",
        )
        for hit in hits
    ]


def cited(named: Sequence[tuple[str, str]]) -> list[Finding]:
    """For each confirmed hit (reference, caption) that a formal request names and does not cite: it has to.

    Saying that the request rests on nothing does not turn intelligence into evidence.
    """
    return [
        Finding(
            untoc("18(5)").name,
            False,
            f"the hit on {caption}, which the request names, is cited",
            f"Cite hit {reference} (it needs the originator's recorded consent), or leave out what it is about.",
        )
        for reference, caption in named
    ]


def stated(reference: str, holder: str, *, ours: bool) -> Finding:
    """For a hit that a partner's request cites: our own consent was checked when it came, another's cannot be."""
    return Finding(
        untoc("18(5)").name,
        True if ours else None,
        f"the consent of {holder} to use hit {reference} in a request" + ("" if ours else ": not verifiable here"),
        "" if ours else f"Ask {holder} whether it consented.",
        required=False,
    )


def consented(hits: Sequence[CitedHit]) -> list[Finding]:
    """For each hit cited in a formal request: the originator's recorded consent. Intelligence is not evidence."""
    return [
        Finding(
            untoc("18(5)").name,
            hit.consent,
            f"the originator's consent to use hit {hit.reference} in a request"
            + (f", on the condition: {hit.conditions}" if hit.conditions else ""),
            ""
            if hit.consent
            else f"Ask the originator with a hit confirmation; without its recorded consent hit {hit.reference} "
            "cannot be cited.",
        )
        for hit in hits
    ]
