"""What Art. 18 demands, as a table of cases; unknown is a third value; no rule turns on which State is named."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.law.assistance import AssistanceFacts, Person, completeness
from palermo.law.findings import Finding, missing

COMPLETE = AssistanceFacts(
    requesting_authority="Central Authority of Aurelia",
    asker_is_central=True,
    asked_is_central=True,
    nature="investigation",
    subject_matter="Investment fraud run from a compound",
    conducting_authority="Fraud Unit of the Aurelian Police",
    conducting_functions="Investigates fraud under the direction of the prosecutor",
    summary="Forty victims paid into one account.",
    assistance="Statements and opening documents of the account",
    procedure="Copies certified by an officer of the bank",
    persons=(Person("Ilse Varga", "Port Meridian", "Borealian"),),
    purpose="Evidence in the prosecution for laundering",
    language="en",
    accepted_languages=("en", "fr"),
    offence="listed",
    transnational=True,
    transnational_grounds="Victims in one State, accounts in the other",
    organised_group=True,
    group_grounds="Eight people share the work",
    other_treaty=False,
)


def states(facts: AssistanceFacts, article: str) -> list[bool | None]:
    return [finding.present for finding in completeness(facts) if finding.article == f"UNTOC {article}"]


def blocked(facts: AssistanceFacts) -> set[str]:
    return {finding.article for finding in completeness(facts) if finding.blocks}


def test_a_complete_request_lacks_nothing() -> None:
    assert missing(completeness(COMPLETE)) == []
    assert all(finding.present is True and finding.what_to_do == "" for finding in completeness(COMPLETE))


CASES = [
    ({"requesting_authority": ""}, "18(15)(a)", [False], True),
    ({"requesting_authority": "  "}, "18(15)(a)", [False], True),
    ({"nature": "curiosity"}, "18(15)(b)", [False, True, True, True], True),
    ({"subject_matter": ""}, "18(15)(b)", [True, False, True, True], True),
    ({"conducting_authority": ""}, "18(15)(b)", [True, True, False, True], True),
    ({"conducting_functions": ""}, "18(15)(b)", [True, True, True, False], True),
    ({"summary": ""}, "18(15)(c)", [False], True),
    ({"summary": "", "service_of_documents": True}, "18(15)(c)", [], False),
    ({"assistance": ""}, "18(15)(d)", [False, True], True),
    ({"procedure": ""}, "18(15)(d)", [True, None], False),
    ({"persons": ()}, "18(15)(e)", [False], True),
    ({"persons": (), "persons_unknown": "the holder is not known"}, "18(15)(e)", [None], False),
    ({"persons": (Person("Ilse Varga"),)}, "18(15)(e)", [None], False),
    ({"purpose": ""}, "18(15)(f)", [False], True),
    ({"language": ""}, "18(14)", [False], True),
    ({"language": "xx"}, "18(14)", [False], True),
    ({"accepted_languages": ()}, "18(14)", [None], False),
    ({"transnational": None}, "18(1)", [None, True], True),
    ({"transnational": False}, "18(1)", [False, True], True),
    ({"organised_group": None}, "18(1)", [True, None], True),
    ({"group_grounds": ""}, "18(1)", [True, False], True),
    ({"offence": None}, "3(1)", [None], True),
    ({"offence": "unknown"}, "3(1)", [None], True),
    ({"offence": "other"}, "3(1)", [False], True),
    ({"offence": "serious"}, "3(1)", [None], True),
    ({"offence": "serious", "maximum_years": 3.5}, "3(1)", [False], True),
    ({"offence": "serious", "maximum_years": 4.0}, "3(1)", [True], False),
    ({"other_treaty": None}, "18(7)", [None], False),
    ({"other_treaty": True, "paragraphs_agreed": True}, "18(7)", [True], False),
    ({"other_treaty": True, "paragraphs_agreed": None}, "18(7)", [None], False),
    ({"other_treaty": True, "paragraphs_agreed": False}, "18(7)", [False], True),
    ({"asker_is_central": None}, "18(13)", [None, True], True),
    ({"asked_is_central": False}, "18(13)", [True, False], True),
    ({"deadline": "2026-05-01"}, "18(24)", [False], True),
    ({"deadline": "2026-05-01", "deadline_reasons": "a hearing"}, "18(24)", [True], False),
]


@pytest.mark.parametrize(("change", "article", "present", "holds_back"), CASES)
def test_each_demand(change: dict[str, object], article: str, present: list[bool | None], holds_back: bool) -> None:
    facts = replace(COMPLETE, **change)  # type: ignore[arg-type]
    assert states(facts, article) == present
    assert blocked(facts) == ({f"UNTOC {article}"} if holds_back else set())


def test_everything_missing_is_named_at_once() -> None:
    named = blocked(AssistanceFacts())
    assert {f"UNTOC 18(15)({letter})" for letter in "abcdef"} <= named
    assert {"UNTOC 3(1)", "UNTOC 18(1)", "UNTOC 18(13)", "UNTOC 18(14)"} <= named
    assert all(finding.what_to_do for finding in completeness(AssistanceFacts()) if finding.blocks)


answers = st.sampled_from([True, False, None])
words = st.sampled_from(["", "something", "  "])


@settings(max_examples=100)
@given(
    transnational=answers, group=answers, asker=answers, asked=answers, summary=words, names=st.permutations(range(2))
)
def test_the_outcome_does_not_depend_on_who_is_named(
    transnational: bool | None,
    group: bool | None,
    asker: bool | None,
    asked: bool | None,
    summary: str,
    names: list[int],
) -> None:
    """Swap test: the same facts with the two States' names exchanged everywhere give the same findings."""
    states_named = ["Aurelia", "Borealis"]

    def findings(first: str, second: str) -> list[Finding]:
        return completeness(
            replace(
                COMPLETE,
                requesting_authority=f"Central Authority of {first}",
                summary=summary and f"{first} suffers, {second} holds the account: {summary}",
                persons=(Person("Ilse Varga", second, first),),
                transnational=transnational,
                organised_group=group,
                asker_is_central=asker,
                asked_is_central=asked,
            )
        )

    one, other = (states_named[index] for index in names)
    assert findings(one, other) == findings(other, one)


@settings(max_examples=50)
@given(transnational=answers, group=answers)
def test_unknown_never_becomes_an_answer(transnational: bool | None, group: bool | None) -> None:
    facts = replace(COMPLETE, transnational=transnational, organised_group=group)
    assert states(facts, "18(1)") == [transnational, group]
