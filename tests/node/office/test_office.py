"""Officers, approvals, tasks and jobs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from palermo.node.office import actions, jobs, policy, queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import Approval, AuditRow, Job, Officer
from palermo.node.office.policy import PERMISSIONS, Role

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture
def admin(make_officer):
    return make_officer("admin", "administrator")


class TestPolicy:
    @pytest.mark.parametrize("permission", PERMISSIONS)
    @pytest.mark.parametrize("role", Role)
    def test_every_row_holds_for_every_role(self, make_officer, permission, role):
        officer = make_officer(f"o-{role}", role)
        row = PERMISSIONS[permission]
        assert policy.allows(officer, permission, members=[officer.pk]) == (role in row.roles)
        expected_outside = role in row.roles and (not row.need_to_know or role in row.exempt)
        assert policy.allows(officer, permission, members=[]) == expected_outside

    def test_without_the_role_it_is_forbidden_and_without_need_to_know_there_is_nothing(self, make_officer):
        with pytest.raises(AccessDeniedError):
            policy.require(make_officer("a", "auditor"), "case.read", members=[])
        with pytest.raises(NotFoundError):
            policy.require(make_officer("i", "investigator"), "case.read", members=[])

    def test_an_inactive_officer_may_nothing(self, make_officer):
        officer = make_officer("gone", *Role)
        officer.is_active = False
        assert not any(policy.allows(officer, name, members=[officer.pk]) for name in PERMISSIONS)

    def test_an_unknown_permission_is_a_mistake_of_the_program(self, make_officer):
        with pytest.raises(KeyError):
            policy.require(make_officer("i", "investigator"), "case.raed")


@pytest.mark.django_db
class TestOfficers:
    def test_the_first_administrator_comes_by_a_link_that_works_once(self):
        token = actions.create_first_administrator(username="admin", full_name="Ada Admin", now=NOW)
        officer = actions.accept_invitation(token, password=PASSWORD, now=NOW)
        assert officer.check_password(PASSWORD)
        # The answer was lost: the link still works, until the second factor is there.
        actions.accept_invitation(token, password=PASSWORD, now=NOW)
        actions.complete_invitation(token, now=NOW)
        with pytest.raises(NotFoundError):
            actions.accept_invitation(token, password=PASSWORD, now=NOW)
        with pytest.raises(ConflictError):
            actions.create_first_administrator(username="second", full_name="B B", now=NOW)

    def test_a_link_expires(self):
        token = actions.create_first_administrator(username="admin", full_name="Ada Admin", now=NOW)
        with pytest.raises(NotFoundError):
            actions.accept_invitation(token, password=PASSWORD, now=NOW + timedelta(days=8))

    def test_a_weak_password_leaves_the_link_usable(self):
        token = actions.create_first_administrator(username="admin", full_name="Ada Admin", now=NOW)
        with pytest.raises(InvalidError):
            actions.accept_invitation(token, password="short", now=NOW)
        assert actions.accept_invitation(token, password=PASSWORD, now=NOW)

    def test_all_faults_of_a_new_officer_at_once(self, admin):
        with pytest.raises(InvalidError) as caught:
            actions.create_officer(admin, username="a b", full_name=" ", roles=["investigator"], now=NOW)
        assert len(caught.value.problems) == 2
        with pytest.raises(InvalidError):
            actions.create_officer(admin, username="ok", full_name="O K", roles=["king"], now=NOW)

    def test_the_last_administrator_stays(self, admin):
        with pytest.raises(ConflictError):
            actions.set_roles(admin, username="admin", roles=["investigator"], active=True, now=NOW)
        with pytest.raises(ConflictError):
            actions.set_roles(admin, username="admin", roles=["administrator"], active=False, now=NOW)

    def test_a_new_link_ends_the_earlier_ones_and_the_password(self, admin):
        _, first = actions.create_officer(admin, username="rossi", full_name="R Rossi", roles=["investigator"], now=NOW)
        second = actions.invite_again(admin, username="rossi", now=NOW)
        with pytest.raises(NotFoundError):
            actions.accept_invitation(first, password=PASSWORD, now=NOW)
        actions.accept_invitation(second, password=PASSWORD, now=NOW)
        actions.invite_again(admin, username="rossi", now=NOW)
        assert not Officer.objects.get(username="rossi").has_usable_password()

    def test_only_an_administrator_manages_officers(self, make_officer):
        with pytest.raises(AccessDeniedError):
            actions.create_officer(
                make_officer("s", "supervisor"), username="x", full_name="X Y", roles=["auditor"], now=NOW
            )

    def test_references_count_without_gaps(self):
        assert [actions.next_reference("REQ", now=NOW) for _ in range(3)] == [
            "REQ-2026-000001",
            "REQ-2026-000002",
            "REQ-2026-000003",
        ]


@pytest.mark.django_db
class TestApprovals:
    def ask(self, officer, *readers):
        return actions.ask_approval(
            officer,
            readers=[reader.pk for reader in readers],
            subject="requests.Request:R1",
            digest="d" * 64,
            permission="request.approve",
            title="t",
            link="/",
            now=NOW,
        )

    def test_a_second_person_decides(self, make_officer):
        asker, other = make_officer("a", "supervisor"), make_officer("b", "supervisor")
        approval = self.ask(asker, asker, other)
        assert [task.kind for task in queries.work_queue(other)] == ["approval"]
        with pytest.raises(AccessDeniedError, match="second person"):
            actions.decide_approval(asker, approval.pk, approved=True, reason="mine", now=NOW)
        with pytest.raises(InvalidError):
            actions.decide_approval(other, approval.pk, approved=True, reason=" ", now=NOW)
        actions.decide_approval(other, approval.pk, approved=True, reason="in order", now=NOW)
        assert queries.is_approved("requests.Request:R1", "d" * 64)
        assert not queries.is_approved("requests.Request:R1", "e" * 64)
        assert queries.work_queue(other) == []
        with pytest.raises(ConflictError):
            actions.decide_approval(other, approval.pk, approved=False, reason="again", now=NOW)

    def test_the_database_itself_refuses_one_person_twice(self, make_officer):
        asker = make_officer("a", "supervisor")
        approval = self.ask(asker, make_officer("b", "supervisor"))
        with pytest.raises(IntegrityError), transaction.atomic():
            Approval.objects.filter(pk=approval.pk).update(state="approved", decided_by=asker)

    def test_who_may_not_decide_sees_nothing(self, make_officer):
        reader, later = make_officer("b", "supervisor"), make_officer("c", "supervisor")
        asker, investigator = make_officer("a", "supervisor"), make_officer("i", "investigator")
        approval = self.ask(asker, reader, investigator)
        for other in (investigator, later):
            with pytest.raises(NotFoundError):
                queries.approval_for(other, approval.pk)
            with pytest.raises(NotFoundError):
                actions.decide_approval(other, approval.pk, approved=True, reason="unread", now=NOW)
        assert queries.work_queue(later) == []
        self.ask(asker, reader, later)  # asked again, once another officer joined the team
        assert queries.approval_for(later, approval.pk) and len(queries.work_queue(later)) == 1

    def test_an_approval_that_nobody_else_can_read_is_not_asked(self, make_officer):
        asker = make_officer("a", "supervisor")
        with pytest.raises(InvalidError, match="Add a second officer with this role to the team: Supervisor"):
            self.ask(asker, asker)
        assert not Approval.objects.exists()


@pytest.mark.django_db
class TestTasks:
    def test_a_task_reaches_a_role_or_named_officers_once(self, make_officer):
        one, two = make_officer("one", "investigator"), make_officer("two", "investigator")
        for _ in range(2):
            actions.add_task(key="k:role", title="for the role", link="/", role=Role.INVESTIGATOR, now=NOW)
            actions.add_task(key="k:named", title="for one", link="/", officers=[one.pk], now=NOW)
        assert [row.title for row in queries.work_queue(two)] == ["for the role"]
        assert len(queries.work_queue(one)) == 2
        actions.finish_task("k:role", now=NOW)
        assert queries.work_queue(two) == []

    def test_what_is_due_first_is_on_top(self, make_officer):
        officer = make_officer("one", "investigator")
        for key, due in (("k:none", None), ("k:late", NOW + timedelta(days=2)), ("k:soon", NOW + timedelta(days=1))):
            actions.add_task(key=key, title=key, link="/", officers=[officer.pk], due_at=due, now=NOW)
        assert [row.key for row in queries.work_queue(officer)] == ["k:soon", "k:late", "k:none"]


@pytest.mark.django_db
class TestJobs:
    def run(self, handler, now=NOW):
        jobs.register("test.kind", handler)
        return jobs.run_due(now)

    def test_the_same_key_is_one_job(self):
        seen = []
        for _ in range(2):
            jobs.enqueue("test.kind", "job:1", {"n": 1}, now=NOW)
        assert self.run(lambda payload, beat, now: seen.append(payload)) == 1
        assert seen == [{"n": 1}]
        assert queries.job("job:1").state == "done"

    def test_a_killed_workers_job_runs_again_when_its_lease_ends(self):
        jobs.enqueue("test.kind", "job:1", {}, now=NOW)
        jobs.register("test.kind", lambda *_: None)
        Job.objects.update(state="running", lease_until=NOW + timedelta(seconds=30))
        assert jobs.run_due(NOW) == 0
        assert jobs.run_due(NOW + timedelta(seconds=31)) == 1

    def test_the_only_worker_need_not_wait_for_the_lease(self):
        jobs.enqueue("test.kind", "job:1", {}, now=NOW)
        Job.objects.update(state="running", lease_until=NOW + timedelta(seconds=30))
        jobs.release_leases()
        assert self.run(lambda *_: None) == 1

    def test_a_failing_job_backs_off_then_waits_for_a_person(self):
        def fail(*_):
            raise RuntimeError("disk full")

        jobs.enqueue("test.kind", "job:1", {}, now=NOW)
        now = NOW
        for _ in range(jobs.MOST_ATTEMPTS):
            self.run(fail, now)
            now += timedelta(minutes=10)
        row = queries.job("job:1")
        assert row.state == "failed"
        assert "disk full" in row.last_error
        jobs.retry("job:1", now=now)
        assert self.run(lambda *_: None, now) == 1

    def test_giving_up_is_at_once(self):
        def give_up(*_):
            raise jobs.GiveUpError("the file is no list")

        jobs.enqueue("test.kind", "job:1", {}, now=NOW)
        self.run(give_up)
        assert queries.job("job:1").state == "failed"


def test_the_audit_trail_is_for_the_auditor(make_officer):
    actions.audit(None, "test.done", "target", now=NOW, detail={"a": 1})
    assert AuditRow.objects.count() == 1
    assert queries.audit_trail(make_officer("a", "auditor"))[0].verb == "test.done"
    with pytest.raises(AccessDeniedError):
        queries.audit_trail(make_officer("s", "supervisor"))
