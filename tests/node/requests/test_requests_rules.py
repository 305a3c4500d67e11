"""Who may ask and answer, what may be cited, how one refuses: each rule seen from both nodes."""

from datetime import timedelta

import pytest

from palermo.law.findings import missing
from palermo.node.cases import actions as cases
from palermo.node.exchange.actions import expire
from palermo.node.matching.models import Hit
from palermo.node.office import actions as office
from palermo.node.office import queries as office_queries
from palermo.node.office.errors import AccessDeniedError, InvalidError, NotFoundError
from palermo.node.office.queries import work_queue
from palermo.node.requests import actions, queries
from palermo.node.requests.actions.moving import WrongStateError
from palermo.node.requests.models import Answer
from palermo.node.requests.states import State
from palermo.sealing.directory import Role as Competence

STRANGER = "Otto Brandt; Port Meridian; Borealian"


@pytest.fixture
def case(world, road):
    return road.open_case(world)


@pytest.fixture
def inquiry(world, road, case):
    """A hit confirmation that has arrived."""
    hit = road.make_hit(world, case)
    reference = road.send_hit_confirmation(world, case, hit)
    assert world.post(road.A) == ["accepted"]
    return hit, reference


def bank_findings(world, road, reference):
    with world.at(road.A) as node:
        return missing(queries.check(node.officer("central_authority"), reference))


# --- intelligence is not evidence -----------------------------------------------------------


def test_a_hit_without_consent_cannot_carry_a_formal_request(world, road, case):
    hit = road.make_hit(world, case)
    reference = road.draft_bank_request(world, case, hit)
    assert len(bank_findings(world, road, reference)) == 1
    with world.at(road.A) as node, pytest.raises(InvalidError, match="18\\(5\\)"):
        actions.submit_for_approval(node.officer("central_authority"), reference, now=world.tick())


@pytest.mark.parametrize(("consent", "lacking"), [("yes", 0), ("no", 1)])
def test_the_originators_word_decides(world, road, case, inquiry, consent, lacking):
    hit, asked = inquiry
    road.confirm_hit(world, asked, consent=consent)
    assert world.post(road.B) == ["accepted"]
    reference = road.draft_bank_request(world, case, hit)
    assert len(bank_findings(world, road, reference)) == lacking


def test_the_originators_conditions_are_shown_where_its_consent_is_used(world, road, case, inquiry):
    hit, asked = inquiry
    road.confirm_hit(world, asked, conditions="Not before the arrests.")
    world.post(road.B)
    reference = road.draft_bank_request(world, case, hit)
    with world.at(road.A) as node:
        findings = queries.check(node.officer("central_authority"), reference)
    assert any("Not before the arrests." in finding.what for finding in findings)


def test_a_verdict_revised_after_the_approval_stops_the_request(world, road, case):
    hit = road.make_hit(world, case)
    with world.at(road.A) as node:
        lead, facts = node.officer("investigator"), {**road.HIT_FACTS, "hits": hit}
        reference = actions.draft(
            lead, type="hit_confirmation", case=case, partner=road.B, facts=facts, now=world.tick()
        ).reference
    road.answer_gates(world, road.A, reference)
    with world.at(road.A):
        actions.submit_for_approval(lead, reference, now=world.tick())
    road.approve(world, road.A, reference, "supervisor")
    with world.at(road.A):
        Hit.objects.update(verdict="different", intelligence=False)
        with pytest.raises(InvalidError, match="Judge hit"):
            actions.send(lead, reference, now=world.tick())
        assert queries.request(lead, reference).state is State.APPROVED


@pytest.mark.parametrize("flag", ["political", "religious"])
def test_a_flagged_case_is_not_answered_away_at_the_gate(world, road, case, flag):
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.answer_gates(world, road.A, reference)
    with world.at(road.A) as node:
        cases.flag(node.officer("investigator"), case, neutrality=flag, reason="The context.", now=world.tick())
        (problem,) = queries.gate_problems(node.officer("supervisor"), reference)
        assert flag in problem
        gate(world, node, reference, gate="neutrality", concern="yes", reason="The case is flagged.")
        (problem,) = queries.gate_problems(node.officer("supervisor"), reference)
        assert "second officer" in problem


def test_without_a_receipt_in_time_a_person_is_told_and_nothing_is_assumed(world, road, case):
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.send_bank_request(world, reference)
    with world.at(road.A) as node:
        officer = node.officer("central_authority")
        expire(now=world.now + timedelta(days=8))
        row = queries.request(officer, reference)
        assert (row.state, row.delivery) == (State.SENT, "unknown")
        assert any("not known whether" in task.title for task in work_queue(officer))


def test_consent_for_one_hit_is_none_for_another(world, road, case, inquiry):
    _, asked = inquiry
    road.confirm_hit(world, asked)
    world.post(road.B)
    other = road.make_hit(world, case)
    assert len(bank_findings(world, road, road.draft_bank_request(world, case, other))) == 1


@pytest.mark.parametrize("verdict", ["", "unsure", "different"])
def test_a_hit_not_judged_the_same_cannot_be_cited(world, road, case, verdict):
    hit = road.make_hit(world, case, verdict=verdict)
    with world.at(road.A) as node:
        lead = node.officer("investigator")
        facts = {**road.HIT_FACTS, "hits": hit}
        reference = actions.draft(
            lead, type="hit_confirmation", case=case, partner=road.B, facts=facts, now=world.tick()
        ).reference
        with pytest.raises(InvalidError, match="Judge hit"):
            actions.submit_for_approval(lead, reference, now=world.tick())


def test_a_hit_of_another_case_cannot_be_cited(world, road, case):
    hit = road.make_hit(world, case)
    other = road.open_case(world)
    assert len(bank_findings(world, road, road.draft_bank_request(world, other, hit))) == 2


def test_saying_that_it_rests_on_nothing_and_citing_a_hit_do_not_go_together(world, road, case):
    hit = road.make_hit(world, case)
    reference = road.draft_bank_request(world, case, hit, rests_on_intelligence="no")
    assert any("rests on" in problem for problem in bank_findings(world, road, reference))
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no", persons=STRANGER)
    assert bank_findings(world, road, reference) == []


@pytest.mark.parametrize(
    "named",
    [
        {"persons": "VARGA, Ilse; Port Meridian; Borealian"},
        {"persons": STRANGER, "summary": "Forty victims.\nThe caller gave the name Ílse Várga."},
        {"persons": STRANGER, "accounts": "First Bank of Borealia, 00 771-204-88"},
        {"persons": STRANGER, "assistance": "The subscriber of 0555 123 456 7"},
    ],
)
def test_naming_a_confirmed_hit_is_resting_on_it_whatever_the_form_says(world, road, case, named):
    """Intelligence is not evidence: the drafter cannot say "no" and write the subject's name or number all the same."""
    hit = road.make_hit(world, case)
    with world.at(road.A):
        held = [["person", "ilse varga"], ["account", "FIRST BANK OF BOREALIA:77120488"], ["phone", "+995551234567"]]
        Hit.objects.filter(hit_id=hit).update(selectors=held)
    facts = {"rests_on_intelligence": "no", "accounts": "First Bank of Borealia, 00999", **named}
    reference = road.draft_bank_request(world, case, "", **facts)
    (problem,) = bank_findings(world, road, reference)
    assert "18(5)" in problem and f"Cite hit {hit}" in problem
    with world.at(road.A) as node, pytest.raises(InvalidError, match="Cite hit"):
        actions.submit_for_approval(node.officer("central_authority"), reference, now=world.tick())


@pytest.mark.parametrize("verdict", ["", "different", "unsure"])
def test_a_hit_that_nobody_confirmed_is_not_rested_on(world, road, case, verdict):
    road.make_hit(world, case, verdict=verdict)
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    assert bank_findings(world, road, reference) == []


# --- who may ----------------------------------------------------------------------------------


def test_only_central_authority_officers_issue_a_formal_request(world, road, case):
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.answer_gates(world, road.A, reference)
    with world.at(road.A) as node:
        lead, boss = node.officer("investigator"), node.officer("supervisor")
        actions.submit_for_approval(lead, reference, now=world.tick())
        asked = queries.approval(boss, reference)
        with pytest.raises(NotFoundError):
            office.decide_approval(boss, asked.pk, approved=True, reason="Fine.", now=world.tick())
        office.decide_approval(
            node.officer("central_authority"), asked.pk, approved=True, reason="Fine.", now=world.tick()
        )
        for officer in (lead, boss):
            assert "send" not in queries.next_steps(officer, reference)
            with pytest.raises(AccessDeniedError):
                actions.send(officer, reference, now=world.tick())
        assert "send" in queries.next_steps(node.officer("central_authority"), reference)
        sent = actions.send(node.officer("central_authority"), reference, now=world.tick())
        assert sent.state is State.SENT and sent.due_at is not None
    world.post(road.A)
    with world.at(road.B) as node:
        with pytest.raises(AccessDeniedError):
            actions.answer(node.officer("supervisor"), reference, outcome="accepted", now=world.tick())
        with pytest.raises(NotFoundError):  # no investigator is on the case that the request opened
            queries.request(node.officer("investigator"), reference)


@pytest.mark.parametrize("who", ["outsider", "auditor", "administrator"])
def test_without_need_to_know_there_is_nothing(world, road, case, inquiry, who):
    _, reference = inquiry
    with world.at(road.A) as node:
        officer = node.officer(who)
        for read in (queries.request, queries.check, queries.gates, queries.approval, queries.next_steps):
            seen = [_refusal(read, officer, code) for code in (reference, "AA-POL-REQ-2026-000999")]
            assert seen[0] == seen[1] and seen[0] is not None
        with pytest.raises((NotFoundError, AccessDeniedError)):
            actions.edit_draft(officer, reference, facts={}, now=world.tick())
        with pytest.raises((NotFoundError, AccessDeniedError)):
            actions.send(officer, reference, now=world.tick())
        if who == "outsider":
            assert queries.requests(officer) == []
            assert queries.requests(officer, case=case) == []


def _refusal(read, officer, reference):
    try:
        read(officer, reference)
    except (NotFoundError, AccessDeniedError) as error:
        return type(error), str(error)
    return None


@pytest.mark.parametrize("world", [(Competence.FIU,)], indirect=True)
def test_an_authority_without_the_competence_neither_asks_nor_is_asked(world, road):
    case = road.open_case(world)
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    assert sum("18(13)" in problem for problem in bank_findings(world, road, reference)) == 2


# --- refusing and postponing ------------------------------------------------------------------


@pytest.fixture
def formal(world, road, case):
    """A formal request that has arrived."""
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.send_bank_request(world, reference)
    assert world.post(road.A) == ["accepted"]
    return reference


def answer(world, road, reference, **said):
    with world.at(road.B) as node:
        return actions.answer(node.officer("central_authority"), reference, now=world.tick(), **said)


REFUSAL = {
    "outcome": "refused",
    "ground": "18(21)(b)",
    "reasons": "It would harm security.",
    "consultation": "By telephone on 2 March; no terms were found.",
}


@pytest.mark.parametrize(
    "without", [{"ground": ""}, {"reasons": " "}, {"consultation": ""}, {"ground": "18(8)"}, {"ground": "18(22)"}]
)
def test_a_refusal_without_ground_reasons_or_consultation_is_impossible(world, road, formal, without):
    with pytest.raises(InvalidError):
        answer(world, road, formal, **{**REFUSAL, **without})
    with world.at(road.B):
        assert not Answer.objects.exists()


def test_a_refusal_arrives_with_ground_and_reasons_and_is_final(world, road, formal):
    answer(world, road, formal, **REFUSAL)
    with pytest.raises(WrongStateError):
        answer(world, road, formal, outcome="accepted")
    assert world.post(road.B) == ["accepted"]
    with world.at(road.A) as node:
        row = queries.request(node.officer("central_authority"), formal)
        assert row.state is State.REFUSED
        said = row.answers[0]
        assert (said.ground, said.reasons, said.consultation) == (
            "18(21)(b)",
            "It would harm security.",
            "By telephone on 2 March; no terms were found.",
        )


def test_a_postponed_request_can_still_be_accepted(world, road, formal):
    postponed = {"outcome": "postponed", "ground": "18(25)", "reasons": "A raid is near.", "consultation": "By letter."}
    answer(world, road, formal, **postponed)
    answer(world, road, formal, outcome="accepted")
    assert world.post(road.B) == ["accepted", "accepted"]
    with world.at(road.A) as node:
        row = queries.request(node.officer("central_authority"), formal)
        assert row.state is State.ACCEPTED
        assert [said.number for said in row.answers] == [1, 2]


def test_permitted_grounds_are_the_treatys(world, road, formal):
    with world.at(road.B) as node:
        grounds = queries.permitted_grounds(node.officer("central_authority"), formal)
    assert [row.code for row in grounds] == ["18(9)", "18(21)(a)", "18(21)(b)", "18(21)(c)", "18(21)(d)", "18(25)"]
    with world.at(road.A) as node:
        assert queries.permitted_grounds(node.officer("central_authority"), formal) == []
        with pytest.raises(WrongStateError):
            actions.answer(node.officer("central_authority"), formal, outcome="accepted", now=world.tick())


def test_nobody_is_asked_to_approve_what_they_cannot_read(world, road, case):
    """A central-authority officer off the team learns nothing of the request: no task, no approval, no decision."""
    with world.at(road.A) as node:
        lead, off_team = node.officer("investigator"), node.officer("second_central")
        cases.remove_member(lead, case, member=off_team.pk, now=world.tick())
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    road.answer_gates(world, road.A, reference)
    with world.at(road.A) as node:
        actions.submit_for_approval(lead, reference, now=world.tick())
        asked = queries.approval(lead, reference)
        assert office_queries.work_queue(off_team) == []
        with pytest.raises(NotFoundError):
            office_queries.approval_for(off_team, asked.pk)
        with pytest.raises(NotFoundError):
            office.decide_approval(off_team, asked.pk, approved=True, reason="Unread.", now=world.tick())
        with pytest.raises(NotFoundError):
            actions.answer_gate(
                off_team, reference, gate="torture", concern="no", decision="proceed", reason="x", now=world.tick()
            )
        reader = node.officer("central_authority")
        words = queries.words_to_approve(reader, asked.subject, asked.digest)
        assert ("Requested authority", road.B) in words and any("Forty victims" in said for _, said in words)
        assert queries.words_to_approve(reader, asked.subject, "0" * 64) == []


def test_without_a_second_reader_the_team_is_told_whom_to_add(world, road, case):
    with world.at(road.A) as node:
        lead, central = node.officer("investigator"), node.officer("central_authority")
        cases.remove_member(lead, case, member=node.officer("second_central").pk, now=world.tick())
    reference = road.draft_bank_request(world, case, "", rests_on_intelligence="no")
    with world.at(road.A) as node:
        with pytest.raises(InvalidError, match="second officer with this role to the team: Central-authority"):
            actions.submit_for_approval(central, reference, now=world.tick())
        assert queries.request(central, reference).state is State.DRAFT
        cases.add_member(lead, case, member=node.officer("second_central").pk, now=world.tick())
        actions.submit_for_approval(central, reference, now=world.tick())


# --- safeguards -------------------------------------------------------------------------------


def gate(world, node, reference, **said):
    values = {"gate": "torture", "concern": "no", "decision": "proceed", "reason": "None seen.", **said}
    return actions.answer_gate(node.officer("supervisor"), reference, now=world.tick(), **values)


def test_a_concern_that_proceeds_needs_a_second_officer(world, road, case):
    hit = road.make_hit(world, case)
    with world.at(road.A) as node:
        lead, facts = node.officer("investigator"), {**road.HIT_FACTS, "hits": hit}
        reference = actions.draft(
            lead, type="hit_confirmation", case=case, partner=road.B, facts=facts, now=world.tick()
        ).reference
    road.answer_gates(world, road.A, reference)
    with world.at(road.A) as node:
        boss = node.officer("supervisor")
        assert queries.gate_problems(boss, reference) == []
        row = gate(world, node, reference, concern="unknown", reason="The court's record is not known.")
        assert (row.concern, row.answered_by) == ("unknown", boss.get_full_name())
        assert len(queries.gate_problems(boss, reference)) == 1
        waiting = [task for task in work_queue(node.officer("central_authority")) if "safeguard" in task.title]
        review = int(waiting[0].link.strip("/").split("/")[1])
        with pytest.raises(AccessDeniedError):
            office.decide_approval(boss, review, approved=True, reason="I said so.", now=world.tick())
        office.decide_approval(
            node.officer("central_authority"), review, approved=True, reason="Assurance given.", now=world.tick()
        )
        assert queries.gate_problems(boss, reference) == []
        gate(world, node, reference, concern="yes", reason="New facts.")
        assert len(queries.gate_problems(boss, reference)) == 1  # the review was of the earlier words
        gate(world, node, reference, concern="yes", decision="stop")
        assert "Stopped" in queries.gate_problems(boss, reference)[0]


@pytest.mark.parametrize(
    "wrong",
    [{"gate": "weather"}, {"concern": "maybe"}, {"decision": "later"}, {"reason": "  "}, {"reason": "x" * 2001}],
)
def test_a_gate_takes_only_an_answer_with_a_reason(world, road, case, inquiry, wrong):
    _, reference = inquiry
    with world.at(road.B) as node, pytest.raises(InvalidError):
        gate(world, node, reference, **wrong)


def test_an_investigator_does_not_answer_gates_and_a_sent_request_is_past_them(world, road, case, inquiry):
    _, reference = inquiry
    with world.at(road.B) as node, pytest.raises(AccessDeniedError):
        actions.answer_gate(
            node.officer("investigator"),
            reference,
            gate="torture",
            concern="no",
            decision="proceed",
            reason="None.",
            now=world.tick(),
        )
    with world.at(road.A) as node, pytest.raises(WrongStateError):
        gate(world, node, reference)


# --- drafting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "favour"}, "Choose one of the types"),
        ({"partner": "AA-POL"}, "other than this one"),
        ({"partner": "ZZ-POL"}, "of the directory"),
        ({"facts": {"colour": "red"}}, "no field"),
        ({"facts": {"nature": "whim"}}, "choose one of"),
        ({"facts": {"period_from": "yesterday"}}, "year-month-day"),
        ({"facts": {"summary": "x" * 5000}}, "at most"),
    ],
)
def test_a_draft_takes_only_what_its_form_has(world, road, case, change, problem):
    values = {"type": "bank_records", "partner": road.B, "facts": {}, **change}
    with world.at(road.A) as node, pytest.raises(InvalidError, match=problem):
        actions.draft(node.officer("investigator"), case=case, now=world.tick(), **values)


def test_withdrawn_is_the_end_and_needs_a_reason(world, road, case):
    reference = road.draft_bank_request(world, case, "")
    with world.at(road.A) as node:
        lead = node.officer("investigator")
        with pytest.raises(InvalidError):
            actions.withdraw(lead, reference, reason=" ", now=world.tick())
        assert actions.withdraw(lead, reference, reason="Not needed.", now=world.tick()).state is State.WITHDRAWN
        with pytest.raises(WrongStateError):
            actions.edit_draft(lead, reference, facts={}, now=world.tick())
        assert queries.next_steps(lead, reference) == frozenset()
