"""Writes of cases. Each is one transaction; only the team changes a case, and what happened stands in its time line."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.cases import queries
from palermo.node.cases.models import Case, CaseEvent, CaseMember, CaseSubject
from palermo.node.cases.rows import CaseRow, SubjectRow
from palermo.node.cases.states import CASE_MOVES, CaseState, EventKind, Neutrality
from palermo.node.directory import queries as directory
from palermo.node.office import policy
from palermo.node.office.actions import audit, next_reference
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError
from palermo.node.office.policy import Actor
from palermo.node.office.queries import officer_names, officers_with
from palermo.subjects.entities import Entity, EntityError

EDIT = "case.edit"
CHUNK = 500
MAX_ID_BYTES = 200


@transaction.atomic
def open_case(
    officer: Actor,
    *,
    title: str,
    purpose: str,
    legal_basis: str,
    neutrality: str = Neutrality.NONE,
    now: datetime,
) -> CaseRow:
    """Open a case; its opener is the first of the team. A neutrality flag stops what leaves it for a second review."""
    policy.require(officer, "case.open")
    title, purpose, legal_basis = (" ".join(text.split()) for text in (title, purpose, legal_basis))
    _check_texts(title=title, purpose=purpose, legal_basis=legal_basis)
    if neutrality not in list(Neutrality):
        raise InvalidError(f"{neutrality!r} is no neutrality flag. Choose one of the list, or none.")
    case = Case.objects.create(
        reference=_reference(now),
        title=title,
        purpose=purpose,
        legal_basis=legal_basis,
        neutrality=neutrality,
        flagged_by_id=officer.pk if neutrality else None,
        opened_by_id=officer.pk,
        opened_at=now,
    )
    CaseMember.objects.create(case=case, officer_id=officer.pk, added_at=now)
    _event(case, EventKind.OPENED, f"Opened: {case.title}", officer=officer.pk, now=now)
    audit(officer, "case.opened", case.reference, now=now)
    return queries.case_row(case)


@transaction.atomic
def add_member(officer: Actor, reference: str, *, member: int, now: datetime) -> CaseRow:
    """Let another officer know: `member` is an active officer who may read cases. Adding twice changes nothing."""
    case = _open_for(officer, reference)
    if member not in officers_with(queries.READ):
        raise InvalidError("Only an active officer whose role allows work on cases can join the team.")
    _, added = CaseMember.objects.get_or_create(case=case, officer_id=member, defaults={"added_at": now})
    if added:
        _event(case, EventKind.MEMBER_ADDED, f"{_name(member)} joined the team", officer=officer.pk, now=now)
        audit(officer, "case.member_added", reference, now=now, detail={"officer": member})
    return queries.case_row(case)


@transaction.atomic
def remove_member(officer: Actor, reference: str, *, member: int, now: datetime) -> CaseRow:
    """End an officer's need to know; the last of a team stays, so that a case is never without anyone."""
    case = _open_for(officer, reference)
    if case.team.exclude(officer_id=member).count() == 0:
        raise ConflictError("This is the last officer of the team. Add another officer first.")
    removed, _ = case.team.filter(officer_id=member).delete()
    if removed:
        _event(case, EventKind.MEMBER_REMOVED, f"{_name(member)} left the team", officer=officer.pk, now=now)
        audit(officer, "case.member_removed", reference, now=now, detail={"officer": member})
    return queries.case_row(case)


@transaction.atomic
def add_subject(officer: Actor, reference: str, *, entity: Entity | str, origin: str, now: datetime) -> SubjectRow:
    """Add a subject (an entity or its JSON line), with where it is known from. The same id again replaces it."""
    case = _open_for(officer, reference)
    if not origin.strip():
        raise InvalidError("Say where this subject is known from: it stays with the case.")
    subject = _with_usable_id(_parsed(entity))
    stored, added = CaseSubject.objects.update_or_create(
        case=case, entity_id=subject.id, defaults=_subject_fields(subject, origin.strip(), officer.pk, now)
    )
    verb = "Added" if added else "Replaced"
    _event(case, EventKind.SUBJECT_ADDED, f"{verb} subject {subject.caption}", officer=officer.pk, now=now)
    audit(officer, "case.subject_added", reference, now=now, detail={"entity": subject.id})
    return queries.subject_row(stored)


@transaction.atomic
def note(officer: Actor, reference: str, *, text: str, now: datetime) -> None:
    """Write a line into the time line."""
    case = _open_for(officer, reference)
    _check_texts(note=text)
    _event(case, EventKind.NOTE, text.strip(), officer=officer.pk, now=now)
    audit(officer, "case.noted", reference, now=now)


@transaction.atomic
def flag(officer: Actor, reference: str, *, neutrality: str, reason: str, now: datetime) -> CaseRow:
    """Say that the matter has, or has not, a political, military, religious or racial character; with the reason.

    Anyone on the team raises the flag, or changes one for another. Only an officer who reviews cases lowers it, and not
    the one who raised it: what the flag stops must not be let go by whoever is in a hurry.
    """
    case = _open_for(officer, reference)
    _check_texts(reason=reason)
    if neutrality not in list(Neutrality):
        raise InvalidError(f"{neutrality!r} is no neutrality flag. Choose one of the list, or none.")
    if neutrality == case.neutrality:
        raise ConflictError("The case stands so already.")
    if not neutrality:
        policy.require(officer, "case.review", queries.members(reference))
        if case.flagged_by_id == officer.pk:
            raise AccessDeniedError("You raised this flag. Another supervisor has to lower it.")
    case.neutrality, case.flagged_by_id = neutrality, officer.pk if neutrality else None
    case.save(update_fields=["neutrality", "flagged_by"])
    said = f"Flagged as {neutrality}" if neutrality else "No longer flagged"
    _event(case, EventKind.FLAG, f"{said}: {reason.strip()}", officer=officer.pk, now=now)
    audit(officer, "case.flagged", reference, now=now, detail={"neutrality": neutrality, "reason": reason.strip()})
    return queries.case_row(case)


@transaction.atomic
def close_case(officer: Actor, reference: str, *, reason: str, now: datetime) -> CaseRow:
    """Close a case; nothing can be added to it or leave it afterwards."""
    case = _open_for(officer, reference)
    _check_texts(reason=reason)
    case.state, case.closed_at = CaseState.CLOSED, now
    case.save(update_fields=["state", "closed_at"])
    _event(case, EventKind.CLOSED, f"Closed: {reason.strip()}", officer=officer.pk, now=now)
    audit(officer, "case.closed", reference, now=now)
    return queries.case_row(case)


@transaction.atomic
def record(reference: str, *, kind: EventKind, text: str, link: str = "", officer: int | None, now: datetime) -> None:
    """Write what a later room did in a case into its time line. Internal: the caller has decided access."""
    _event(Case.objects.get(reference=reference), kind, text, link=link, officer=officer, now=now)


@transaction.atomic
def open_or_join_for_hit(
    *,
    partner: str,
    partner_case: str,
    purpose: str,
    legal_basis: str,
    entities: Iterable[tuple[Entity, str]],
    officers: Collection[int],
    now: datetime,
) -> CaseRow:
    """Open the case of a partner's hit, or join the one that is open for the same partner case.

    `entities`: what was met, each with where this authority knows it from. `officers`: who learns of it (supervisors,
    or the duty unit); they are the team of a new case, and add whom it concerns. A case that is joined keeps its team;
    a closed case stays closed: a later hit opens another.
    """
    title = f"Met by {partner} in its case {partner_case}"
    case = _open_or_join(partner, partner_case, title, purpose, legal_basis, now)
    if not case.team.exists():
        _staff(case, officers, now)
    added = _add_subjects(case, list(entities), now)
    _event(case, EventKind.HIT, f"{partner} met {added} more of our entities", officer=None, now=now)
    return queries.case_row(case)


@transaction.atomic
def open_or_join_for_request(
    *, partner: str, partner_case: str, purpose: str, legal_basis: str, officers: Collection[int], now: datetime
) -> CaseRow:
    """Open the case of a partner's request, or join the one that is open for the same partner case.

    `officers`: who answers requests of that kind; they join the team, so that someone needs to know of the request.
    """
    title = f"Asked by {partner} in its case {partner_case}"
    case = _open_or_join(partner, partner_case, title, purpose, legal_basis, now)
    _staff(case, officers, now)
    return queries.case_row(case)


def _open_or_join(partner: str, partner_case: str, title: str, purpose: str, legal_basis: str, now: datetime) -> Case:
    """The open case for a partner's case, locked; opened just now if there was none."""
    open_for_it = Case.objects.select_for_update().filter(
        partner=partner, partner_case=partner_case, state=CaseState.OPEN
    )
    if (case := open_for_it.first()) is not None:
        return case
    case = Case.objects.create(
        reference=_reference(now),
        title=title[:200],
        purpose=purpose,
        legal_basis=legal_basis,
        partner=partner,
        partner_case=partner_case,
        opened_at=now,
    )
    _event(case, EventKind.OPENED, title, officer=None, now=now)
    audit(None, "case.opened", case.reference, now=now, detail={"partner": partner, "partner_case": partner_case})
    return case


def _staff(case: Case, officers: Collection[int], now: datetime) -> None:
    """Put officers on the team who are not yet on it."""
    known = set(case.team.values_list("officer_id", flat=True))
    fresh = [pk for pk in officers if pk not in known]
    CaseMember.objects.bulk_create([CaseMember(case=case, officer_id=pk, added_at=now) for pk in fresh])


def _add_subjects(case: Case, entities: Sequence[tuple[Entity, str]], now: datetime) -> int:
    """Add those that are not yet subjects, in bulk; returns how many."""
    known = set(case.subjects.values_list("entity_id", flat=True))
    fresh = {entity.id: (entity, origin) for entity, origin in entities if entity.id not in known}
    CaseSubject.objects.bulk_create(
        [
            CaseSubject(case=case, entity_id=key, **_subject_fields(entity, origin, None, now))
            for key, (entity, origin) in fresh.items()
        ],
        batch_size=CHUNK,
    )
    return len(fresh)


def _subject_fields(entity: Entity, origin: str, officer: int | None, now: datetime) -> dict[str, object]:
    return {
        "schema": entity.schema,
        "caption": entity.caption[:500],
        "entity": entity.to_json(),
        "origin": origin,
        "added_by_id": officer,
        "added_at": now,
    }


def _parsed(entity: Entity | str) -> Entity:
    if isinstance(entity, Entity):
        return entity
    try:
        return Entity.from_json(entity)
    except EntityError as error:
        raise InvalidError(f"This subject cannot be read: {error}. Give one FollowTheMoney entity.") from error


def _with_usable_id(entity: Entity) -> Entity:
    """Refuse ids that a blind match cannot carry as a reference."""
    if len(entity.id.encode()) > MAX_ID_BYTES:
        raise InvalidError(f"The id of this subject is longer than {MAX_ID_BYTES} bytes. Give it a shorter one.")
    return entity


def _open_for(officer: Actor, reference: str) -> Case:
    """The case, open and changeable by this officer, locked."""
    queries.readable(officer, reference, EDIT)
    case = Case.objects.select_for_update().get(reference=reference)
    if CaseState.CLOSED not in CASE_MOVES[CaseState(case.state)]:
        raise ConflictError("This case is closed. Open a new one for what comes now.")
    return case


def _check_texts(**texts: str) -> None:
    problems = [f"Fill in the {name.replace('_', ' ')}." for name, text in texts.items() if not text.strip()]
    problems += [
        f"Shorten the {name.replace('_', ' ')} to {limit} characters."
        for name, text in texts.items()
        if len(text) > (limit := _LIMITS.get(name, 5000))
    ]
    if problems:
        raise InvalidError(problems)


_LIMITS = {"title": 200, "purpose": 500, "legal_basis": 200}


def _reference(now: datetime) -> str:
    return next_reference(f"{directory.own_code()}-CASE", now=now)


def _name(officer: int) -> str:
    return officer_names([officer]).get(officer, "An officer")


def _event(case: Case, kind: EventKind, text: str, *, link: str = "", officer: int | None, now: datetime) -> None:
    CaseEvent.objects.create(case=case, kind=kind, text=text, link=link, officer_id=officer, happened_at=now)
