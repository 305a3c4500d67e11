"""Holdings, their protected items, and a record of every load."""

from django.conf import settings
from django.db import models

from palermo.node.holdings.states import HitReveals, HoldingState, LoadState, ProtectionReason


class Holding(models.Model):
    """A body of knowledge under one purpose, retention date and circle of partners; its entities lie in the lake.

    ``duty_unit``: code of the unit whose officers learn of hits on it; where it is empty, supervisors do.
    """

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    source = models.CharField(max_length=300)
    handling_code = models.CharField(max_length=2)
    tlp = models.CharField(max_length=20)
    purpose = models.CharField(max_length=500)
    retention_date = models.DateField()
    partners = models.JSONField(default=list)
    hit_reveals = models.CharField(max_length=10, default=HitReveals.EXISTENCE.value)
    contact_point = models.CharField(max_length=300)
    caveats = models.TextField(blank=True)
    duty_unit = models.CharField(max_length=32, blank=True)
    state = models.CharField(max_length=10, default=HoldingState.KEPT.value)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expired_at = models.DateTimeField(null=True)

    class Meta:
        """Closed sets are held by the database too."""

        ordering = ("code",)
        constraints = [
            models.CheckConstraint(name="holding_state", condition=models.Q(state__in=list(map(str, HoldingState)))),
            models.CheckConstraint(
                name="holding_hit_reveals", condition=models.Q(hit_reveals__in=list(map(str, HitReveals)))
            ),
            models.CheckConstraint(
                name="holding_expired_at",
                condition=models.Q(state=HoldingState.EXPIRED.value) ^ models.Q(expired_at__isnull=True),
            ),
        ]


class ProtectedItem(models.Model):
    """An entity that is never published and never confirmed, whoever asks."""

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="protected_items")
    entity_id = models.CharField(max_length=255)
    reason = models.CharField(max_length=20)
    protected_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    protected_at = models.DateTimeField()

    class Meta:
        """One protection an entity."""

        ordering = ("entity_id",)
        constraints = [
            models.UniqueConstraint(name="protected_once", fields=("holding", "entity_id")),
            models.CheckConstraint(
                name="protected_reason", condition=models.Q(reason__in=list(map(str, ProtectionReason)))
            ),
        ]


class LoadRecord(models.Model):
    """One load of files into a holding, with what it changed. Rejected rows lie in a file until the holding ends."""

    reference = models.CharField(max_length=32, unique=True)
    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="loads")
    format = models.CharField(max_length=40)
    file_names = models.JSONField(default=list)
    state = models.CharField(max_length=10, default=LoadState.QUEUED.value)
    progress = models.FloatField(default=0.0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True)
    loaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    queued_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-queued_at", "-pk")
        constraints = [
            models.CheckConstraint(name="load_state", condition=models.Q(state__in=list(map(str, LoadState)))),
            models.CheckConstraint(
                name="load_ended_at",
                condition=models.Q(state__in=[LoadState.DONE.value, LoadState.FAILED.value])
                ^ models.Q(ended_at__isnull=True),
            ),
        ]
