"""A whole blind match between two authorities, over sealed messages and receipts."""

from datetime import timedelta

import pytest

from palermo.config import wiring
from palermo.node.cases import queries as cases
from palermo.node.cases import retention as cases_retention
from palermo.node.holdings import actions as holdings
from palermo.node.holdings.models import Holding
from palermo.node.ledger.models import Entry
from palermo.node.matching import actions, queries, retention
from palermo.node.matching.models import HeldHit, HeldRun, Run
from palermo.node.matching.states import HeldRunState, RunState, Verdict
from palermo.node.office import queries as office
from palermo.node.office.errors import NotFoundError
from palermo.node.office.models import Unit
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"


@pytest.fixture
def done(sides, offered, start):
    """A run that has ended, with its hits."""
    run = start()
    sides.settle()
    return run


def test_only_what_both_hold_is_found_and_grouped_by_pair(done, investigator):
    run = queries.run(investigator, done.run_id)
    assert (run.state, run.hits, run.judged, run.failure) == (RunState.DONE, 2, 0, "")
    hits = queries.hits(investigator, done.run_id).hits
    assert {hit.our_id for hit in hits} == {"aa-1"}
    shared = sorted([(selector.kind, selector.value) for selector in hit.selectors] for hit in hits)
    email, phone = ("email", "ada@example.org"), ("phone", "+390669812345")
    assert shared == [[email], [email, phone]]
    assert len({hit.partner_reference for hit in hits}) == 2


def test_secrets_of_a_run_are_erased_on_both_sides_when_it_ends(done):
    run, held = Run.objects.get(), HeldRun.objects.get()
    assert (run.querier_state, run.inbound) == (None, None)
    assert (held.state, held.holder_state, held.inbound) == (HeldRunState.ANSWERED, None, None)


def test_a_hit_reveals_existence_and_contact_point_with_its_caveats(done, investigator):
    disclosure = queries.hits(investigator, done.run_id).hits[0].disclosure
    assert (disclosure.reveals, disclosure.contact_point) == ("existence", "duty desk of BB-POL")
    assert (disclosure.handling_code, disclosure.caveats, disclosure.entity) == ("H2", "Ask before you act.", None)


def test_a_holding_may_reveal_data(sides, fill, start, supervisor, investigator):
    theirs = Entity("bb-9", "Person", {"name": ("Beth Invented",), "phone": ("+39 06 698 54321",)})
    fill("open-register", HOLDER, [theirs], hit_reveals="data")
    with sides.at(HOLDER):
        actions.open_epoch(supervisor, now=sides.now)
    sides.settle()
    run = start(kinds=["phone"])
    sides.settle()
    (hit,) = queries.hits(investigator, run.run_id).hits
    assert (hit.disclosure.entity.id, hit.disclosure.entity.names) == ("bb-9", ("Beth Invented",))
    (line,) = queries.compare_report(investigator, run.run_id)
    assert (line.our_id, line.their_id, line.verdict) == ("aa-2", "bb-9", Verdict.WAITING)


def test_a_whole_holding_can_be_the_input(sides, offered, fill, start, investigator):
    ours = [Entity(f"aa-{n}", "Person", {"name": (f"N {n}",), "phone": (f"+39 06 698 {n:05}",)}) for n in range(100)]
    fill("ours", "AA-POL", [*ours, Entity("aa-x", "Person", {"phone": ("+39 06 698 99999",)})])
    run = start(inputs="ours", kinds=["phone"])
    sides.settle()
    assert [hit.our_id for hit in queries.hits(investigator, run.run_id).hits] == ["aa-x"]
    assert queries.run(investigator, run.run_id).counts == {"phone": 101}


def test_at_the_holder_a_hit_opens_a_case_and_a_task_for_its_supervisor_alone(done, case, supervisor, investigator):
    """Who judges hits does not thereby learn of every hit: the supervisor adds whom it concerns."""
    held = HeldRun.objects.get()
    opened = cases.case(supervisor, HeldHit.objects.all()[0].case_id)
    assert opened.members == (supervisor.pk,)
    assert not any(opened.reference in task.link for task in office.work_queue(investigator))
    with pytest.raises(NotFoundError):
        queries.held_hits(investigator, opened.reference)
    assert (opened.partner, opened.partner_case, opened.opened_by) == ("AA-POL", case, None)
    assert (held.asked_by, held.legal_basis) == ("Officer Rossi", "UNTOC Art. 27")
    assert {subject.entity_id for subject in cases.subjects(supervisor, opened.reference)} == {"bb-1", "bb-2"}
    hits = queries.held_hits(supervisor, opened.reference)
    assert {(hit.entity_id, hit.kinds) for hit in hits} == {("bb-1", ("email", "phone")), ("bb-2", ("email",))}
    assert any(task.link == f"/cases/{opened.reference}/" for task in office.work_queue(supervisor))


def test_a_second_run_of_the_same_case_joins_the_case_at_the_holder(sides, done, start, supervisor):
    start(kinds=["phone"])
    sides.settle()
    assert len({hit.case_id for hit in HeldHit.objects.all()}) == 1
    opened = HeldHit.objects.all()[0].case_id
    assert len(cases.subjects(supervisor, opened)) == 2
    assert len(queries.held_hits(supervisor, opened)) == 3


def test_the_references_of_two_runs_tell_nothing_about_each_other(sides, done, start, investigator):
    again = start()
    sides.settle()
    first, second = (
        {hit.partner_reference for hit in queries.hits(investigator, run_id).hits}
        for run_id in (done.run_id, again.run_id)
    )
    assert first.isdisjoint(second)


def test_what_a_reference_stands_for_is_known_to_the_holder_for_that_partner_alone(done, investigator):
    hit = queries.hits(investigator, done.run_id).hits[0]
    assert queries.held_hit("AA-POL", hit.partner_reference).entity_id in ("bb-1", "bb-2")
    with pytest.raises(Exception, match="nothing here"):
        queries.held_hit("CC-FIU", hit.partner_reference)


def test_every_disclosure_stands_in_the_ledger_at_both_ends(done):
    kinds = list(Entry.objects.values_list("kind", flat=True))
    for step in ("manifest", "run", "evaluation", "confirm", "answer"):
        assert kinds.count(f"sent.palermo/matching.{step}+v1") == 1
        assert kinds.count(f"received.palermo/matching.{step}+v1") == 1
    assert kinds.count("matching.published") == 1


def test_a_value_that_the_holder_protects_gives_no_hit(done, investigator):
    assert "aa-3" not in {hit.our_id for hit in queries.hits(investigator, done.run_id).hits}
    assert Run.objects.get().counts["phone"] == 3  # it was asked about all the same


def test_hits_wait_for_a_person_and_the_team_is_told(done, investigator):
    hits = queries.hits(investigator, done.run_id).hits
    assert {(hit.verdict, hit.intelligence) for hit in hits} == {(Verdict.WAITING, False)}
    assert f"/runs/{done.run_id}/" in {task.link for task in office.work_queue(investigator)}
    assert queries.confirmed_hits(investigator, done.case) == []


def test_hits_on_a_holding_with_a_duty_unit_go_to_its_officers(sides, offered, start, investigator, make_officer):
    desk = Unit.objects.create(code="fraud-desk", name="Fraud desk")
    on_duty = make_officer("desk", "investigator")
    for officer in (on_duty, make_officer("clerk", "administrator")):
        officer.unit = desk
        officer.save()
    Holding.objects.update(duty_unit="fraud-desk")
    start()
    sides.settle()
    case = HeldHit.objects.all()[0].case_id
    assert cases.members(case) == {on_duty.pk}
    assert any(case in row.link for row in office.work_queue(on_duty))


def test_when_a_holdings_retention_ends_its_copies_end_and_the_time_line_says_why(sides, done, supervisor):
    case = HeldHit.objects.all()[0].case_id
    later = sides.now + timedelta(days=1000)
    with sides.at(HOLDER):
        assert cases_retention.redact_expired(later) == retention.redact_expired(later) == 0
        holdings.expire_due(later)
        assert (cases_retention.redact_expired(later), retention.redact_expired(later)) == (2, 2)
        assert cases_retention.redact_expired(later) == retention.redact_expired(later) == 0
    subjects = cases.subjects(supervisor, case)
    assert {subject.entity_id for subject in subjects} == {"bb-1", "bb-2"}
    assert not any(subject.entity.properties for subject in subjects)
    told = queries.held_hits(supervisor, case)
    for caption in [row.caption for row in (*subjects, *told)]:
        assert caption.startswith("(removed: the retention of holding")
    event = cases.timeline(supervisor, case)[-1]
    assert "2 of the subjects emptied: the retention of holding" in event.text and "nvented" not in event.text
    assert {"cases.retention", "matching.retention"} <= wiring.periodic().keys()
