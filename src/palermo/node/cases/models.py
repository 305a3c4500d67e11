"""Cases with their team, subjects and time line."""

from django.conf import settings
from django.db import models

from palermo.node.cases.states import CaseState, Neutrality


class Case(models.Model):
    """An investigation. One that a partner's hit opened names the partner's case and has no officer as its opener."""

    reference = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    purpose = models.CharField(max_length=1000)
    legal_basis = models.CharField(max_length=200)
    neutrality = models.CharField(max_length=10, blank=True, default=Neutrality.NONE.value)
    flagged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    state = models.CharField(max_length=10, default=CaseState.OPEN.value)
    partner = models.CharField(max_length=64, blank=True)
    partner_case = models.CharField(max_length=200, blank=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first; a partner's case has one open case here."""

        ordering = ("-opened_at", "-pk")
        constraints = [
            models.CheckConstraint(name="case_state", condition=models.Q(state__in=list(map(str, CaseState)))),
            models.CheckConstraint(
                name="case_neutrality", condition=models.Q(neutrality__in=list(map(str, Neutrality)))
            ),
            models.CheckConstraint(
                name="case_flagged_by", condition=models.Q(neutrality="") | models.Q(flagged_by__isnull=False)
            ),
            models.CheckConstraint(
                name="case_closed_at",
                condition=models.Q(state=CaseState.CLOSED.value) ^ models.Q(closed_at__isnull=True),
            ),
            models.CheckConstraint(
                name="case_opener", condition=models.Q(opened_by__isnull=True) ^ models.Q(partner="")
            ),
            models.UniqueConstraint(
                name="case_for_partner_case",
                fields=("partner", "partner_case"),
                condition=models.Q(state=CaseState.OPEN.value) & ~models.Q(partner=""),
            ),
        ]


class CaseMember(models.Model):
    """An officer who needs to know."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="team")
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        """Once a case."""

        constraints = [models.UniqueConstraint(name="case_member_once", fields=("case", "officer"))]


class CaseSubject(models.Model):
    """A person, company or thing that the case is about, as a line of FollowTheMoney JSON."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="subjects")
    entity_id = models.CharField(max_length=255)
    schema = models.CharField(max_length=64)
    caption = models.CharField(max_length=500)
    entity = models.TextField()
    origin = models.CharField(max_length=300)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    added_at = models.DateTimeField()

    class Meta:
        """In the order added, each entity once."""

        ordering = ("pk",)
        constraints = [models.UniqueConstraint(name="case_subject_once", fields=("case", "entity_id"))]


class CaseEvent(models.Model):
    """One line of the time line; never changed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20)
    text = models.TextField()
    link = models.CharField(max_length=200, blank=True)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True)
    happened_at = models.DateTimeField()

    class Meta:
        """Oldest first."""

        ordering = ("happened_at", "pk")
