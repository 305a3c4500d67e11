"""A request for mutual legal assistance under UNTOC Art. 18: its scope, and what the article demands of it.

The rules look at what the request says and at the two authorities' functions and languages, never at which States they
belong to. What is not known is None, and stays None: no rule turns "not known" into yes or no.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from palermo.law.case import SERIOUS_YEARS
from palermo.law.demands import completeness as demanded
from palermo.law.findings import Finding
from palermo.law.instruments import untoc
from palermo.law.statement import Person, Statement
from palermo.law.terms import terms

__all__ = ["AssistanceFacts", "Person", "completeness"]


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
        covered = facts.maximum_years >= SERIOUS_YEARS
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


RULES: tuple[Callable[[AssistanceFacts], Iterator[Finding]], ...] = (_offence, _standard, _treaty)


def statement(facts: AssistanceFacts) -> Statement:
    """The facts in the vocabulary of all requests; what is no value of its term is not said."""
    accepted: bool | None = None
    if facts.language and facts.accepted_languages:
        accepted = facts.language in facts.accepted_languages
    said = {one.name: getattr(facts, one.name) for one in fields(facts) if one.name in terms()}
    form = {"service_only": facts.service_of_documents, "other_channel_agreed": False}
    return Statement.of({**said, **form, "language_accepted": accepted})


def completeness(facts: AssistanceFacts) -> list[Finding]:
    """Scope first, then every demand of Art. 18 in the order of its paragraphs, none left out for another's absence."""
    texts: dict[str, Any] = {
        field.name: value.strip() for field in fields(facts) if isinstance(value := getattr(facts, field.name), str)
    }
    clean = replace(facts, **texts)
    scope = [finding for rule in RULES for finding in rule(clean)]
    return scope + demanded(statement(clean), ["UNTOC"], ["assistance"])
