"""Reads of cases: for the team, and for whom the access policy exempts; anyone else is told there is nothing."""

from collections.abc import Iterator

from django.db.models import Count

from palermo.node.cases.models import Case, CaseEvent, CaseMember, CaseSubject
from palermo.node.cases.rows import CaseRow, EventRow, SubjectRow
from palermo.node.cases.states import CaseState, EventKind, Neutrality
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor
from palermo.subjects.entities import Entity

READ = "case.read"


def cases(officer: Actor, *, state: CaseState | None = None) -> list[CaseRow]:
    """The cases that the officer may see, newest first."""
    policy.require(officer, "case.list")
    found = Case.objects.annotate(subject_count=Count("subjects")).prefetch_related("team")
    if not policy.allows(officer, READ):
        found = found.filter(pk__in=CaseMember.objects.filter(officer_id=officer.pk).values("case_id"))
    if state is not None:
        found = found.filter(state=state)
    return [_row(case, case.subject_count) for case in found]


def case(officer: Actor, reference: str) -> CaseRow:
    """One case."""
    found = readable(officer, reference)
    return case_row(found)


def members(reference: str) -> frozenset[int]:
    """The team's officers: who needs to know. Empty for a case that is not there, so that nobody does."""
    return frozenset(CaseMember.objects.filter(case__reference=reference).values_list("officer_id", flat=True))


def subjects(officer: Actor, reference: str) -> list[SubjectRow]:
    """The subjects of a case, in the order added."""
    return [subject_row(subject) for subject in readable(officer, reference).subjects.all()]


def entities(reference: str) -> Iterator[Entity]:
    """The subjects of a case as entities. Internal: the caller has decided access."""
    lines = CaseSubject.objects.filter(case__reference=reference).values_list("entity", flat=True)
    yield from map(Entity.from_json, lines.iterator())


def timeline(officer: Actor, reference: str) -> list[EventRow]:
    """What happened in a case, oldest first."""
    return [_event_row(event) for event in readable(officer, reference).events.all()]


def facts(reference: str) -> CaseRow:
    """What later rooms must know of a case (purpose, basis, state, flag). Internal: the caller has decided access."""
    found = Case.objects.filter(reference=reference).first()
    if found is None:
        raise NotFoundError
    return case_row(found)


def readable(officer: Actor, reference: str, permission: str = READ) -> Case:
    """The case, if the officer has this permission in it. For this room alone."""
    policy.require(officer, permission, members(reference))
    found = Case.objects.filter(reference=reference).first()
    if found is None:
        raise NotFoundError
    return found


def case_row(case: Case) -> CaseRow:
    """The row of a model instance."""
    return _row(case, case.subjects.count())


def _row(case: Case, subject_count: int) -> CaseRow:
    return CaseRow(
        reference=case.reference,
        title=case.title,
        purpose=case.purpose,
        legal_basis=case.legal_basis,
        neutrality=Neutrality(case.neutrality),
        state=CaseState(case.state),
        partner=case.partner,
        partner_case=case.partner_case,
        opened_by=case.opened_by_id,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        subjects=subject_count,
        members=tuple(sorted(member.officer_id for member in case.team.all())),
    )


def subject_row(subject: CaseSubject) -> SubjectRow:
    """The row of a model instance."""
    return SubjectRow(
        entity_id=subject.entity_id,
        schema=subject.schema,
        caption=subject.caption,
        entity=Entity.from_json(subject.entity),
        origin=subject.origin,
        added_by=subject.added_by_id,
        added_at=subject.added_at,
    )


def _event_row(event: CaseEvent) -> EventRow:
    return EventRow(
        kind=EventKind(event.kind),
        text=event.text,
        link=event.link,
        officer=event.officer_id,
        happened_at=event.happened_at,
    )
