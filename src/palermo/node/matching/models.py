"""Epochs and what is published in them, partners' manifests, runs of both sides, hits and judgements."""

from django.conf import settings
from django.db import models

from palermo.node.matching.states import EpochState, HeldRunState, RunState, Verdict


class Epoch(models.Model):
    """A span of at most 30 days under one seed; the seed itself is a file that is destroyed when the epoch ends."""

    code = models.CharField(max_length=100, unique=True)
    state = models.CharField(max_length=12, default=EpochState.PUBLISHING.value)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        ordering = ("-valid_from", "-pk")
        constraints = [
            models.CheckConstraint(name="epoch_state", condition=models.Q(state__in=list(map(str, EpochState)))),
            models.CheckConstraint(
                name="epoch_closed_at",
                condition=models.Q(state=EpochState.CLOSED.value) ^ models.Q(closed_at__isnull=True),
            ),
        ]


class Publication(models.Model):
    """What an epoch offers one tier: the signed manifest, the same bytes for all its partners."""

    epoch = models.ForeignKey(Epoch, on_delete=models.PROTECT, related_name="publications")
    tier = models.CharField(max_length=64)
    partners = models.JSONField()
    holdings = models.JSONField()
    manifest = models.BinaryField()
    manifest_digest = models.CharField(max_length=64, unique=True)
    counts = models.JSONField()
    published_at = models.DateTimeField()

    class Meta:
        """A tier is published once an epoch."""

        ordering = ("tier",)
        constraints = [models.UniqueConstraint(name="publication_once", fields=("epoch", "tier"))]


class PartnerManifest(models.Model):
    """A partner's signed manifest, as received; its filters lie in files beside our own publications."""

    partner = models.CharField(max_length=64)
    epoch = models.CharField(max_length=200)
    tier = models.CharField(max_length=200)
    manifest = models.BinaryField()
    manifest_digest = models.CharField(max_length=64, unique=True)
    counts = models.JSONField()
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        """Newest first; a partner has one manifest a tier and epoch."""

        ordering = ("-valid_from", "-pk")
        constraints = [models.UniqueConstraint(name="partner_manifest_once", fields=("partner", "epoch", "tier"))]


class Run(models.Model):
    """A blind match run of a case against one partner's manifest; `querier_state` is erased when the run ends."""

    run_id = models.CharField(max_length=32, unique=True)
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    partner = models.CharField(max_length=64)
    manifest = models.ForeignKey(PartnerManifest, on_delete=models.PROTECT, related_name="runs")
    inputs = models.CharField(max_length=40)
    kinds = models.JSONField()
    purpose = models.CharField(max_length=1000)
    legal_basis = models.CharField(max_length=200)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, default=RunState.PREPARING.value)
    counts = models.JSONField(default=dict)
    querier_state = models.BinaryField(null=True)
    inbound = models.BinaryField(null=True)
    failure = models.TextField(blank=True)
    started_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; a run that ended holds no secret."""

        ordering = ("-started_at", "-pk")
        constraints = [
            models.CheckConstraint(name="run_state", condition=models.Q(state__in=list(map(str, RunState)))),
            models.CheckConstraint(
                name="run_ended",
                condition=models.Q(
                    state__in=[RunState.DONE.value, RunState.FAILED.value],
                    ended_at__isnull=False,
                    querier_state__isnull=True,
                    inbound__isnull=True,
                )
                | (~models.Q(state__in=[RunState.DONE.value, RunState.FAILED.value]) & models.Q(ended_at__isnull=True)),
            ),
        ]


class HeldRun(models.Model):
    """A partner's run at the holder; single-use: the same run id again is refused."""

    run_id = models.CharField(max_length=32)
    partner = models.CharField(max_length=64)
    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="runs")
    case_reference = models.CharField(max_length=200)
    purpose = models.CharField(max_length=1000)
    legal_basis = models.CharField(max_length=200)
    asked_by = models.CharField(max_length=200)
    state = models.CharField(max_length=12, default=HeldRunState.ASKED.value)
    counts = models.JSONField(default=dict)
    request_message = models.CharField(max_length=64)
    confirm_message = models.CharField(max_length=64, blank=True, default="")
    ledger_index = models.BigIntegerField()
    inbound = models.BinaryField(null=True)
    holder_state = models.BinaryField(null=True)
    failure = models.TextField(blank=True)
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; a run that ended keeps nothing of what was asked."""

        ordering = ("-received_at", "-pk")
        constraints = [
            models.UniqueConstraint(name="held_run_once", fields=("partner", "run_id")),
            models.CheckConstraint(name="held_run_state", condition=models.Q(state__in=list(map(str, HeldRunState)))),
            models.CheckConstraint(
                name="held_run_ended",
                condition=models.Q(
                    state__in=[HeldRunState.ANSWERED.value, HeldRunState.FAILED.value],
                    ended_at__isnull=False,
                    holder_state__isnull=True,
                    inbound__isnull=True,
                )
                | (
                    ~models.Q(state__in=[HeldRunState.ANSWERED.value, HeldRunState.FAILED.value])
                    & models.Q(ended_at__isnull=True)
                ),
            ),
        ]


class BudgetUse(models.Model):
    """How many elements of a kind a partner had evaluated on one day (UTC)."""

    partner = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    day_date = models.DateField()
    spent = models.PositiveBigIntegerField(default=0)

    class Meta:
        """One row a partner, kind and day."""

        constraints = [models.UniqueConstraint(name="budget_use_once", fields=("partner", "kind", "day_date"))]


class Hit(models.Model):
    """At the querier: one of our entities and one of the partner's share selectors; a person judges the pair."""

    hit_id = models.CharField(max_length=32, unique=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="hits")
    our_id = models.CharField(max_length=255)
    our_caption = models.CharField(max_length=500)
    our_entity = models.TextField()
    partner_reference = models.CharField(max_length=32)
    selectors = models.JSONField()
    disclosure = models.JSONField()
    verdict = models.CharField(max_length=10, blank=True, default=Verdict.WAITING.value)
    intelligence = models.BooleanField(default=False)
    found_at = models.DateTimeField()

    class Meta:
        """A pair is one hit a run; only a confirmed hit is intelligence."""

        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(name="hit_once", fields=("run", "our_id", "partner_reference")),
            models.CheckConstraint(name="hit_verdict", condition=models.Q(verdict__in=list(map(str, Verdict)))),
            models.CheckConstraint(
                name="hit_intelligence",
                condition=models.Q(verdict=Verdict.SAME.value, intelligence=True)
                | (~models.Q(verdict=Verdict.SAME.value) & models.Q(intelligence=False)),
            ),
        ]


class HeldHit(models.Model):
    """At the holder: one of our entities that a partner's run met, under the opaque reference the partner was given."""

    run = models.ForeignKey(HeldRun, on_delete=models.PROTECT, related_name="hits")
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=32, unique=True)
    holding = models.CharField(max_length=40)
    entity_id = models.CharField(max_length=255)
    caption = models.CharField(max_length=500)
    kinds = models.JSONField()
    disclosed = models.CharField(max_length=10)
    found_at = models.DateTimeField()

    class Meta:
        """An entity is one hit a run."""

        ordering = ("pk",)
        constraints = [models.UniqueConstraint(name="held_hit_once", fields=("run", "holding", "entity_id"))]


class Judgement(models.Model):
    """A person's verdict on a hit; a later one revises it, none is ever changed."""

    hit = models.ForeignKey(Hit, on_delete=models.PROTECT, related_name="judgements")
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=10)
    reason = models.TextField()
    judged_at = models.DateTimeField()

    class Meta:
        """Oldest first."""

        ordering = ("judged_at", "pk")
        constraints = [
            models.CheckConstraint(
                name="judgement_verdict",
                condition=models.Q(verdict__in=[Verdict.SAME.value, Verdict.DIFFERENT.value, Verdict.UNSURE.value]),
            )
        ]
