"""Answers and the duty to prosecute: the tables of cases, and what holds of every ground."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from palermo.law.conditions.table import conditions
from palermo.law.grounds import Effect, grounds, of_instrument, read
from palermo.law.instruments import CODES
from palermo.law.prosecution import Refusal, duties
from palermo.law.refusal import NEVER_GROUNDS, answer_problems

CASES = Path(__file__).parent / "cases"
ANSWERS: list[dict[str, Any]] = tomllib.loads((CASES / "answers.toml").read_text("utf-8"))["case"]
PROSECUTIONS: list[dict[str, Any]] = tomllib.loads((CASES / "prosecutions.toml").read_text("utf-8"))["case"]
EVERY = [row for code in CODES for row in of_instrument(code).grounds]


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: f"{case['by']} {case['name']}")
def test_an_answer_of_the_table(case: dict[str, Any]) -> None:
    found = answer_problems(
        case["outcome"],
        ground=case["ground"],
        reasons="Stated in full" if case.get("reasons") else "",
        consultation="By telephone on 3 May" if case.get("consulted") else "",
        grounds=grounds(case["by"], [case["topic"]]),
    )
    assert len(found) == case["wrong"], found


@pytest.mark.parametrize("case", PROSECUTIONS, ids=lambda case: case["name"])
def test_a_prosecution_of_the_table(case: dict[str, Any]) -> None:
    refusal = Refusal(**{"national": None, "sole": None, "asked": None, **case["refusal"]})
    found = duties(refusal, case["bound"])
    assert {f"{row.instrument} {row.cite}" for row in found if row.arises} == set(case.get("owed", ()))
    assert {f"{row.instrument} {row.cite}" for row in found if row.arises is None} == set(case.get("unknown", ()))
    assert all(row.article.endswith(row.cite) for row in found)


@pytest.mark.parametrize("row", EVERY, ids=lambda row: f"{row.code} {row.when}")
def test_every_ground_has_a_condition_and_its_duties_in_words(row: Any) -> None:
    assert row.condition is conditions()[row.when] and row.condition.says.endswith(".")
    assert all(": " in duty for duty in row.duties)
    assert row.must_consult <= bool(row.consult)
    assert (row.effect in (Effect.DUTY, Effect.CONSIDER, Effect.CONDITION)) == (row.outcome == "")


def test_no_ground_is_one_that_never_is() -> None:
    assert not {row.code for row in EVERY} & set(NEVER_GROUNDS)
    assert {row.when for row in EVERY} <= set(conditions())


def test_a_faulty_file_of_grounds_is_refused() -> None:
    good = {"topics": ["assistance"], "cite": "18(9)", "effect": "may refuse", "when": "national"}
    with pytest.raises(ValueError, match="unknown fields"):
        read("UNTOC", {"ground": [{**good, "colour": "red"}]})
    with pytest.raises(ValueError, match="no condition"):
        read("UNTOC", {"ground": [{**good, "when": "whim"}]})
    with pytest.raises(KeyError):
        read("UNTOC", {"ground": [{**good, "cite": "18(99)"}]})
