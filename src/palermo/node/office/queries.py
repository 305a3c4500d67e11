"""Reads of the office. Frozen rows come back; the officer is the first argument where access is decided."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.models import Approval, AuditRow, Invitation, Job, Officer, Task, Unit
from palermo.node.office.policy import Actor, Role

PAGE = 50


@dataclass(frozen=True, slots=True)
class OfficerRow:
    """An officer of this authority."""

    pk: int
    username: str
    full_name: str
    roles: tuple[Role, ...]
    unit: str
    is_active: bool
    joined: bool


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A second person's decision, asked or made."""

    pk: int
    subject: str
    digest: str
    permission: str
    title: str
    link: str
    state: str
    asked_by: str
    asked_by_pk: int
    asked_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class TaskRow:
    """Something that waits for the officer."""

    key: str
    kind: str
    title: str
    link: str
    created_at: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobRow:
    """Where a background job stands; ``progress`` from 0 to 1."""

    key: str
    kind: str
    state: str
    progress: float
    attempts: int
    last_error: str
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what."""

    at: datetime
    officer: str
    verb: str
    target: str
    detail: dict[str, object]


def officer_row(officer: Officer) -> OfficerRow:
    """The row of a model instance."""
    return OfficerRow(
        pk=officer.pk,
        username=officer.username,
        full_name=officer.get_full_name(),
        roles=tuple(Role(role) for role in officer.roles),
        unit=officer.unit.name if officer.unit else "",
        is_active=officer.is_active,
        joined=officer.has_usable_password(),
    )


def approval_row(approval: Approval) -> ApprovalRow:
    """The row of a model instance."""
    return ApprovalRow(
        pk=approval.pk,
        subject=approval.subject,
        digest=approval.digest,
        permission=approval.permission,
        title=approval.title,
        link=approval.link,
        state=approval.state,
        asked_by=approval.asked_by.get_full_name(),
        asked_by_pk=approval.asked_by.pk,
        asked_at=approval.asked_at,
        decided_by=approval.decided_by.get_full_name() if approval.decided_by else "",
        decided_at=approval.decided_at,
        reason=approval.reason,
    )


def officers(officer: Actor) -> list[OfficerRow]:
    """All officers, for who may manage them or put them on a case."""
    policy.require(officer, "officers.list")
    return [officer_row(row) for row in Officer.objects.select_related("unit").order_by("username")]


def officer_by_name(officer: Actor, username: str) -> OfficerRow:
    """One officer by username."""
    policy.require(officer, "officers.list")
    found = Officer.objects.select_related("unit").filter(username=username).first()
    if found is None:
        raise NotFoundError("There is no officer of that name.")
    return officer_row(found)


def officer_names(pks: Iterable[int]) -> dict[int, str]:
    """Full names by primary key."""
    return {row.pk: row.get_full_name() for row in Officer.objects.filter(pk__in=set(pks))}


def officer_facts(pk: int) -> OfficerRow:
    """One officer by primary key. Internal: the caller has decided access."""
    return officer_row(Officer.objects.select_related("unit").get(pk=pk))


def officers_with(permission: str) -> list[int]:
    """Primary keys of the active officers whose role holds a permission (without regard to a case's team)."""
    wanted = policy.PERMISSIONS[permission].roles
    return [row.pk for row in Officer.objects.filter(is_active=True).order_by("pk") if not wanted.isdisjoint(row.roles)]


def units() -> dict[str, str]:
    """The units of this authority: names by code."""
    return dict(Unit.objects.order_by("code").values_list("code", "name"))


def officers_of_unit(unit: str, permission: str) -> list[int]:
    """Primary keys of the unit's active officers whose role holds a permission."""
    holding = set(officers_with(permission))
    return [pk for pk in Officer.objects.filter(unit__code=unit).values_list("pk", flat=True) if pk in holding]


def officers_allowed(*permissions: str, members: Collection[int]) -> list[int]:
    """Primary keys of the active officers who may do all of this in a case with the team ``members``."""
    active = Officer.objects.filter(is_active=True).order_by("pk")
    return [row.pk for row in active if all(policy.allows(row, name, members) for name in permissions)]


def invitation(token_digest: str, *, now: datetime) -> OfficerRow:
    """Whom a one-time link invites; ``NotFoundError`` when it was used or has expired."""
    row = (
        Invitation.objects.select_related("officer__unit")
        .filter(token_digest=token_digest, used_at=None, expires_at__gt=now)
        .first()
    )
    if row is None:
        raise NotFoundError("This link was used or has expired. Ask your administrator for a new one.")
    return officer_row(row.officer)


def approval(subject: str, digest: str) -> ApprovalRow | None:
    """The decision on these exact bytes, if one was asked for. Internal: the caller has decided access."""
    row = Approval.objects.select_related("asked_by", "decided_by").filter(subject=subject, digest=digest).first()
    return approval_row(row) if row else None


def is_approved(subject: str, digest: str) -> bool:
    """Whether a second person approved these exact bytes."""
    return Approval.objects.filter(subject=subject, digest=digest, state=Approval.State.APPROVED).exists()


def approval_for(officer: Actor, approval_id: int) -> ApprovalRow:
    """One approval, for the asker or for who may read and decide it."""
    row = Approval.objects.select_related("asked_by", "decided_by").filter(pk=approval_id).first()
    if row is None or (row.asked_by_id != officer.pk and not may_decide(officer, row)):
        raise NotFoundError
    return approval_row(row)


def may_decide(officer: Actor, approval: Approval) -> bool:
    """Whether the officer may still decide, and is among those who may read what is decided. For this room alone."""
    readers = set(approval.readers.values_list("pk", flat=True))
    return officer.pk in readers and policy.allows(officer, approval.permission, readers)


def work_queue(officer: Actor) -> list[TaskRow]:
    """What waits for the officer, what is due first on top."""
    policy.require(officer, "task.read")
    mine = Q(officers=officer.pk) | Q(role__in=list(officer.roles), officers=None)
    tasks = Task.objects.filter(mine, done_at=None).distinct()
    rows = [TaskRow(t.key, t.key.partition(":")[0], t.title, t.link, t.created_at, t.due_at) for t in tasks]
    return sorted(rows, key=lambda row: (row.due_at is None, row.due_at or row.created_at, row.created_at))


def job(key: str) -> JobRow | None:
    """Where a job stands. Internal: the caller has decided access."""
    row = Job.objects.filter(key=key).first()
    return _job_row(row) if row else None


def jobs_like(prefix: str) -> list[JobRow]:
    """Jobs whose key begins with ``prefix``, newest first. Internal: the caller has decided access."""
    return [_job_row(row) for row in Job.objects.filter(key__startswith=prefix).order_by("-pk")[:PAGE]]


def _job_row(row: Job) -> JobRow:
    return JobRow(
        row.key, row.kind, row.state, row.progress, row.attempts, row.last_error, row.created_at, row.finished_at
    )


def audit_trail(officer: Actor, *, verb: str = "", target: str = "", page: int = 1) -> list[AuditEntry]:
    """A page of the audit trail, newest first."""
    policy.require(officer, "audit.read")
    rows = AuditRow.objects.select_related("officer").order_by("-at", "-pk")
    if verb:
        rows = rows.filter(verb__startswith=verb)
    if target:
        rows = rows.filter(target=target)
    start = (page - 1) * PAGE
    return [
        AuditEntry(row.at, row.officer.get_full_name() if row.officer else "", row.verb, row.target, row.detail)
        for row in rows[start : start + PAGE]
    ]


def was_audited(verb: str, target: str) -> bool:
    """Whether the audit trail says that this was done. For the node's own checks, not for a person."""
    return AuditRow.objects.filter(verb=verb, target=target).exists()


def has_role(pks: Collection[int], role: Role) -> bool:
    """Whether one of these officers holds a role."""
    return any(role in row.roles for row in Officer.objects.filter(pk__in=pks, is_active=True))
