"""What a request for mutual legal assistance under UNTOC Art. 18 must contain, checked all at once.

The rules look at what the request says and at the two authorities' functions and languages, never at which States they
belong to. What is not known is None, and stays None: no rule turns "not known" into yes or no.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from palermo.law.findings import Finding
from palermo.law.instruments import untoc

NATURES = ("investigation", "prosecution", "judicial proceeding")
MINIMUM_YEARS = 4.0


@dataclass(frozen=True, slots=True)
class Person:
    """A person concerned, as far as known ("" where not)."""

    identity: str
    location: str = ""
    nationality: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceFacts:
    """What a request says. Text: "" where nothing is said. Yes or no: None where not known.

    ``offence``: "listed" (UNTOC Arts. 5, 6, 8, 23), "serious" (at least four years), "other", or None.
    ``maximum_years``: heaviest imprisonment that the offence carries. ``other_treaty``: a treaty of mutual assistance
    binds both States; ``paragraphs_agreed``: they agreed to use Art. 18(9) to (29) in its place.
    """

    requesting_authority: str = ""
    asker_is_central: bool | None = None
    asked_is_central: bool | None = None
    nature: str = ""
    subject_matter: str = ""
    conducting_authority: str = ""
    conducting_functions: str = ""
    service_of_documents: bool = False
    summary: str = ""
    assistance: str = ""
    procedure: str = ""
    persons: tuple[Person, ...] = ()
    persons_unknown: str = ""
    purpose: str = ""
    language: str = ""
    accepted_languages: tuple[str, ...] = ()
    offence: str | None = None
    maximum_years: float | None = None
    transnational: bool | None = None
    transnational_grounds: str = ""
    organised_group: bool | None = None
    group_grounds: str = ""
    other_treaty: bool | None = None
    paragraphs_agreed: bool | None = None
    deadline: str = ""
    deadline_reasons: str = ""


def _found(cite: str, what: str, present: bool | None, what_to_do: str, *, required: bool = True) -> Finding:
    return Finding(untoc(cite).name, present, what, "" if present is True else what_to_do, required)


def _offence(facts: AssistanceFacts) -> Iterator[Finding]:
    covered: bool | None = {"listed": True, "other": False}.get(facts.offence or "")
    if facts.offence == "serious" and facts.maximum_years is not None:
        covered = facts.maximum_years >= MINIMUM_YEARS
    yield _found(
        "3(1)",
        "an offence that the Convention covers",
        covered,
        "State the offence: one of Articles 5, 6, 8 and 23, or a serious crime with its heaviest penalty in years "
        "(four at least). Other offences need another treaty.",
    )


def _standard(facts: AssistanceFacts) -> Iterator[Finding]:
    for present, grounds, what in (
        (facts.transnational, facts.transnational_grounds, "the offence is transnational"),
        (facts.organised_group, facts.group_grounds, "an organized criminal group is involved"),
    ):
        yield _found(
            "18(1)",
            f"reasonable grounds to suspect that {what}",
            present and bool(grounds),
            f"Say whether there are reasonable grounds to suspect that {what}, and give them. "
            "Without them this Article gives no right to assistance.",
        )


def _treaty(facts: AssistanceFacts) -> Iterator[Finding]:
    applies: bool | None = None
    if facts.other_treaty is not None:
        applies = True if not facts.other_treaty else facts.paragraphs_agreed
    yield _found(
        "18(7)",
        "paragraphs 9 to 29 apply between the two States",
        applies,
        "Find out whether another treaty of mutual assistance binds both States. If one does, use that treaty, or "
        "agree to apply these paragraphs in its place.",
        required=False,
    )


def _channel(facts: AssistanceFacts) -> Iterator[Finding]:
    for present, who in ((facts.asker_is_central, "our"), (facts.asked_is_central, "the requested")):
        yield _found(
            "18(13)",
            f"{who} side is a designated central authority",
            present,
            f"Send it between central authorities: {who} side is not known to be one in the directory.",
        )


def _form(facts: AssistanceFacts) -> Iterator[Finding]:
    accepted: bool | None = None
    if facts.language and facts.accepted_languages:
        accepted = facts.language in facts.accepted_languages
    names = ", ".join(facts.accepted_languages) or "none is known: ask the authority"
    yield _found(
        "18(14)",
        "a language acceptable to the requested authority",
        accepted if facts.language else False,
        f"Write the request in an accepted language ({names}).",
        required=False,
    )


def _authority(facts: AssistanceFacts) -> Iterator[Finding]:
    yield _found(
        "18(15)(a)",
        "the authority that makes the request",
        bool(facts.requesting_authority),
        "Name the authority that makes the request.",
    )


def _proceeding(facts: AssistanceFacts) -> Iterator[Finding]:
    for value, what, what_to_do in (
        (facts.nature in NATURES, "nature of the proceeding", f"Choose one of: {', '.join(NATURES)}."),
        (bool(facts.subject_matter), "subject matter of the proceeding", "Say what the proceeding is about."),
        (bool(facts.conducting_authority), "name of the authority conducting it", "Name the authority conducting it."),
        (bool(facts.conducting_functions), "functions of that authority", "Say what that authority's functions are."),
    ):
        yield _found("18(15)(b)", what, value, what_to_do)


def _summary(facts: AssistanceFacts) -> Iterator[Finding]:
    if not facts.service_of_documents:
        yield _found("18(15)(c)", "summary of the relevant facts", bool(facts.summary), "Summarise the relevant facts.")


def _assistance(facts: AssistanceFacts) -> Iterator[Finding]:
    yield _found(
        "18(15)(d)",
        "description of the assistance sought",
        bool(facts.assistance),
        "Describe what you ask for, so that it can be executed.",
    )
    yield _found(
        "18(15)(d)",
        "any particular procedure wished",
        bool(facts.procedure) or None,
        "Say which procedure you wish (such as certified copies), or that you wish none.",
        required=False,
    )


def _persons(facts: AssistanceFacts) -> Iterator[Finding]:
    present: bool | None = False
    if facts.persons:
        complete = all(person.identity and person.location and person.nationality for person in facts.persons)
        present = True if complete else None
    elif facts.persons_unknown:
        present = None
    yield _found(
        "18(15)(e)",
        "identity, location and nationality of the persons concerned, where possible",
        present,
        "Give identity, location and nationality of each person concerned, or say why that is not possible.",
        required=False,
    )


def _purpose(facts: AssistanceFacts) -> Iterator[Finding]:
    yield _found(
        "18(15)(f)",
        "purpose for which the evidence is sought",
        bool(facts.purpose),
        "State the purpose: what is furnished may be used for nothing else (UNTOC 18(19)).",
    )


def _deadline(facts: AssistanceFacts) -> Iterator[Finding]:
    if facts.deadline:
        yield _found(
            "18(24)",
            "reasons for the deadline suggested",
            bool(facts.deadline_reasons),
            "Give the reasons for the deadline, or suggest none.",
        )


RULES: tuple[Callable[[AssistanceFacts], Iterator[Finding]], ...] = (
    _offence,
    _standard,
    _treaty,
    _channel,
    _form,
    _authority,
    _proceeding,
    _summary,
    _assistance,
    _persons,
    _purpose,
    _deadline,
)


def completeness(facts: AssistanceFacts) -> list[Finding]:
    """Every demand of Art. 18 on a request, in the order of the articles, none left out for another's absence."""
    texts: dict[str, Any] = {
        field.name: value.strip() for field in fields(facts) if isinstance(value := getattr(facts, field.name), str)
    }
    clean = replace(facts, **texts)
    return [finding for rule in RULES for finding in rule(clean)]
