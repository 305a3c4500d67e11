"""Scope and governing provision: a table of cases written from the articles, and laws that hold for any case at all."""

import tomllib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.law.between import TOPICS, Between, Treaty
from palermo.law.case import Case, Group
from palermo.law.governing import Answer, governing
from palermo.law.instruments import CODES, instrument, provision
from palermo.law.offences import offences
from palermo.law.offers import offers
from palermo.law.register_rows import FORMS
from palermo.law.scope import scope
from palermo.law.three import Known

ROWS = tomllib.loads(Path(__file__).with_name("basis_cases.toml").read_text("utf-8"))["case"]
PROTOCOLS = [protocol.code for code in CODES for protocol in instrument(code).protocols]
KEYS = {
    *("what", "article", "offence", "form", "bound", "unknown", "others_unknown", "in_lieu", "treaty", "case"),
    *("treaty_needed", "takes", "scope", "sufficient", "governing", "possible", "always"),
}


def pair_of(row: dict[str, Any]) -> Between:
    bound: dict[str, Known] = {code: code in row["bound"] for code in (*CODES, *PROTOCOLS)}
    bound.update(dict.fromkeys(row.get("unknown", ()), None))
    treaties = [
        Treaty(
            code=one["code"],
            short=one["short"],
            forms=tuple(one["forms"]),
            binding=one.get("binding", True),
            supplements=one.get("supplements"),
            offences=tuple(one.get("offences", ())),
            topics={topic: tuple(one["topics"].get(topic, ())) for topic in TOPICS},
        )
        for one in row.get("treaty", ())
    ]
    return Between(
        bound=bound,
        treaties=tuple(treaties),
        no_other={form: None if row.get("others_unknown") else True for form in FORMS},
        in_lieu={code: code in row.get("in_lieu", ()) for code in CODES},
        treaty_needed=row.get("treaty_needed"),
        takes=row.get("takes", {}),
    )


def expected(value: bool | str) -> Known:
    return None if value == "unknown" else bool(value)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["what"])
def test_case(row: dict[str, Any]) -> None:
    assert set(row) <= KEYS
    form, pair, case = row.get("form", "assistance"), pair_of(row), Case(offence=row["offence"], **row.get("case", {}))
    for code, value in row.get("scope", {}).items():
        assert scope(code, form, case, pair).holds is expected(value), code
    answer = governing(form, case, pair)
    if "sufficient" in row:
        assert answer.sufficient is expected(row["sufficient"])
    for topic, names in row.get("governing", {}).items():
        assert [rule.name for rule in answer.governing(topic)] == names, topic
    for topic, names in row.get("possible", {}).items():
        assert [rule.name for rule in answer.on(topic) if rule not in answer.governing(topic)] == names, topic
    always = {rule.name for rule in answer.always if rule.applies is True}
    assert set(row.get("always", ())) <= always


def test_the_table_is_long_and_each_of_its_articles_is_kept() -> None:
    assert len(ROWS) >= 75 and len({row["what"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        for name in row["article"]:
            code, _, cite = name.partition(" ")
            assert code in CODES
            assert not cite or any(one == cite or one.startswith(f"{cite}(") for one in instrument(code).provisions), (
                name
            )


@pytest.mark.parametrize("value", [True, False, None])
def test_a_group_is_organised_when_every_element_is_there(value: Known) -> None:
    whole = {one.name: True for one in fields(Group)}
    assert Group(**whole).organised is True and Group().organised is None
    for name in whole:
        assert Group(**{**whole, name: value}).organised is value


# Laws over any case, whatever the two States are.

thirds = st.sampled_from([True, False, None])
FACTS = [one.name for one in fields(Case) if one.name not in ("offence", "predicate", "maximum_years")]
cases = st.builds(
    Case,
    offence=st.sampled_from(sorted(offences())),
    predicate=st.sampled_from(["", "corruption", "drug-trafficking", "telecom-fraud", "money-laundering"]),
    maximum_years=st.sampled_from([None, 2.0, 4.0, 10.0]),
    **dict.fromkeys(FACTS, thirds),
)
treaties = st.builds(
    Treaty,
    code=st.just("AB"),
    short=st.just("Treaty of Port Meridian"),
    forms=st.sampled_from([("assistance",), ("extradition",), ("joint investigation", "assistance")]),
    binding=thirds,
    supplements=thirds,
    offences=st.sampled_from([(), ("corruption",)]),
    topics=st.just(dict.fromkeys(TOPICS, ("1",))),
)
pairs = st.builds(
    Between,
    bound=st.fixed_dictionaries(dict.fromkeys((*CODES, *PROTOCOLS), thirds)),
    treaties=st.lists(treaties, max_size=1).map(tuple),
    no_other=st.fixed_dictionaries(dict.fromkeys(FORMS, thirds)),
    in_lieu=st.fixed_dictionaries(dict.fromkeys(CODES, thirds)),
    treaty_needed=thirds,
    takes=st.fixed_dictionaries(dict.fromkeys(CODES, thirds)),
)
forms = st.sampled_from(FORMS)


def answers(answer: Answer) -> dict[tuple[str, ...], Known]:
    """Every yes, no and unknown of an answer, each under a name of its own."""
    found: dict[tuple[str, ...], Known] = {("sufficient",): answer.sufficient}
    for one in answer.considered:
        found["applies", one.instrument], found["basis", one.instrument] = one.applies, one.sufficient
    for rule in (*answer.rules, *answer.always):
        found[rule.topic, rule.instrument, rule.cite] = rule.applies
    return found


def learn(value: Known, known: bool) -> Known:
    return known if value is None else value


@settings(max_examples=150)
@given(form=forms, case=cases, pair=pairs, data=st.data())
def test_learning_what_was_unknown_never_turns_a_known_answer(
    form: str, case: Case, pair: Between, data: st.DataObject
) -> None:
    told = {name: learn(getattr(case, name), data.draw(st.booleans())) for name in FACTS}
    years = data.draw(st.sampled_from([2.0, 10.0])) if case.maximum_years is None else case.maximum_years

    def filled(known: Any) -> dict[str, Known]:
        return {key: learn(value, data.draw(st.booleans())) for key, value in known.items()}

    later = replace(
        pair,
        bound=filled(pair.bound),
        no_other=filled(pair.no_other),
        in_lieu=filled(pair.in_lieu),
        takes=filled(pair.takes),
        treaty_needed=learn(pair.treaty_needed, data.draw(st.booleans())),
        treaties=tuple(
            replace(
                one,
                binding=learn(one.binding, data.draw(st.booleans())),
                supplements=learn(one.supplements, data.draw(st.booleans())),
            )
            for one in pair.treaties
        ),
    )
    before = answers(governing(form, case, pair))
    after = answers(governing(form, replace(case, maximum_years=years, **told), later))
    assert before.keys() == after.keys()
    assert [key for key, value in before.items() if value is not None and after[key] is not value] == []


@settings(max_examples=100)
@given(form=forms, case=cases, pair=pairs)
def test_the_ranking_puts_what_is_certain_first_and_leaves_nothing_out(form: str, case: Case, pair: Between) -> None:
    answer = governing(form, case, pair)
    order = [{True: 0, None: 1, False: 2}[one.sufficient] for one in answer.considered]
    assert order == sorted(order)
    assert {one.instrument for one in answer.considered} >= set(CODES)
    for one in answer.considered:
        if one.sufficient is not True:
            assert any(reason.present is not True for reason in one.reasons), one.instrument
    for topic in TOPICS:
        assert len({rule.instrument for rule in answer.governing(topic)}) <= 1


@settings(max_examples=100)
@given(case=cases, pair=pairs)
def test_what_only_invites_is_never_a_basis(case: Case, pair: Between) -> None:
    for form in ("transfer of sentenced persons", "transfer of proceedings"):
        for one in governing(form, case, pair).considered:
            if one.instrument in ("UNTOC", "UNCAC", "DRUGS1988"):
                assert one.sufficient is False


def test_every_provision_that_the_rules_cite_is_kept_and_yields_only_by_one() -> None:
    for offer in offers():
        assert offer.form in FORMS and offer.basis
        assert not offer.yielding or provision(offer.instrument, offer.yields_by)
        assert set(offer.yielding) <= set(TOPICS)
