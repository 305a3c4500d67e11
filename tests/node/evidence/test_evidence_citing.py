"""Citing evidence in a request or an answer is a use of it: without its provider's consent nothing of it leaves."""

from datetime import timedelta

import pytest
from three_nodes import nodes

from palermo.node.evidence import actions, use_queries
from palermo.node.ledger import queries as ledger
from palermo.node.office import actions as office
from palermo.node.office.errors import InvalidError, NotFoundError
from palermo.node.requests import actions as requests
from palermo.node.requests import queries
from palermo.node.requests.messages import REQUEST_TYPE, CitedItem, RequestMessage
from palermo.node.requests.models import Request

WHY = {"intended": "Cited as the reason", "legal_basis": "UNTOC Art. 18(19)", "reasons": "One account paid both."}


def draft(hands, partner, **changes) -> str:
    """A formal request of AA-POL, with its safeguards answered."""
    world = hands.world
    with world.at(hands.A) as node:
        reference = requests.draft(
            node.officer("central_authority"),
            type="bank_records",
            case=world.cases[hands.A],
            partner=partner,
            facts={**nodes.BANK_FACTS, "hits": "", "rests_on_intelligence": "no", **changes},
            now=world.tick(),
        ).reference
    nodes.answer_gates(world, hands.A, reference)
    return reference


def cite(hands, reference, *items):
    with hands.world.at(hands.A) as node:
        return requests.cite_items(
            node.officer("central_authority"), reference, items=list(items), now=hands.world.tick()
        )


def submit(hands, reference):
    with hands.world.at(hands.A) as node:
        requests.submit_for_approval(node.officer("central_authority"), reference, now=hands.world.tick())


def send(hands, reference):
    nodes.approve(hands.world, hands.A, reference, "second_central")
    with hands.world.at(hands.A) as node:
        requests.send(node.officer("central_authority"), reference, now=hands.world.tick())


def consent(hands, asker, provider, item, target, recipient, **answer) -> str:
    """The provider's consent to a citation, asked for and answered through the exchange."""
    world = hands.world
    with world.at(asker) as node:
        question = actions.ask_use(
            node.officer("central_authority"),
            item=item,
            use="cite",
            target=target,
            recipient=recipient,
            **WHY,
            now=world.tick(),
        ).reference
    hands.post()
    with world.at(provider) as node:
        first, second = node.officer("central_authority"), node.officer("second_central")
        decision = {"outcome": "granted", "reasons": "It is covered.", **answer}
        actions.propose_answer(first, question, **decision, now=world.tick())
        asked = use_queries.approval(second, question)
        office.decide_approval(second, asked.pk, approved=True, reason="Read.", now=world.tick())
        actions.send_answer(first, question, now=world.tick())
    hands.post()
    return question


def test_a_partners_item_is_cited_with_its_consent_to_this_very_request(hands):
    given = hands.give()
    reference = draft(hands, hands.C)
    cite(hands, reference, given.theirs)
    with pytest.raises(InvalidError, match=r"UNTOC 18\(19\).*BB-POL.*without its consent"):
        submit(hands, reference)
    consent(hands, hands.A, hands.B, given.theirs, f"{hands.A}-REQ-2026-000099", hands.C)
    with pytest.raises(InvalidError, match="without its consent"):
        submit(hands, reference)  # consent to another request opens nothing here
    question = consent(hands, hands.A, hands.B, given.theirs, reference, hands.C, conditions="Not to be published.")
    submit(hands, reference)
    with hands.world.at(hands.A) as node:
        (row,) = queries.cited(node.officer("supervisor"), reference, hands.world.now)
        assert (row.consent, row.conditions, row.problem) == (question, "Not to be published.", "")
        second = node.officer("second_central")
        approval = queries.approval(second, reference)
        words = queries.words_to_approve(second, approval.subject, approval.digest)
        assert any(asked == "Evidence cited" and question in said for asked, said in words)
    send(hands, reference)
    assert hands.post() == ["accepted"]
    with hands.world.at(hands.C) as node:
        (item,) = queries.items_stated(node.officer("central_authority"), reference)
        assert (item.reference, item.provider, item.consent) == (given.theirs, hands.B, question)
    with hands.world.at(hands.A) as node:
        entry = next(e for e in ledger.entries(node.officer("supervisor")) if e.kind == f"sent.{REQUEST_TYPE}")
        assert dict(entry.fields)["cites"] == item.sha256
        assert queries.check_stored() == []
        Request.objects.get(reference=reference).cited.clear()
        assert "other items" in queries.check_stored()[0].detail


def test_a_consent_that_ended_holds_back_what_was_approved(hands):
    given = hands.give()
    reference = draft(hands, hands.C)
    cite(hands, reference, given.theirs)
    consent(hands, hands.A, hands.B, given.theirs, reference, hands.C, until=hands.world.now + timedelta(hours=1))
    submit(hands, reference)
    hands.world.now += timedelta(hours=2)
    with pytest.raises(InvalidError, match="without its consent"):
        send(hands, reference)
    cite(hands, reference)  # without it, the request is a draft again
    submit(hands, reference)
    send(hands, reference)
    assert hands.post() == ["accepted"]


def test_an_item_that_is_named_and_not_cited_is_found(hands):
    given = hands.give()
    reference = draft(hands, hands.C, summary=f"The payments stand in {given.theirs}.")
    with pytest.raises(InvalidError, match=r"names .* which another authority gave"):
        submit(hands, reference)


def test_our_own_items_and_what_its_giver_is_told_of_need_nobody(hands):
    given, own = hands.give(), hands.add(hands.A, b"our own")
    reference = draft(hands, hands.B)
    cite(hands, reference, given.theirs, own)
    submit(hands, reference)
    send(hands, reference)
    assert hands.post() == ["accepted"]
    with hands.world.at(hands.B) as node:
        stated = queries.items_stated(node.officer("central_authority"), reference)
        assert {item.provider for item in stated} == {hands.A, hands.B}


def test_intelligence_is_cited_with_its_originators_recorded_consent_alone(hands):
    told = hands.add(hands.A, b"what was told", origin="intelligence", originator="Ministry of Deltania")
    reference = draft(hands, hands.C)
    cite(hands, reference, told)
    with pytest.raises(InvalidError, match="it is not evidence"):
        submit(hands, reference)
    with hands.world.at(hands.A) as node:
        actions.record_consent(
            node.officer("central_authority"),
            item=told,
            use="cite",
            target=reference,
            recipient=hands.C,
            given_by="Director, Ministry of Deltania",
            statement="You may cite it.",
            document="Letter 7/2026",
            reason="It has no node.",
            now=hands.world.tick(),
        )
    submit(hands, reference)
    with hands.world.at(hands.A) as node:
        (row,) = queries.cited(node.officer("supervisor"), reference, hands.world.now)
        assert row.consent == "Letter 7/2026"


def test_an_answer_cites_with_consent_alone(hands):
    world = hands.world
    given = hands.pass_on(hands.C, hands.B, hands.add(hands.C))
    reference = draft(hands, hands.B)
    submit(hands, reference)
    send(hands, reference)
    hands.post()
    with world.at(hands.B) as node:
        officer, case = node.officer("central_authority"), Request.objects.get(reference=reference).case_id
    item = given.theirs
    with world.at(hands.B), pytest.raises(InvalidError, match="items of this case"):
        requests.answer(officer, reference, outcome="accepted", cited=[item], now=world.tick())
    with world.at(hands.B):
        Request.objects.filter(reference=reference).update(case_id=world.cases[hands.B])  # as if it stood in that case
        assert case != world.cases[hands.B]
    with world.at(hands.B), pytest.raises(InvalidError, match="without its consent"):
        requests.answer(officer, reference, outcome="accepted", cited=[item], now=world.tick())
    question = consent(hands, hands.B, hands.C, item, reference, hands.A)
    with world.at(hands.B):
        requests.answer(officer, reference, outcome="accepted", cited=[item], now=world.tick())
    assert hands.post() == ["accepted"]
    for code in (hands.A, hands.B):
        with world.at(code) as node:
            (said,) = queries.request(node.officer("central_authority"), reference).answers[0].items
            assert (said.reference, said.provider, said.consent) == (item, hands.C, question)
            assert queries.check_stored() == []


def test_who_has_no_need_to_know_cites_nothing_and_learns_of_nothing(hands):
    given = hands.give()
    reference = draft(hands, hands.C)
    with hands.world.at(hands.A) as node:
        outsider = node.officer("outsider")
        for attempt in (
            lambda: requests.cite_items(outsider, reference, items=[given.theirs], now=hands.world.tick()),
            lambda: queries.citable(outsider, reference, hands.world.now),
            lambda: queries.cited(outsider, reference, hands.world.now),
            lambda: queries.items_stated(outsider, reference),
        ):
            with pytest.raises(NotFoundError):
                attempt()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "Name the consent of BB-POL"),
        ({"provider": "CC-POL", "consent": "x"}, "We gave you no such item"),
        ({"sha256": "0" * 63}, "by reference, description"),
        ({"what": " ", "consent": "x"}, "by reference, description"),
        ({"consent": "x" * 301}, "by reference, description"),
    ],
)
def test_what_a_partner_may_not_claim(hands, changes, reason):
    item = {"reference": "AA-POL-ITEM-2026-000001", "what": "A list", "sha256": "0" * 64, "provider": "BB-POL"}
    asked = RequestMessage(
        reference="AA-POL-REQ-2026-000077",
        type="bank_records",
        authority="Bureau of AA",
        issued_by="Officer X",
        issued_at=hands.world.now,
        facts=(),
        items=(CitedItem(**{**item, **changes}),),
    )
    state, why = hands.raw(hands.A, hands.C, REQUEST_TYPE, asked.to_bytes())
    assert (state, reason in why) == ("rejected", True)
