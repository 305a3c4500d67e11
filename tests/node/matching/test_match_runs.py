"""What stops a run: the policy, missing grounds, a flagged case, the budget, the holder's refusal, the clock."""

from datetime import timedelta
from itertools import product

import pytest

from palermo.node.cases import actions as cases
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Outgoing
from palermo.node.exchange.states import Outbox
from palermo.node.holdings import actions as holdings
from palermo.node.holdings.models import Holding
from palermo.node.matching import actions, budgets, queries
from palermo.node.matching.budgets import Budget
from palermo.node.matching.messages import CONFIRM, RUN
from palermo.node.matching.models import BudgetUse, HeldRun, PartnerManifest, Run
from palermo.node.matching.states import HELD_RUN_MOVES, RUN_MOVES, HeldRunState, RunState
from palermo.node.matching.steps import Step, message_id, move_held_run, move_run
from palermo.node.office import actions as office
from palermo.node.office import queries as office_queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import Approval, AuditRow, Job, Task
from palermo.sealing.errors import FormatError
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db


class TestStart:
    def test_only_the_team_can_start_and_others_learn_of_no_case(self, offered, start, case, sides, make_officer):
        arguments = {"case": case, "partner": "BB-POL", "legal_basis": "UNTOC Art. 27", "now": sides.now}
        for username, role, error in [("x", "investigator", NotFoundError), ("s", "supervisor", NotFoundError)]:
            with pytest.raises(error):
                actions.start_run(make_officer(username, role), **arguments)
        with pytest.raises(AccessDeniedError):
            actions.start_run(make_officer("a", "auditor"), **arguments)
        with pytest.raises(NotFoundError):
            actions.start_run(make_officer("y", "investigator"), **(arguments | {"case": "AA-POL-CASE-2026-009999"}))

    @pytest.mark.parametrize("basis", ["", "  ", "two\nlines", "x" * 201])
    def test_no_run_without_a_legal_basis(self, offered, start, basis):
        with pytest.raises(InvalidError, match="legal basis"):
            start(legal_basis=basis)

    @pytest.mark.parametrize("basis", ["Because we can", "UNTOC Art. 99", "Agreement: Never Signed", "Art. 27"])
    def test_no_run_on_a_basis_that_is_none(self, offered, start, basis):
        with pytest.raises(InvalidError, match=r"Choose one of: UNTOC Art\. 27; UNTOC Art\. 18"):
            start(legal_basis=basis)

    def test_the_holder_refuses_a_basis_that_it_does_not_recognise(self, sides, offered, start, investigator):
        """The querier lists an agreement that the holder does not; once the holder lists it too, the run is served."""
        basis = "Agreement: Police Cooperation Treaty of Port Meridian"
        (sides.network.members["AA-POL"].home / "agreements.txt").write_text(basis.partition(": ")[2], "utf-8")
        refused = start(legal_basis=basis)
        sides.settle()
        assert queries.run(investigator, refused.run_id).state is RunState.FAILED
        assert "We recognise: UNTOC Art. 27" in queries.run(investigator, refused.run_id).failure
        assert not HeldRun.objects.exists()
        (sides.network.members["BB-POL"].home / "agreements.txt").write_text(basis.partition(": ")[2], "utf-8")
        served = start(legal_basis=basis)
        sides.settle()
        assert queries.run(investigator, served.run_id).state is RunState.DONE

    @pytest.mark.parametrize("kinds", [[], ["imei"], ["phone", "imei"]])
    def test_only_kinds_that_the_partner_publishes(self, offered, start, kinds):
        with pytest.raises(InvalidError, match="email, person, phone"):
            start(kinds=kinds)

    def test_no_run_from_a_closed_case_or_one_without_subjects(self, offered, start, case, sides, investigator):
        empty = cases.open_case(investigator, title="T", purpose="P", legal_basis="L", now=sides.now)
        with pytest.raises(InvalidError, match="no subjects"):
            start(case=empty.reference)
        cases.close_case(investigator, case, reason="solved", now=sides.now)
        with pytest.raises(ConflictError, match="closed"):
            start()

    def test_no_run_without_a_manifest_that_holds_now(self, sides, start, offered):
        with pytest.raises(ConflictError, match="CC-FIU offers nothing"):
            start(partner="CC-FIU")
        with pytest.raises(ConflictError, match="offers nothing"):
            start(now=offered.valid_until)

    def test_with_several_tiers_one_must_be_chosen(self, sides, start, offered):
        other = PartnerManifest.objects.get()
        other.pk, other.tier, other.manifest_digest = None, "another", "0" * 64
        other.save(force_insert=True)
        with pytest.raises(InvalidError, match="several tiers"):
            start()
        assert start(tier="another").tier == "another"

    def test_a_run_leaves_an_audit_row_and_a_line_in_the_case(self, offered, start, case, investigator):
        run = start()
        row = AuditRow.objects.get(verb="run.started")
        assert (row.officer_id, row.target, row.detail["partner"]) == (investigator.pk, run.run_id, "BB-POL")

    def test_inputs_without_a_selector_end_the_run_with_a_sentence(self, sides, offered, start, investigator):
        nameless = cases.open_case(investigator, title="T", purpose="P", legal_basis="L", now=sides.now).reference
        entity = Entity("aa-0", "Person", {"name": ("Zed",)})
        cases.add_subject(investigator, nameless, entity=entity, origin="test", now=sides.now)
        run = start(case=nameless)
        sides.settle()
        ended = queries.run(investigator, run.run_id)
        assert (ended.state, Outgoing.objects.filter(payload_type=RUN).count()) == (RunState.FAILED, 0)
        assert "no selector" in ended.failure


class TestReview:
    @pytest.fixture
    def flagged(self, sides, investigator, supervisor):
        opened = cases.open_case(
            investigator, title="T", purpose="P", legal_basis="L", neutrality="political", now=sides.now
        )
        entity = Entity("aa-1", "Person", {"phone": ("+39 06 698 12345",)})
        cases.add_subject(investigator, opened.reference, entity=entity, origin="test", now=sides.now)
        return opened.reference

    def test_a_flagged_case_waits_for_a_second_officer(self, sides, offered, start, flagged, supervisor):
        run = start(case=flagged)
        sides.settle()
        with sides.at("AA-POL"):
            assert actions.release_reviewed(sides.now) == 0
        assert (run.state, Run.objects.get().state) == (RunState.REVIEW, RunState.REVIEW)
        assert not Outgoing.objects.filter(payload_type=RUN).exists()
        (task,) = office_queries.work_queue(supervisor)
        assert "political" in task.title

    def test_approved_it_goes_and_declined_it_ends(self, sides, offered, start, flagged, supervisor, investigator):
        for approved, state in [(True, RunState.DONE), (False, RunState.FAILED)]:
            run = start(case=flagged)
            approval = Approval.objects.get(subject=f"matching.Run:{run.run_id}")
            office.decide_approval(supervisor, approval.pk, approved=approved, reason="because", now=sides.now)
            with sides.at("AA-POL"):
                assert actions.release_reviewed(sides.now) == 1
            sides.settle()
            assert queries.run(investigator, run.run_id).state == state

    def test_an_approval_is_for_these_subjects_alone(self, sides, offered, start, flagged, supervisor, investigator):
        run = start(case=flagged)
        approval = Approval.objects.get()
        office.decide_approval(supervisor, approval.pk, approved=True, reason="because", now=sides.now)
        entity = Entity("aa-7", "Person", {"phone": ("+39 06 698 11111",)})
        cases.add_subject(investigator, flagged, entity=entity, origin="test", now=sides.now)
        with sides.at("AA-POL"):
            actions.release_reviewed(sides.now)
        assert queries.run(investigator, run.run_id).state == RunState.FAILED


class TestBudget:
    def test_what_exceeds_the_budget_is_refused_before_it_is_evaluated(
        self, sides, offered, start, investigator, monkeypatch
    ):
        monkeypatch.setitem(budgets.BUDGETS, "phone", Budget(40, "for this test"))
        runs = [start() for _ in range(3)]
        sides.settle()
        states = [queries.run(investigator, run.run_id) for run in runs]
        assert [run.state for run in states] == [RunState.DONE, RunState.DONE, RunState.FAILED]
        assert "your budget for phone leaves 8 elements today (UTC) and this run asks for 16" in states[2].failure
        assert HeldRun.objects.count() == 2
        assert BudgetUse.objects.get(kind="phone").spent == 32
        assert Outgoing.objects.filter(payload_type=RUN, state=Outbox.REJECTED).count() == 1

    def test_a_refused_run_costs_nothing_of_any_kind(self, db, sides, monkeypatch):
        monkeypatch.setitem(budgets.BUDGETS, "phone", Budget(10, "for this test"))
        with pytest.raises(budgets.OverBudgetError):
            budgets.charge("AA-POL", {"email": 5, "phone": 11}, sides.now.date())
        assert not BudgetUse.objects.exists()

    def test_partners_kinds_and_days_have_budgets_of_their_own(self, db, sides, monkeypatch):
        monkeypatch.setitem(budgets.BUDGETS, "phone", Budget(10, "for this test"))
        today = sides.now.date()
        budgets.charge("AA-POL", {"phone": 10}, today)
        budgets.charge("CC-FIU", {"phone": 10}, today)
        budgets.charge("AA-POL", {"phone": 10}, today + timedelta(days=1))
        budgets.charge("AA-POL", {"email": 10}, today)
        with pytest.raises(budgets.OverBudgetError) as caught:
            budgets.charge("AA-POL", {"phone": 1}, today)
        assert (caught.value.kind, caught.value.left, caught.value.asked) == ("phone", 0, 1)

    def test_every_kind_of_selector_has_a_row_with_its_reason(self):
        from palermo.subjects.selectors import KINDS

        assert set(KINDS) <= set(budgets.BUDGETS)
        assert all(row.elements > 0 and row.reason for row in budgets.BUDGETS.values())
        assert budgets.budget("a_kind_of_tomorrow") == budgets.OTHER


class TestRefusal:
    def test_a_partner_struck_from_the_holding_is_refused_at_once(self, sides, offered, start, investigator):
        run = start()
        sides.work(only=Step.PREPARE)
        Holding.objects.update(partners=["CC-FIU"])
        sides.settle()
        ended = queries.run(investigator, run.run_id)
        assert ended.state == RunState.FAILED
        assert "not offered to you" in ended.failure

    @pytest.mark.parametrize("change", ["protect", "remove", "strike", "expire"])
    def test_what_changed_since_publication_is_not_confirmed(
        self, sides, offered, start, investigator, supervisor, fill, tmp_path, change
    ):
        run = start()
        while not HeldRun.objects.filter(inbound__isnull=False, state=HeldRunState.EVALUATED).exists():
            sides.work() or sides.post()
        with sides.at("BB-POL"):
            if change == "protect":
                holdings.protect(supervisor, "register", entity_ids=["bb-1"], reason="witness", now=sides.now)
            elif change == "remove":
                path = tmp_path / "less.jsonl"
                path.write_text(Entity("bb-2", "Person", {"email": ("ada@example.org",)}).to_json() + "\n")
                holdings.load(supervisor, "register", format="ftm", paths=[path], now=sides.now)
            elif change == "strike":
                Holding.objects.update(partners=["CC-FIU"])
            else:
                holdings.expire_due(sides.now + timedelta(days=1000))
        sides.settle()
        hits = queries.hits(investigator, run.run_id).hits
        if change in ("protect", "remove"):  # bb-2 shares the e-mail address and is still confirmed
            assert [[selector.kind for selector in hit.selectors] for hit in hits] == [["email"]]
        else:
            assert hits == ()

    def test_a_run_is_single_use(self, sides, offered, start):
        start()
        sides.settle()
        first = Outgoing.objects.get(payload_type=RUN)
        held = HeldRun.objects.get()
        with sides.at("AA-POL"):
            payload = _payload_of(sides, first)
            exchange.send(
                recipient="BB-POL",
                payload_type=RUN,
                payload=payload,
                case_reference=held.case_reference,
                purpose=held.purpose,
                now=sides.now,
            )
        sides.post()
        assert "single-use" in sides.reason(RUN)
        assert HeldRun.objects.count() == 1

    def test_a_second_confirmation_is_refused(self, sides, offered, start):
        start()
        sides.settle()
        first = Outgoing.objects.get(payload_type=CONFIRM)
        with sides.at("AA-POL"):
            payload = _payload_of(sides, first)
            exchange.send(
                recipient="BB-POL",
                payload_type=CONFIRM,
                payload=payload,
                case_reference=first.case_reference,
                purpose=first.purpose,
                now=sides.now,
            )
        sides.post()
        assert "single-use" in sides.reason(CONFIRM)

    def test_a_request_that_is_not_what_its_message_says_is_refused_before_evaluation(self, sides, offered, start):
        start()
        sides.work(only=Step.PREPARE)
        sides.post()
        HeldRun.objects.update(counts={"email": 16, "person": 16, "phone": 24})
        sides.settle()
        assert (HeldRun.objects.get().state, Run.objects.get().state) == (HeldRunState.FAILED, RunState.FAILED)
        assert "not what its message states" in Run.objects.get().failure

    @pytest.mark.parametrize(("step", "state"), [(Step.PREPARE, None), (Step.CONFIRM, HeldRunState.FAILED)])
    def test_what_is_too_large_to_send_ends_the_run(self, sides, offered, start, monkeypatch, step, state):
        def too_large(**named):
            raise FormatError("envelope", "payload over the limit")

        start()
        while not Job.objects.filter(kind=step, state=Job.State.QUEUED).exists():
            sides.work() or sides.post()
        with monkeypatch.context() as patched:
            patched.setattr(exchange, "send", too_large)
            sides.work(only=step)
        sides.settle()
        assert Run.objects.get().state == RunState.FAILED
        assert "ask kind by kind" in Run.objects.get().failure
        assert HeldRun.objects.values_list("state", flat=True).first() == state


class TestClock:
    def test_a_run_without_answer_ends_with_the_partners_epoch(self, sides, offered, start, investigator):
        run = start()
        sides.work(only=Step.PREPARE)
        with sides.at("AA-POL"):
            assert actions.settle(offered.valid_until - timedelta(seconds=1)) == 0
            assert actions.settle(offered.valid_until) == 1
        assert "did not answer" in queries.run(investigator, run.run_id).failure

    def test_a_step_that_failed_for_good_ends_the_run_on_both_sides(self, sides, offered, start, investigator):
        run = start()
        sides.work(only=Step.PREPARE)
        sides.post()
        Job.objects.filter(kind=Step.EVALUATE).update(state=Job.State.FAILED)
        with sides.at("BB-POL"):
            assert actions.settle(sides.now) == 1
        sides.settle()
        assert "A step failed here for good" in queries.run(investigator, run.run_id).failure

    def test_no_receipt_in_time_ends_the_run_on_both_sides(self, sides, offered, start, investigator):
        run = start()
        sides.work(only=Step.PREPARE)
        with sides.at("AA-POL"):
            exchange.expire(now=sides.now + timedelta(days=8))
        ended = queries.run(investigator, run.run_id)
        assert (ended.state, "No receipt" in ended.failure) == (RunState.FAILED, True)

    def test_an_evaluation_that_does_not_arrive_ends_the_partners_run(self, sides, offered, start):
        start()
        sides.work(only=Step.PREPARE)
        sides.post()
        sides.work(only=Step.EVALUATE)
        with sides.at("BB-POL"):
            exchange.expire(now=sides.now + timedelta(days=8))
        assert HeldRun.objects.get().state == HeldRunState.FAILED

    def test_who_started_a_failed_run_is_told(self, sides, offered, start, investigator):
        run = start()
        with sides.at("AA-POL"):
            actions.settle(offered.valid_until)
        assert Task.objects.get(key=f"run:{run.run_id}").title == "A blind match with BB-POL failed"


class TestMoves:
    def test_a_run_moves_as_its_table_says_and_no_other_way(self, offered, start, sides):
        start()
        over = (RunState.DONE, RunState.FAILED)
        for before, after in product(RunState, RunState):
            Run.objects.update(state=before, ended_at=sides.now if before in over else None)
            run = Run.objects.get()
            if after in RUN_MOVES[before]:
                move_run(run, after, **({"ended_at": sides.now} if after in over else {}))
                assert Run.objects.get().state == after
            else:
                with pytest.raises(ConflictError):
                    move_run(run, after)

    def test_a_partners_run_moves_as_its_table_says(self, offered, start, sides):
        start()
        sides.work(only=Step.PREPARE)
        sides.post()
        for before in HeldRunState:
            for after in set(HeldRunState) - HELD_RUN_MOVES[before]:
                run = HeldRun.objects.get()
                run.state = before
                with pytest.raises(ConflictError):
                    move_held_run(run, after)

    def test_message_ids_depend_on_every_part(self):
        ids = {message_id(*parts) for parts in [("a", "b"), ("ab",), ("a", "b", ""), ("b", "a")]}
        assert len(ids) == 4


def _payload_of(sides, message: Outgoing) -> bytes:
    """What a message of ours carried: its recipient can open it."""
    from palermo.node.directory import own_keys
    from palermo.node.directory import queries as directory
    from palermo.sealing.envelope import open_envelope

    with sides.at(message.recipient):
        opened = open_envelope(
            bytes(message.envelope), own_keys.recipient_keys(), lambda sender: directory.verify_keys(sender, sides.now)
        )
    return opened.payload
