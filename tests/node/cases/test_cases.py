"""Cases: opened, staffed, closed; seen by the team and by nobody else; opened by a partner's hit."""

import pytest
from django.db import IntegrityError, transaction

from palermo.node.cases import actions, queries
from palermo.node.cases.models import Case, CaseEvent
from palermo.node.cases.states import CASE_MOVES, CaseState, EventKind, Neutrality
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import AuditRow
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db

ADA = Entity("x-1", "Person", {"name": ("Ada Invented",)})


@pytest.fixture
def rossi(make_officer):
    return make_officer("rossi", "investigator")


@pytest.fixture
def bianchi(make_officer):
    return make_officer("bianchi", "investigator")


@pytest.fixture
def open_case(network, rossi):
    """Open a case of officer Rossi."""

    def make(**changes):
        fields = {"title": "Compound", "purpose": "fraud", "legal_basis": "Art. 1", "now": network.now}
        return actions.open_case(rossi, **(fields | changes))

    return make


class TestOpen:
    def test_the_reference_names_the_authority_and_the_opener_is_the_team(self, open_case, rossi):
        case = open_case()
        assert case.reference == "AA-POL-CASE-2026-000001"
        assert (case.state, case.members, case.opened_by, case.neutrality) == (
            CaseState.OPEN,
            (rossi.pk,),
            rossi.pk,
            Neutrality.NONE,
        )
        assert [event.kind for event in queries.timeline(rossi, case.reference)] == [EventKind.OPENED]
        assert AuditRow.objects.get(verb="case.opened").target == case.reference

    def test_all_faults_at_once(self, open_case):
        with pytest.raises(InvalidError) as caught:
            open_case(title=" ", purpose="x" * 501, legal_basis="")
        assert len(caught.value.problems) == 3

    def test_no_other_neutrality_flag(self, open_case):
        with pytest.raises(InvalidError):
            open_case(neutrality="unpopular")
        assert open_case(neutrality="religious").neutrality is Neutrality.RELIGIOUS


class TestNeutrality:
    @pytest.fixture
    def flag(self, network):
        def call(officer, case, neutrality, reason="The suspect stands for parliament."):
            return actions.flag(officer, case, neutrality=neutrality, reason=reason, now=network.now)

        return call

    def test_the_team_raises_it_and_the_time_line_and_audit_trail_tell(self, open_case, flag, rossi):
        case = open_case().reference
        assert flag(rossi, case, "political").neutrality is Neutrality.POLITICAL
        event = queries.timeline(rossi, case)[-1]
        assert (event.kind, event.officer) == (EventKind.FLAG, rossi.pk)
        assert event.text == "Flagged as political: The suspect stands for parliament."
        assert AuditRow.objects.get(verb="case.flagged").detail["neutrality"] == "political"
        with pytest.raises(ConflictError, match="already"):
            flag(rossi, case, "political")
        assert flag(rossi, case, "religious").neutrality is Neutrality.RELIGIOUS

    def test_only_a_supervisor_who_did_not_raise_it_lowers_it(self, open_case, flag, rossi, make_officer):
        first, second = make_officer("first", "supervisor"), make_officer("second", "supervisor")
        case = open_case().reference
        flag(first, case, "military")
        for officer in (rossi, first):
            with pytest.raises(AccessDeniedError):
                flag(officer, case, "")
        assert flag(second, case, "").neutrality is Neutrality.NONE
        opened_flagged = open_case(neutrality="racial").reference
        assert flag(first, opened_flagged, "").neutrality is Neutrality.NONE

    def test_it_needs_the_team_a_reason_and_a_known_flag(self, open_case, flag, rossi, bianchi):
        case = open_case().reference
        with pytest.raises(NotFoundError):
            flag(bianchi, case, "political")
        for neutrality, reason in (("political", " "), ("unpopular", "x")):
            with pytest.raises(InvalidError):
                flag(rossi, case, neutrality, reason)

    def test_what_goes_into_headers_is_one_line(self, open_case):
        assert open_case(purpose=" fraud\r\n by  telephone ").purpose == "fraud by telephone"

    def test_who_may(self, network, make_officer):
        for role, allowed in [
            ("supervisor", True),
            ("central_authority", True),
            ("auditor", False),
            ("administrator", False),
        ]:
            officer = make_officer(role, role)
            if allowed:
                assert actions.open_case(officer, title="T", purpose="P", legal_basis="L", now=network.now)
            else:
                with pytest.raises(AccessDeniedError):
                    actions.open_case(officer, title="T", purpose="P", legal_basis="L", now=network.now)


class TestTeam:
    def test_a_member_sees_the_case_from_then_on(self, network, open_case, rossi, bianchi):
        reference = open_case().reference
        with pytest.raises(NotFoundError):
            queries.case(bianchi, reference)
        actions.add_member(rossi, reference, member=bianchi.pk, now=network.now)
        actions.add_member(rossi, reference, member=bianchi.pk, now=network.now)
        assert queries.case(bianchi, reference).members == tuple(sorted((rossi.pk, bianchi.pk)))
        actions.remove_member(rossi, reference, member=bianchi.pk, now=network.now)
        with pytest.raises(NotFoundError):
            queries.case(bianchi, reference)
        kinds = [event.kind for event in queries.timeline(rossi, reference)]
        assert kinds == [EventKind.OPENED, EventKind.MEMBER_ADDED, EventKind.MEMBER_REMOVED]

    def test_only_officers_who_work_on_cases_can_join(self, network, open_case, rossi, bianchi, make_officer):
        reference = open_case().reference
        bianchi.is_active = False
        bianchi.save()
        for member in (make_officer("a", "auditor").pk, bianchi.pk, 10_000):
            with pytest.raises(InvalidError):
                actions.add_member(rossi, reference, member=member, now=network.now)

    def test_the_last_of_a_team_stays(self, network, open_case, rossi):
        with pytest.raises(ConflictError):
            actions.remove_member(rossi, open_case().reference, member=rossi.pk, now=network.now)


class TestSubjects:
    def test_an_entity_or_its_line_can_be_added_and_the_same_id_replaces_it(self, network, open_case, rossi):
        reference = open_case().reference
        actions.add_subject(rossi, reference, entity=ADA, origin="a witness", now=network.now)
        line = Entity("x-1", "Person", {"name": ("Ada Other",)}).to_json()
        actions.add_subject(rossi, reference, entity=line, origin="a document", now=network.now)
        (subject,) = queries.subjects(rossi, reference)
        assert (subject.caption, subject.origin, subject.entity.id) == ("Ada Other", "a document", "x-1")
        assert [entity.id for entity in queries.entities(reference)] == ["x-1"]

    @pytest.mark.parametrize("entity", ["{}", "nonsense", Entity("x" * 201, "Person", {}).to_json()])
    def test_what_is_no_entity_is_refused(self, network, open_case, rossi, entity):
        with pytest.raises(InvalidError):
            actions.add_subject(rossi, open_case().reference, entity=entity, origin="x", now=network.now)

    def test_it_says_where_a_subject_is_known_from(self, network, open_case, rossi):
        with pytest.raises(InvalidError):
            actions.add_subject(rossi, open_case().reference, entity=ADA, origin=" ", now=network.now)


class TestClose:
    def test_nothing_can_be_added_to_a_closed_case(self, network, open_case, rossi, bianchi):
        reference = open_case().reference
        actions.note(rossi, reference, text="seen", now=network.now)
        assert actions.close_case(rossi, reference, reason="solved", now=network.now).state is CaseState.CLOSED
        writes = [
            lambda: actions.note(rossi, reference, text="late", now=network.now),
            lambda: actions.add_member(rossi, reference, member=bianchi.pk, now=network.now),
            lambda: actions.add_subject(rossi, reference, entity=ADA, origin="x", now=network.now),
            lambda: actions.close_case(rossi, reference, reason="again", now=network.now),
        ]
        for write in writes:
            with pytest.raises(ConflictError):
                write()
        assert CASE_MOVES[CaseState.CLOSED] == frozenset()
        assert queries.timeline(rossi, reference)[-1].text == "Closed: solved"

    def test_the_database_holds_the_states_too(self, open_case, network):
        open_case()
        for change in [{"state": "lost"}, {"closed_at": network.now}, {"neutrality": "x"}, {"partner": "BB-POL"}]:
            with pytest.raises(IntegrityError), transaction.atomic():
                Case.objects.update(**change)


class TestNeedToKnow:
    def test_nobody_outside_the_team_learns_that_there_is_a_case(
        self, network, open_case, rossi, bianchi, make_officer
    ):
        reference = open_case().reference
        reads = [queries.case, queries.subjects, queries.timeline]
        writes = [
            lambda officer, ref: actions.note(officer, ref, text="x", now=network.now),
            lambda officer, ref: actions.close_case(officer, ref, reason="x", now=network.now),
            lambda officer, ref: actions.add_member(officer, ref, member=officer.pk, now=network.now),
            lambda officer, ref: actions.remove_member(officer, ref, member=rossi.pk, now=network.now),
            lambda officer, ref: actions.add_subject(officer, ref, entity=ADA, origin="x", now=network.now),
        ]
        central, auditor = make_officer("c", "central_authority"), make_officer("a", "auditor")
        for use in reads + writes:
            for officer in (bianchi, central):
                sentences = []
                for name in (reference, "AA-POL-CASE-2026-999999"):
                    with pytest.raises(NotFoundError) as caught:
                        use(officer, name)
                    sentences.append(caught.value.sentence)
                assert sentences[0] == sentences[1]
            with pytest.raises(AccessDeniedError):
                use(auditor, reference)
        assert CaseEvent.objects.count() == 1

    def test_lists_show_what_the_officer_may_see(self, network, open_case, rossi, bianchi, make_officer):
        ours = open_case().reference
        theirs = actions.open_case(bianchi, title="T", purpose="P", legal_basis="L", now=network.now).reference
        assert [case.reference for case in queries.cases(rossi)] == [ours]
        assert {case.reference for case in queries.cases(make_officer("s", "supervisor"))} == {ours, theirs}
        assert queries.cases(make_officer("i", "investigator")) == []
        actions.close_case(rossi, ours, reason="x", now=network.now)
        assert queries.cases(rossi, state=CaseState.OPEN) == []
        with pytest.raises(AccessDeniedError):
            queries.cases(make_officer("a", "auditor"))

    def test_the_team_of_no_case_is_empty(self, network):
        assert queries.members("AA-POL-CASE-2026-000001") == frozenset()
        with pytest.raises(NotFoundError):
            queries.facts("AA-POL-CASE-2026-000001")


class TestHits:
    @pytest.fixture
    def met(self, network, rossi, bianchi):
        """Let a partner meet entities of ours."""

        def meet(*entities, partner_case="BB-POL-CASE-2026-000007", officers=(rossi, bianchi)):
            return actions.open_or_join_for_hit(
                partner="BB-POL",
                partner_case=partner_case,
                purpose="their purpose",
                legal_basis="their basis",
                entities=[(entity, "holding register") for entity in entities],
                officers=[officer.pk for officer in officers],
                now=network.now,
            )

        return meet

    def test_a_hit_opens_a_case_for_those_who_are_told(self, met, rossi, bianchi, make_officer):
        make_officer("other", "investigator")
        case = met(ADA)
        assert set(case.members) == {rossi.pk, bianchi.pk}
        assert (case.partner_case, case.opened_by, case.subjects) == ("BB-POL-CASE-2026-000007", None, 1)
        assert queries.subjects(rossi, case.reference)[0].origin == "holding register"

    def test_a_later_hit_of_the_same_partner_case_joins_it_and_leaves_the_team_alone(
        self, network, met, rossi, bianchi
    ):
        first = met(ADA)
        actions.remove_member(rossi, first.reference, member=bianchi.pk, now=network.now)
        second = met(ADA, Entity("x-2", "Person", {"name": ("Bea",)}))
        assert (second.reference, second.members, second.subjects) == (first.reference, (rossi.pk,), 2)
        assert met(ADA, partner_case="BB-POL-CASE-2026-000008").reference == "AA-POL-CASE-2026-000002"

    def test_a_closed_case_stays_closed_and_another_is_opened(self, network, met, rossi):
        first = met(ADA)
        actions.close_case(rossi, first.reference, reason="x", now=network.now)
        second = met(ADA)
        assert second.reference != first.reference
        assert queries.case(rossi, first.reference).state is CaseState.CLOSED

    def test_a_request_brings_those_who_answer_it_into_the_team(self, network, met, rossi, bianchi, make_officer):
        first = met(ADA)
        clerk = make_officer("clerk", "central_authority")
        joined = actions.open_or_join_for_request(
            partner="BB-POL",
            partner_case=first.partner_case,
            purpose="p",
            legal_basis="l",
            officers=[clerk.pk, rossi.pk],
            now=network.now,
        )
        assert (joined.reference, set(joined.members)) == (first.reference, {rossi.pk, bianchi.pk, clerk.pk})
