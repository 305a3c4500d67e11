"""Writes of the office. Each is one transaction; the time is passed in."""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from palermo.node.office import policy, queries
from palermo.node.office.errors import AccessDeniedError, ConflictError, InvalidError, NotFoundError
from palermo.node.office.models import Approval, AuditRow, Counter, Invitation, Officer, Task, Unit
from palermo.node.office.policy import Actor, Role
from palermo.node.office.queries import ApprovalRow, OfficerRow

INVITATION_DAYS = 7


def audit(
    officer: Actor | None, verb: str, target: str, *, now: datetime, detail: dict[str, object] | None = None
) -> None:
    """Record who did what. ``officer`` is None where the node itself acted (a job, the clock)."""
    AuditRow.objects.create(
        officer_id=officer.pk if officer else None, verb=verb, target=target, detail=detail or {}, at=now
    )


@transaction.atomic
def next_reference(prefix: str, *, now: datetime) -> str:
    """The next human reference, such as ``REQ-2026-000123``; gaps never, numbers never twice."""
    counter, _ = Counter.objects.select_for_update().get_or_create(name=f"{prefix}-{now.year}")
    counter.value += 1
    counter.save(update_fields=["value"])
    return f"{prefix}-{now.year}-{counter.value:06d}"


# --- officers -------------------------------------------------------------------------------


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _invite(officer: Officer, *, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    Invitation.objects.filter(officer=officer, used_at=None).update(expires_at=now)
    Invitation.objects.create(
        token_digest=_digest(token), officer=officer, created_at=now, expires_at=now + timedelta(days=INVITATION_DAYS)
    )
    return token


def _checked_roles(roles: Collection[str]) -> list[str]:
    unknown = sorted(set(roles) - {role.value for role in Role})
    if unknown or not roles:
        raise InvalidError(f"Choose at least one of the known roles; unknown: {', '.join(unknown) or 'none given'}.")
    return sorted(set(roles))


def _create_officer(
    username: str, full_name: str, roles: Collection[str], unit: str, time_zone: str, now: datetime
) -> Officer:
    problems = []
    if not username or not username.replace(".", "").replace("-", "").isalnum() or len(username) > 150:
        problems.append("A username has letters, digits, dots and hyphens only.")
    if not full_name.strip():
        problems.append("Enter the officer's full name: it stands in records and requests.")
    if Officer.objects.filter(username=username).exists():
        problems.append("An officer with this username exists. Choose another username.")
    if problems:
        raise InvalidError(problems)
    first, _, last = full_name.strip().rpartition(" ")
    officer = Officer(
        username=username,
        first_name=first,
        last_name=last,
        roles=_checked_roles(roles),
        time_zone=time_zone,
        created_at=now,
    )
    if unit:
        officer.unit = Unit.objects.get_or_create(code=unit, defaults={"name": unit})[0]
    officer.set_unusable_password()
    officer.save()
    return officer


@transaction.atomic
def create_first_administrator(*, username: str, full_name: str, now: datetime) -> str:
    """Make the first administrator of a new node and return the one-time token of their link."""
    if Officer.objects.exists():
        raise ConflictError("This node has officers already. Ask an administrator for an invitation.")
    officer = _create_officer(username, full_name, [Role.ADMINISTRATOR], "", "UTC", now)
    audit(None, "officer.first", username, now=now)
    return _invite(officer, now=now)


@transaction.atomic
def invite_from_console(*, username: str, now: datetime) -> str:
    """A new one-time link, for whoever has the machine itself: the way back in when no administrator can sign in."""
    target = Officer.objects.filter(username=username).first()
    if target is None:
        raise NotFoundError("There is no officer of that name on this node.")
    audit(None, "officer.invited", username, now=now, detail={"from": "console"})
    return _invite(target, now=now)


@transaction.atomic
def create_officer(
    officer: Actor,
    *,
    username: str,
    full_name: str,
    roles: Collection[str],
    unit: str = "",
    time_zone: str = "UTC",
    now: datetime,
) -> tuple[OfficerRow, str]:
    """Create an officer without a password; returns the row and the one-time token of the invitation link."""
    policy.require(officer, "officers.manage")
    created = _create_officer(username, full_name, roles, unit, time_zone, now)
    audit(officer, "officer.created", username, now=now, detail={"roles": created.roles})
    return queries.officer_row(created), _invite(created, now=now)


@transaction.atomic
def invite_again(officer: Actor, *, username: str, now: datetime) -> str:
    """A new one-time link for an officer who lost password or second factor; earlier links and the password end."""
    policy.require(officer, "officers.manage")
    target = Officer.objects.filter(username=username).first()
    if target is None:
        raise NotFoundError
    target.set_unusable_password()
    target.save(update_fields=["password"])
    audit(officer, "officer.invited", username, now=now)
    return _invite(target, now=now)


@transaction.atomic
def set_roles(officer: Actor, *, username: str, roles: Collection[str], active: bool, now: datetime) -> OfficerRow:
    """Change what an officer may do, or deactivate the account. The last active administrator stays one."""
    policy.require(officer, "officers.manage")
    target = Officer.objects.select_for_update().filter(username=username).first()
    if target is None:
        raise NotFoundError
    target.roles, target.is_active = _checked_roles(roles), active
    administrators = [
        other
        for other in Officer.objects.filter(is_active=True).exclude(pk=target.pk)
        if Role.ADMINISTRATOR in other.roles
    ]
    if not administrators and (not active or Role.ADMINISTRATOR not in target.roles):
        raise ConflictError("This is the last administrator. Make another officer administrator first.")
    target.save(update_fields=["roles", "is_active"])
    audit(officer, "officer.changed", username, now=now, detail={"roles": target.roles, "active": active})
    return queries.officer_row(target)


def _open_invitation(token: str, now: datetime) -> Invitation:
    invitation = Invitation.objects.select_for_update().filter(token_digest=_digest(token)).first()
    if invitation is None or invitation.used_at is not None or invitation.expires_at <= now:
        raise NotFoundError("This link was used or has expired. Ask your administrator for a new one.")
    return invitation


@transaction.atomic
def accept_invitation(token: str, *, password: str, now: datetime) -> Officer:
    """Set the password with a one-time link. The link stays open until the second factor is proven."""
    officer = Officer.objects.get(pk=_open_invitation(token, now).officer_id)
    if not officer.is_active:
        raise AccessDeniedError("This account is not active. Ask your administrator.")
    try:
        validate_password(password, officer)
    except ValidationError as error:
        raise InvalidError(list(error.messages)) from error
    officer.set_password(password)
    officer.save(update_fields=["password"])
    return officer


@transaction.atomic
def complete_invitation(token: str, *, now: datetime) -> None:
    """Use a link up, in the transaction that enrols the second factor."""
    invitation = _open_invitation(token, now)
    invitation.used_at = now
    invitation.save(update_fields=["used_at"])
    officer = invitation.officer
    audit(officer, "officer.joined", officer.username, now=now)


# --- approvals ------------------------------------------------------------------------------


@transaction.atomic
def ask_approval(
    officer: Actor,
    *,
    subject: str,
    digest: str,
    permission: str,
    readers: Collection[int],
    title: str,
    link: str,
    now: datetime,
) -> ApprovalRow:
    """Ask a second person to decide on exact bytes. Asking again for the same bytes returns what was asked,
    and puts it before who may read it by now.

    ``readers``: who holds ``permission`` and may read those bytes (``queries.officers_allowed``). They alone learn of
    the question and decide it: nobody approves unread. Raises ``InvalidError`` when that is nobody but the asker.
    """
    others = sorted(set(readers) - {officer.pk})
    if not others:
        roles = ", ".join(role.label for role in policy.roles_for(permission))
        raise InvalidError(
            f"Nobody else can read this and decide on it. Add a second officer with this role to the team: {roles}."
        )
    approval, created = Approval.objects.get_or_create(
        subject=subject,
        digest=digest,
        defaults={"permission": permission, "title": title, "link": link, "asked_by_id": officer.pk, "asked_at": now},
    )
    if approval.state == Approval.State.ASKED:
        approval.readers.set(others)
        add_task(key=f"approval:{approval.pk}", title=title, link=f"/approvals/{approval.pk}/", now=now)
        Task.objects.get(key=f"approval:{approval.pk}").officers.set(others)
    if created:
        audit(officer, "approval.asked", subject, now=now, detail={"digest": digest})
    return queries.approval_row(approval)


@transaction.atomic
def decide_approval(officer: Actor, approval_id: int, *, approved: bool, reason: str, now: datetime) -> ApprovalRow:
    """Decide as the second person. The asker never decides; a decision is final for these bytes."""
    approval = Approval.objects.select_for_update().filter(pk=approval_id).first()
    if approval is None:
        raise NotFoundError
    if approval.asked_by_id == officer.pk:
        raise AccessDeniedError("You asked for this approval. A second person has to decide.")
    if not queries.may_decide(officer, approval):
        raise NotFoundError
    if approval.state != Approval.State.ASKED:
        raise ConflictError("This was decided already.")
    if not reason.strip():
        raise InvalidError("Give the reason for your decision: it is kept with it.")
    approval.state = Approval.State.APPROVED if approved else Approval.State.DECLINED
    approval.decided_by_id, approval.decided_at, approval.reason = officer.pk, now, reason.strip()
    approval.save()
    finish_task(f"approval:{approval.pk}", now=now)
    audit(officer, f"approval.{approval.state}", approval.subject, now=now, detail={"digest": approval.digest})
    return queries.approval_row(approval)


# --- tasks ----------------------------------------------------------------------------------


@transaction.atomic
def add_task(
    *,
    key: str,
    title: str,
    link: str,
    role: Role | None = None,
    officers: Sequence[int] = (),
    due_at: datetime | None = None,
    now: datetime,
) -> None:
    """Put something on the work queue of named officers or of a role; the same key twice is one task."""
    task, created = Task.objects.get_or_create(
        key=key, defaults={"title": title[:300], "link": link, "role": role or "", "created_at": now, "due_at": due_at}
    )
    if created and officers:
        task.officers.set(officers)


@transaction.atomic
def finish_task(key: str, *, now: datetime) -> None:
    """Take a task off the queue; one that is not there, or done, stays as it is."""
    Task.objects.filter(key=key, done_at=None).update(done_at=now)
