"""Laws that every request type keeps by being in the registry."""

import pytest

from palermo.law.findings import Finding, missing
from palermo.law.gates import gates
from palermo.law.refusal import NEVER_GROUNDS
from palermo.node.office.policy import PERMISSIONS, Role
from palermo.node.requests.types.form import Widget, form_problems
from palermo.node.requests.types.registry import Channel, Parties, all_types, get

TYPES = sorted(all_types().items())
NOBODY = Parties(asker_has_role=None, asked_has_role=None, asker_name="", asked_languages=())
every_type = pytest.mark.parametrize(("code", "type_"), TYPES, ids=[code for code, _ in TYPES])


@every_type
def test_its_form_can_be_rendered_by_one_page(code, type_):
    assert get(code) is type_ and type_.code == code and type_.label and type_.summary and type_.legal_basis
    names = [field.name for field in type_.fields]
    assert len(set(names)) == len(names) and type_.cites_hits in names
    for field in type_.fields:
        assert field.label and field.help and field.max_length > 0
        assert (field.widget is Widget.RADIO) == bool(field.choices)
        assert not field.article or field.article.startswith("UNTOC ")


@every_type
def test_an_empty_form_is_incomplete_and_says_all_of_it_with_articles(code, type_):
    findings = type_.completeness({}, NOBODY)
    assert missing(findings)
    for finding in findings:
        assert isinstance(finding, Finding) and finding.article.startswith("UNTOC ")
        assert finding.present is True or finding.what_to_do
        assert finding.present is not True or not finding.what_to_do


@every_type
def test_its_outcome_does_not_depend_on_who_asks(code, type_):
    facts = {field.name: (field.choices[0][0] if field.choices else "words") for field in type_.fields}
    one = Parties(asker_has_role=True, asked_has_role=True, asker_name="Bureau of Aurelia", asked_languages=("en",))
    other = Parties(asker_has_role=True, asked_has_role=True, asker_name="Bureau of Borealia", asked_languages=("en",))
    assert type_.completeness(facts, one) == type_.completeness(facts, other)


@every_type
def test_its_channel_grounds_gates_and_permissions_exist(code, type_):
    assert type_.channel in list(Channel)
    assert type_.gates and set(type_.gates) <= set(gates())
    assert {"torture", "death_penalty", "neutrality"} <= set(type_.gates)
    assert any(ground.outcome == "refused" for ground in type_.grounds)
    assert not {ground.code for ground in type_.grounds} & set(NEVER_GROUNDS)
    assert all(ground.article and ground.says for ground in type_.grounds)
    assert {type_.approve, type_.send, type_.respond} <= set(PERMISSIONS) and type_.days > 0
    if type_.channel is Channel.CENTRAL_AUTHORITY:
        for permission in (type_.approve, type_.send, type_.respond):
            assert PERMISSIONS[permission].roles == {Role.CENTRAL_AUTHORITY}
        assert type_.hits_need_consent and not type_.intelligence
    else:
        assert type_.intelligence


@every_type
def test_its_form_refuses_what_it_did_not_ask(code, type_):
    assert form_problems(type_.fields, {"no_such_field": "x"})
    for field in type_.fields:
        assert form_problems(type_.fields, {field.name: "x" * (field.max_length + 1)})
        if field.choices:
            assert form_problems(type_.fields, {field.name: "neither"})
            assert not form_problems(type_.fields, {field.name: field.choices[0][0]})
