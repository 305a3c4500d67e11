"""Judgements, and who sees runs and hits: the team, and nobody else."""

from datetime import timedelta

import pytest

from palermo.node.cases import actions as cases
from palermo.node.cases import queries as case_queries
from palermo.node.matching import actions, queries
from palermo.node.matching.models import HeldHit, Hit, Judgement
from palermo.node.matching.states import Verdict
from palermo.node.office import queries as office
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(sides, offered, start):
    """A run that has ended, with two hits."""
    run = start()
    sides.settle()
    return run


@pytest.fixture
def hits(done, investigator):
    return queries.hits(investigator, done.run_id).hits


class TestJudge:
    def test_a_confirmed_hit_is_intelligence(self, sides, done, hits, investigator, case):
        row = actions.judge(investigator, hits[0].hit_id, verdict="same", reason="same birth date", now=sides.now)
        assert (row.verdict, row.intelligence) == (Verdict.SAME, True)
        assert [hit.hit_id for hit in queries.confirmed_hits(investigator, case)] == [hits[0].hit_id]
        assert queries.run(investigator, done.run_id).judged == 1

    def test_it_can_be_revised_and_the_history_stays(self, sides, hits, investigator):
        for number, verdict in enumerate(["unsure", "same", "different"]):
            now = sides.now + timedelta(hours=number)
            row = actions.judge(investigator, hits[0].hit_id, verdict=verdict, reason=f"reason {number}", now=now)
            assert (row.verdict, row.intelligence) == (Verdict(verdict), verdict == "same")
        history = queries.judgements(investigator, hits[0].hit_id)
        assert [(judgement.verdict, judgement.reason) for judgement in history] == [
            (Verdict.UNSURE, "reason 0"),
            (Verdict.SAME, "reason 1"),
            (Verdict.DIFFERENT, "reason 2"),
        ]
        assert {judgement.officer for judgement in history} == {investigator.pk}

    @pytest.mark.parametrize(
        ("verdict", "reason"), [("same", " "), ("", "why"), ("maybe", "why"), ("same", "x" * 5001)]
    )
    def test_no_judgement_without_a_verdict_and_a_reason(self, sides, hits, investigator, verdict, reason):
        with pytest.raises(InvalidError):
            actions.judge(investigator, hits[0].hit_id, verdict=verdict, reason=reason, now=sides.now)
        assert not Judgement.objects.exists()

    def test_when_all_are_judged_the_task_is_done(self, sides, done, hits, investigator):
        for left, hit in [(True, hits[0]), (False, hits[1])]:
            actions.judge(investigator, hit.hit_id, verdict="unsure", reason="why", now=sides.now)
            tasks = {task.link for task in office.work_queue(investigator)}
            assert (f"/runs/{done.run_id}/" in tasks) == left

    def test_in_a_closed_case_nothing_is_judged(self, sides, hits, investigator, case):
        cases.close_case(investigator, case, reason="solved", now=sides.now)
        with pytest.raises(ConflictError):
            actions.judge(investigator, hits[0].hit_id, verdict="same", reason="why", now=sides.now)

    def test_it_stands_in_the_time_line_of_the_case(self, sides, hits, investigator, case):
        actions.judge(investigator, hits[0].hit_id, verdict="different", reason="why", now=sides.now)
        assert case_queries.timeline(investigator, case)[-1].text.endswith("judged different")

    def test_a_judgement_needs_the_team(self, sides, hits, make_officer):
        with pytest.raises(NotFoundError):
            actions.judge(
                make_officer("x", "investigator"), hits[0].hit_id, verdict="same", reason="why", now=sides.now
            )
        with pytest.raises(AccessDeniedError):
            actions.judge(make_officer("a", "auditor"), hits[0].hit_id, verdict="same", reason="why", now=sides.now)


class TestNeedToKnow:
    def test_only_the_team_and_whom_the_policy_exempts_see_runs_and_hits(
        self, done, hits, case, make_officer, supervisor
    ):
        held_case = HeldHit.objects.all()[0].case_id
        reads = [
            lambda officer: queries.runs(officer, case),
            lambda officer: queries.run(officer, done.run_id),
            lambda officer: queries.hits(officer, done.run_id),
            lambda officer: queries.hits(officer, done.run_id, page=99),
            lambda officer: queries.hit(officer, hits[0].hit_id),
            lambda officer: queries.judgements(officer, hits[0].hit_id),
            lambda officer: queries.confirmed_hits(officer, case),
            lambda officer: queries.compare_report(officer, done.run_id),
            lambda officer: queries.held_hits(officer, held_case),
        ]
        outside, auditor = make_officer("x", "investigator"), make_officer("a", "auditor")
        central, admin = make_officer("c", "central_authority"), make_officer("m", "administrator")
        for read in reads:
            for officer in (outside, central):
                with pytest.raises(NotFoundError):
                    read(officer)
            for officer in (auditor, admin):
                with pytest.raises(AccessDeniedError):
                    read(officer)
        for read in reads[:3] + reads[4:]:
            read(supervisor)

    def test_what_is_not_there_looks_like_what_may_not_be_seen(self, done, make_officer, supervisor):
        outside = make_officer("x", "investigator")
        for officer in (outside, supervisor):
            for read in (queries.run, queries.hits, queries.hit, queries.judgements):
                with pytest.raises(NotFoundError) as caught:
                    read(officer, "0" * 32)
                assert caught.value.sentence == NotFoundError().sentence

    def test_partners_runs_are_for_who_reads_messages_and_tell_no_hit(self, done, investigator, make_officer):
        (shown,) = queries.held_runs(make_officer("a", "auditor"))
        assert shown.withheld and not (shown.case_reference or shown.purpose or shown.asked_by)
        (held,) = queries.held_runs(make_officer("s2", "supervisor"))
        assert (held.partner, held.asked_by) == ("AA-POL", "Officer Rossi")
        assert not hasattr(held, "hits")
        with pytest.raises(AccessDeniedError):
            queries.held_runs(investigator)
        assert queries.held_runs(make_officer("b", "auditor"), partner="CC-FIU") == []

    def test_manifests_can_be_chosen_by_the_team(self, sides, offered, case, investigator, make_officer):
        (manifest,) = queries.live_manifests(investigator, case, now=sides.now)
        assert manifest.partner == "BB-POL"
        assert queries.live_manifests(investigator, case, now=offered.valid_until) == []
        with pytest.raises(NotFoundError):
            queries.live_manifests(make_officer("x", "investigator"), case, now=sides.now)
        with pytest.raises(AccessDeniedError):
            queries.manifests(make_officer("c", "central_authority"), now=sides.now)


class TestPages:
    @pytest.fixture
    def many(self, done):
        """Two and a half pages of hits more, by copying one."""
        one = Hit.objects.all()[0]
        for number in range(125):
            one.pk, one.hit_id, one.our_id = None, f"{number:032x}", f"copy-{number}"
            one.save(force_insert=True)

    def test_every_hit_is_on_one_page(self, many, done, investigator):
        first = queries.hits(investigator, done.run_id)
        assert (first.page, first.pages, first.total) == (1, 3, 127)
        pages = [queries.hits(investigator, done.run_id, page=page).hits for page in (1, 2, 3)]
        assert [len(page) for page in pages] == [50, 50, 27]
        assert len({hit.hit_id for page in pages for hit in page}) == 127
        for page in (0, 4):
            with pytest.raises(NotFoundError):
                queries.hits(investigator, done.run_id, page=page)

    def test_hits_of_one_verdict(self, sides, many, done, hits, investigator):
        actions.judge(investigator, hits[0].hit_id, verdict="same", reason="why", now=sides.now)
        assert queries.hits(investigator, done.run_id, verdict=Verdict.WAITING).total == 126
        assert [hit.hit_id for hit in queries.hits(investigator, done.run_id, verdict=Verdict.SAME).hits] == [
            hits[0].hit_id
        ]

    def test_the_report_has_a_line_a_hit_and_asks_the_database_a_fixed_number_of_times(
        self, many, done, investigator, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(4):
            lines = list(queries.compare_report(investigator, done.run_id))
        assert len(lines) == 127
        assert {line.their_id for line in lines} <= set(Hit.objects.values_list("partner_reference", flat=True))
