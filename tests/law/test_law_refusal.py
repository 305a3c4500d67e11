"""Refusals and postponements: which grounds there are, which there never are, and what is owed with each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.law.refusal import ASSISTANCE_GROUNDS, NEVER_GROUNDS, POLICE_GROUNDS, answer_problems

CASES = [
    ("refused", "18(9)", "The conduct is no offence here", "", 0),
    ("refused", "18(9)", "", "", 1),
    ("refused", "18(9)", "   ", "", 1),
    ("refused", "18(21)(b)", "Security", "By telephone on 3 May; no terms were found", 0),
    ("refused", "18(21)(b)", "Security", "", 1),
    ("refused", "18(21)(b)", "", "", 2),
    ("refused", "", "Because", "", 1),
    ("refused", "", "", "", 2),
    ("refused", "18(25)", "It interferes", "Talked", 1),
    ("postponed", "18(25)", "It interferes with a running investigation", "By letter on 3 May", 0),
    ("postponed", "18(25)", "It interferes", "", 1),
    ("postponed", "18(21)(a)", "Form", "Talked", 1),
    ("refused", "18(8)", "Bank secrecy", "Talked", 1),
    ("refused", "18(22)", "A tax matter", "Talked", 1),
    ("accepted", "", "", "", 0),
    ("executed", "", "", "", 0),
    ("executed", "18(9)", "", "", 1),
]


@pytest.mark.parametrize(("outcome", "ground", "reasons", "consultation", "problems"), CASES)
def test_answers(outcome: str, ground: str, reasons: str, consultation: str, problems: int) -> None:
    found = answer_problems(
        outcome, ground=ground, reasons=reasons, consultation=consultation, grounds=ASSISTANCE_GROUNDS
    )
    assert len(found) == problems, found


@given(
    ground=st.sampled_from([g.code for g in ASSISTANCE_GROUNDS] + list(NEVER_GROUNDS) + ["", "18(3)"]), text=st.text()
)
def test_no_refusal_without_ground_and_reasons(ground: str, text: str) -> None:
    problems = answer_problems(
        "refused", ground=ground, reasons=text, consultation="On the telephone", grounds=ASSISTANCE_GROUNDS
    )
    open_grounds = {row.code for row in ASSISTANCE_GROUNDS if row.outcome == "refused"}
    assert (problems == []) == (ground in open_grounds and bool(text.strip()))


def test_duties_are_cited() -> None:
    duties = {ground.code: " ".join(ground.duties) for ground in ASSISTANCE_GROUNDS}
    assert "18(23)" in duties["18(9)"] and "18(26)" not in duties["18(9)"]
    assert "18(23)" in duties["18(21)(c)"] and "18(26)" in duties["18(21)(c)"]
    assert "18(23)" not in duties["18(25)"] and "18(26)" in duties["18(25)"]
    assert not set(NEVER_GROUNDS) & {ground.code for ground in (*ASSISTANCE_GROUNDS, *POLICE_GROUNDS)}
