"""The swap test: the same facts give the same outcome whichever two states are named.

For every request type of the registry, one authority asks the other, then the two change places, with every mention of
either exchanged. What the treaty demands, what holds the request back, the grounds on offer and the verdict on every
possible refusal must read the same.
"""

import pytest

from palermo.law.refusal import answer_problems
from palermo.node.cases import actions as cases
from palermo.node.office.errors import InvalidError
from palermo.node.requests import actions, queries
from palermo.node.requests.models import Request
from palermo.node.requests.types.form import Widget
from palermo.node.requests.types.registry import all_types

TYPES = sorted(all_types().items())
FILLS = ("nothing", "words", "last choices")
NAMES = {"AA-POL": ("Bureau of AA", "Aurelia"), "BB-POL": ("Bureau of BB", "Borealia")}


def said(code: str, other: str, text: str) -> str:
    """The text with both states replaced by the parts they play."""
    for part, names in (("ASKER", (code, *NAMES[code])), ("ASKED", (other, *NAMES[other]))):
        for name in names:
            text = text.replace(name, part)
    return text


def facts_of(type_, asker: str, asked: str, fill: str) -> dict[str, str]:
    """A form in which every text names both states; choices are the first or the last."""
    if fill == "nothing":
        return {}
    words = f"{NAMES[asker][1]} asks {NAMES[asked][1]}"
    choice = 0 if fill == "words" else -1
    facts = {field.name: words for field in type_.fields if field.widget in (Widget.TEXT, Widget.TEXTAREA)}
    facts |= {field.name: field.choices[choice][0] for field in type_.fields if field.choices}
    facts |= {field.name: "2026-01-01" for field in type_.fields if field.widget is Widget.DATE}
    return {name: text[: next(f.max_length for f in type_.fields if f.name == name)] for name, text in facts.items()}


def outcome(network, officer, type_, asker: str, asked: str, fill: str, flag: str) -> list[str]:
    """All that the rules say of such a request at both sides, with the parts in place of the names."""
    told = []
    facts = facts_of(type_, asker, asked, fill)
    with network.as_authority(asker):
        case = cases.open_case(officer, title="T", purpose="P", legal_basis="L", neutrality=flag, now=network.now)
        made = actions.draft(
            officer, type=type_.code, case=case.reference, partner=asked, facts=facts, now=network.now
        ).reference
        told += [str(finding) for finding in queries.check(officer, made)]
        actions.answer_gate(
            officer, made, gate="neutrality", concern="no", decision="proceed", reason="None.", now=network.now
        )
        told += queries.gate_problems(officer, made)
        with pytest.raises(InvalidError) as refused:
            actions.submit_for_approval(officer, made, now=network.now)
        told += refused.value.problems
    Request.objects.filter(reference=made).update(
        direction="in", partner=asker, state="received", payload=b"{}", message_id="m"
    )
    with network.as_authority(asked):
        told += [str(ground) for ground in queries.permitted_grounds(officer, made)]
        told += [str(finding) for finding in queries.check(officer, made)] + queries.gate_problems(officer, made)
    return [said(asker, asked, text).replace(made, "REQUEST") for text in told]


@pytest.mark.parametrize("flag", ["", "political"])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(("code", "type_"), TYPES, ids=[code for code, _ in TYPES])
def test_requests_come_out_the_same_with_the_two_states_swapped(network, make_officer, code, type_, fill, flag):
    officer = make_officer("all", "investigator", "supervisor", "central_authority")
    there = outcome(network, officer, type_, "AA-POL", "BB-POL", fill, flag)
    back = outcome(network, officer, type_, "BB-POL", "AA-POL", fill, flag)
    assert there == back and there


@pytest.mark.parametrize(("code", "type_"), TYPES, ids=[code for code, _ in TYPES])
def test_refusals_come_out_the_same_with_the_two_states_swapped(code, type_):
    for ground in (*(row.code for row in type_.grounds), "18(8)", "18(22)", ""):
        for verdict in ("refused", "postponed", "executed"):
            pair = []
            for asker, asked in (("AA-POL", "BB-POL"), ("BB-POL", "AA-POL")):
                words = f"{NAMES[asked][1]} declines what {NAMES[asker][1]} asks"
                problems = answer_problems(
                    verdict, ground=ground, reasons=words, consultation=words, grounds=type_.grounds
                )
                pair.append([said(asker, asked, text) for text in problems])
            assert pair[0] == pair[1]
