"""What the office keeps: officers, units, invitations, approvals, tasks, jobs and the audit trail."""

from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q


class Unit(models.Model):
    """A part of the authority."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)


class Officer(AbstractUser):
    """A person who works here. ``roles``: codes of ``policy.Role``. Officers are deactivated, never deleted."""

    roles = models.JSONField(default=list)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT)
    time_zone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(null=True)


class Invitation(models.Model):
    """A one-time link with which an officer sets a password and a second factor. Only the token's digest is kept."""

    token_digest = models.CharField(max_length=64, unique=True)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Approval(models.Model):
    """A second person's decision on exact bytes (``digest``); what changes afterwards is no longer approved.

    ``readers``: the officers who may read those bytes. Only they see the question, and only they decide it.
    """

    class State(StrEnum):
        """Where a decision stands."""

        ASKED = "asked"
        APPROVED = "approved"
        DECLINED = "declined"

    subject = models.CharField(max_length=200, db_index=True)
    digest = models.CharField(max_length=64)
    permission = models.CharField(max_length=64)
    title = models.CharField(max_length=300)
    link = models.CharField(max_length=300)
    state = models.CharField(max_length=16, default=State.ASKED.value)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "digest"], name="office_approval_once"),
            models.CheckConstraint(
                name="office_approval_state", condition=Q(state__in=["asked", "approved", "declined"])
            ),
            models.CheckConstraint(
                name="office_approval_second_person", condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by"))
            ),
            models.CheckConstraint(
                name="office_approval_decided", condition=Q(state="asked", decided_by=None) | ~Q(state="asked")
            ),
        ]


class Task(models.Model):
    """Something that waits for a person: for named officers, or for whoever holds a role."""

    key = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=300)
    link = models.CharField(max_length=300)
    role = models.CharField(max_length=32, default="")
    officers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["done_at", "due_at"], name="office_task_open")]


class Job(models.Model):
    """Work in the background. This row is the truth: a worker that dies leaves a lease that runs out."""

    class State(StrEnum):
        """Where a job stands."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=64)
    payload = models.JSONField()
    state = models.CharField(max_length=16, default=State.QUEUED.value)
    progress = models.FloatField(default=0.0)
    attempts = models.IntegerField(default=0)
    last_error = models.TextField(default="")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="office_job_state", condition=Q(state__in=["queued", "running", "done", "failed"])
            ),
            models.CheckConstraint(name="office_job_progress", condition=Q(progress__gte=0.0, progress__lte=1.0)),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="office_job_due")]


class AuditRow(models.Model):
    """Who did what and when, inside the authority. What leaves it stands in the ledger."""

    officer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=64)
    target = models.CharField(max_length=200)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(db_index=True)


class Counter(models.Model):
    """The last number given out for a prefix and year."""

    name = models.CharField(max_length=64, unique=True)
    value = models.BigIntegerField(default=0)
