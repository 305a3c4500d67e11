"""Signed statements on each step of a message's way, and on what was never taken into the outbox."""

from django.db import models
from django.db.models import Q

from palermo.sealing.stage import Stage

_STAGES = [stage.value for stage in Stage]


class Statement(models.Model):
    """One signed statement on a message of ours, verbatim. Each stage at most once; none is ever changed.

    ``issuer``: who signed it. The recipient's receipt, which settles a message, stays with the message itself.
    """

    message = models.ForeignKey("exchange.Outgoing", on_delete=models.PROTECT, related_name="statements")
    stage = models.CharField(max_length=24)
    issuer = models.CharField(max_length=64)
    stated_at = models.DateTimeField()
    kept_at = models.DateTimeField()
    reason = models.TextField(default="", blank=True)
    signed = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "stage"], name="exchange_statement_once"),
            models.CheckConstraint(condition=Q(stage__in=_STAGES), name="exchange_statement_stage"),
        ]


class Refusal(models.Model):
    """A message that this node itself did not take into the outbox, and its signed reason."""

    message_id = models.CharField(max_length=64, unique=True)
    recipient = models.CharField(max_length=64, blank=True)
    payload_type = models.CharField(max_length=128)
    case_reference = models.CharField(max_length=200, blank=True)
    reason = models.TextField()
    refused_at = models.DateTimeField()
    signed = models.BinaryField()
