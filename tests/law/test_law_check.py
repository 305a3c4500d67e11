"""A whole request: swap test, what is not known, the table of types, and faulty facts."""

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.law import demands, request_types
from palermo.law.case import Case
from palermo.law.check import Asked, Report, Ruling, check
from palermo.law.checked import Checked, checked
from palermo.law.conditions.shape import Matter
from palermo.law.conditions.table import conditions
from palermo.law.gates import GateAnswer, gate_states, gates
from palermo.law.register import Register
from palermo.law.register_rows import PartyRow, StateRow
from palermo.law.request_file import RequestFile
from palermo.law.request_types import ROLES
from palermo.law.request_types import request_types as types
from palermo.law.statement import Person, Statement, StatementError
from palermo.law.states import State
from palermo.law.terms import Kind, terms
from palermo.law.three import Known
from palermo.sealing.authority import Role

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TODAY = date(2026, 3, 2)
YES_NO = sorted(name for name, term in terms().items() if term.kind is Kind.YES_NO)
SAFE = {code: GateAnswer("no", "proceed", "Nothing points to it") for code in gates()}
INSTRUMENTS = ("UNTOC", "UNCAC", "DRUGS1988", "TF1999", "COE-EXTRADITION", "COE-MLA", "BUDAPEST")

answers = st.dictionaries(st.sampled_from(YES_NO), st.sampled_from([True, False]))
kinds = st.sampled_from(list(types().values()))


def report(kind: Any, said: Statement, *codes: str, **more: Any) -> Report:
    return check(Asked(type=kind, said=said, **more), Ruling(contents=codes[:1], grounds=codes[:1], binding=codes), NOW)


# --- types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", types().values(), ids=lambda kind: kind.code)
def test_a_type_says_who_may_issue_and_receive_it_and_on_what_it_can_rest(kind: Any) -> None:
    assert kind.label and kind.says.endswith(".") and kind.articles
    assert kind.issue and kind.receive and set(kind.issue) | set(kind.receive) <= set(ROLES)
    assert any(demands.demanded(code, kind.groups) for code in kind.articles), "somebody demands something of it"
    assert set(kind.gates) == set(gates()), "no type leaves a safeguard out"


def test_police_and_fiu_types_are_intelligence_and_no_other_is() -> None:
    intelligence = {kind.code for kind in types().values() if kind.intelligence}
    assert intelligence == {
        "hit_confirmation",
        "police_inquiry",
        "spontaneous_information",
        "stop_payment",
        "fiu_postponement",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [('label = "X"\n', "form"), ("colour = 1\n", "unknown fields"), ('clocks = ["noon"]\n', "unknown")],
)
def test_a_faulty_type_is_refused(change: str, said: str) -> None:
    whole = (
        'says = "X."\nform = "assistance"\ntopics = []\ngroups = []\nissue = ["police"]\nreceive = ["police"]\n'
        'label = "X"\n'
    )
    text = change if said == "form" else whole + change
    with pytest.raises((ValueError, KeyError, TypeError)):
        request_types.read("x", text + "\n[articles]\nUNTOC = ['18(1)']\n")


def test_a_faulty_demand_is_refused() -> None:
    good = {"group": "assistance", "cite": "18(15)(a)", "what": "it", "do": "Say it.", "terms": ["purpose"]}
    assert demands.read("UNTOC", {"demand": [good]})[0].article == "UNTOC 18(15)(a)"
    for fault, error in (
        ({"colour": "red"}, ValueError),
        ({"terms": ["whim"]}, KeyError),
        ({"test": "guess"}, ValueError),
        ({"terms": []}, ValueError),
        ({"cite": "18(99)"}, KeyError),
    ):
        with pytest.raises(error):
            demands.read("UNTOC", {"demand": [{**good, **fault}]})


# --- what is not known ---------------------------------------------------------------------------


@settings(max_examples=150)
@given(said=answers, name=st.sampled_from(YES_NO), value=st.sampled_from([True, False]))
def test_learning_a_fact_never_turns_an_answer_round(said: dict[str, bool], name: str, value: bool) -> None:
    before = Statement({key: known for key, known in said.items() if key != name})
    after = before.with_(**{name: value})
    for condition in conditions().values():
        first, then = condition.holds(Matter(before)), condition.holds(Matter(after))
        assert first is None or first == then, condition.code


@settings(max_examples=60)
@given(said=answers, kind=kinds, code=st.sampled_from(INSTRUMENTS))
def test_nothing_is_ready_while_something_is_missing_barred_or_unanswered(
    said: dict[str, bool], kind: Any, code: str
) -> None:
    found = report(kind, Statement(said), code, gates=SAFE)
    assert found.ready == (not found.missing and not found.bars)
    assert not report(kind, Statement(said), code).ready, "without an answer to its safeguards none is ready"
    assert all(finding.what_to_do for finding in found.findings if finding.blocks)


def test_what_would_decide_an_unknown_condition_is_asked_for() -> None:
    asked = report(types()["extradition"], Statement({}), "COE-EXTRADITION").to_find_out
    assert terms()["lapsed_requested"].asks in asked and len(asked) == len(set(asked))


# --- safeguards ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "open_"),
    [
        (None, True),
        (GateAnswer("no", "proceed", "r"), False),
        (GateAnswer("yes", "proceed", "r"), True),
        (GateAnswer("unknown", "proceed", "r"), True),
        (GateAnswer("yes", "proceed", "r", reviewed=True), False),
        (GateAnswer("no", "stop", "r"), True),
        (GateAnswer("yes", "stop", "r", reviewed=True), True),
    ],
)
def test_a_gate_waits_for_a_person_and_for_a_second_where_there_is_a_concern(
    answer: GateAnswer | None, open_: bool
) -> None:
    given_ = {} if answer is None else {"torture": answer}
    (state,) = gate_states(("torture",), Statement({"purpose": "Trial"}), given_)
    assert bool(state.what_to_do) is open_
    assert ("Trial" in dict(state.facts).values()) and state.gate.source


# --- swap test -----------------------------------------------------------------------------------

PAIRS = [("XA", "XB"), ("XB", "XA"), ("XC", "XD"), ("XD", "XA")]
STATES = tuple(StateRow(code, name) for code, name in zip(("XA", "XB", "XC", "XD"), "ABCD", strict=True))


def register(bound: frozenset[str]) -> Register:
    rows = [
        PartyRow(instrument=code, state=row.code, source="Treaty office", known=TODAY, in_force=date(2010, 1, 1))
        for code in sorted(bound)
        for row in STATES
    ]
    known = {**Register().known, **{row.code: _state(row) for row in STATES}}
    return replace(Register(state=STATES, party=tuple(rows)), known=known)


def _state(row: StateRow) -> State:
    return State(row.code, f"State {row.name}")


def outcome(found: Checked) -> Any:
    """The report without the two States' names, wherever these are passed on."""
    text = repr(replace(found, requesting=found.requested))
    for code, name in zip(("XA", "XB", "XC", "XD"), "ABCD", strict=True):
        text = text.replace(code, "X").replace(f"State {name}", "State")
    return text


@settings(max_examples=25, deadline=None)
@given(
    said=answers,
    kind=kinds,
    bound=st.frozensets(st.sampled_from(INSTRUMENTS)),
    offence=st.sampled_from(["money-laundering", "kidnapping", "terrorist-financing", "drug-trafficking"]),
    group=st.sampled_from([True, False, None]),
)
def test_the_outcome_is_the_same_for_any_pair_of_states_with_the_same_facts(
    said: dict[str, bool], kind: Any, bound: frozenset[str], offence: str, group: Known
) -> None:
    laid = register(bound)
    found = {
        outcome(
            checked(
                RequestFile(
                    type=kind,
                    requesting=one,
                    requested=other,
                    case=Case(offence=offence, group=group, committed_in_several=True, maximum_years=5),
                    said=Statement(said),
                    gates=SAFE,
                ),
                laid,
                TODAY,
                NOW,
            )
        )
        for one, other in PAIRS
    }
    assert len(found) == 1


# --- the vocabulary ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"purpos": "x"}, "Did you mean purpose"),
        ({"purpose": 3}, "give text"),
        ({"political": "yes"}, "true or false"),
        ({"maximum_years": True}, "give a number"),
        ({"maximum_years": -1}, "give a number"),
        ({"deadline": "2026-13-01"}, "year-month-day"),
        ({"nature": "curiosity"}, "choose one of"),
        ({"persons": [{"name": "x"}]}, "identity, location, nationality"),
        ({"persons": "x"}, "identity, location, nationality"),
    ],
)
def test_what_is_no_statement_is_refused_with_what_to_do(values: dict[str, object], said: str) -> None:
    with pytest.raises(StatementError, match=said):
        Statement(values)


def test_all_faults_are_named_at_once_and_a_wrong_question_fails() -> None:
    with pytest.raises(StatementError) as caught:
        Statement({"purpose": 3, "political": "yes"})
    assert len(caught.value.problems) == 2
    said = Statement({"persons": [Person("Ilse Varga")], "deadline": date(2026, 5, 1), "purpose": "  "})
    assert said.text("deadline") == "2026-05-01" and said.says("purpose") is False and said.persons()
    with pytest.raises(TypeError):
        said.answer("purpose")
    with pytest.raises(KeyError):
        said.text("whim")


# --- between two States --------------------------------------------------------------------------

BOUND = frozenset({"UNTOC", "UNCAC", "COE-EXTRADITION", "COE-MLA", "BUDAPEST"})
COMPLETE = tomllib.loads((Path(__file__).parent / "cases" / "complete.toml").read_text("utf-8"))


def complete(kind: Any, bound: frozenset[str]) -> Checked:
    offence = "public-embezzlement" if kind.code == "asset_return" else "money-laundering"
    case = Case(offence=offence, group=True, committed_in_several=True, electronic_evidence=True, maximum_years=10)
    case = replace(case, predicate="public-embezzlement", person_there=True)
    asked = RequestFile(type=kind, requesting="XA", requested="XB", case=case, said=Statement(COMPLETE), gates=SAFE)
    return checked(asked, register(bound), TODAY, NOW)


@pytest.mark.parametrize("kind", types().values(), ids=lambda kind: kind.code)
def test_a_complete_request_of_each_type_is_ready_between_states_that_its_instruments_bind(kind: Any) -> None:
    found = complete(kind, BOUND)
    assert found.ready, (found.missing, found.bars)
    assert found.contents and {row.topic for row in found.governing} >= {"basis", "contents", "grounds"}


@pytest.mark.parametrize("code", ["extradition", "data_preservation", "bank_records"])
def test_without_a_known_basis_none_is_ready_and_each_thing_missing_says_what_to_do(code: str) -> None:
    found = complete(types()[code], frozenset())
    assert not found.ready and found.missing
    assert all(row.what_to_do for row in found.scope if row.blocks)


def test_the_european_convention_governs_beside_untoc_and_untoc_keeps_its_duties() -> None:
    found = complete(types()["extradition"], BOUND)
    assert "CoE Extradition Convention 12(2)(a)" in {row.article for row in found.contents}
    assert {"UNTOC 16(10)", "UNTOC 16(16)"} <= {row.article for row in found.duties}
    mla = complete(types()["bank_records"], BOUND)
    assert {row.article for row in mla.never} >= {"UNTOC 18(8)"} and "UNTOC 18(8)" in mla.always
    assert not any(row.article == "UNTOC 18(22)" for row in mla.never), "18(22) yields with 18(9) to (29)"


def test_functions_are_those_that_the_directory_gives() -> None:
    assert set(ROLES) < set(Role)
