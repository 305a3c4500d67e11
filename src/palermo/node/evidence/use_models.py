"""What binds the use of evidence: questions and consents, notices, recalls, and the statements of what was deleted.

``direction`` is "out" where this authority wrote first, "in" where a partner did. References begin with the code of who
wrote first, so the two sides speak of one thing by one name.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from palermo.node.evidence.constraints import one_of
from palermo.node.evidence.states import Direction, NoticeState, QuestionState, RecallState
from palermo.node.evidence.uses import ASKABLE, Use


class Question(models.Model):
    """A question for consent to one use of one item (UNTOC 18(19), 18(5)), and the provider's answer to it.

    On the provider's side the answer's columns hold the decision as it was proposed, until the second person approved
    it and it was sent; then the state says so. ``until``: when the consent ends by itself.
    """

    reference = models.CharField(max_length=80, unique=True)
    direction = models.CharField(max_length=3)
    partner = models.CharField(max_length=64)
    item = models.ForeignKey("Item", on_delete=models.PROTECT, related_name="questions")
    package_reference = models.CharField(max_length=64, blank=True)
    use = models.CharField(max_length=16)
    recipient = models.CharField(max_length=64, blank=True)
    target = models.CharField(max_length=200)
    intended = models.CharField(max_length=2000)
    legal_basis = models.CharField(max_length=200)
    reasons = models.CharField(max_length=2000)
    asked_by = models.CharField(max_length=200)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    message_id = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default=QuestionState.ASKED.value)
    outcome = models.CharField(max_length=10, blank=True)
    conditions = models.CharField(max_length=2000, blank=True)
    answer_reasons = models.CharField(max_length=2000, blank=True)
    until = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    answer_message = models.CharField(max_length=64, blank=True)

    class Meta:
        """A question says what for and why; an answer gives reasons."""

        constraints = [
            one_of("direction", list(Direction), "evidence_question_direction"),
            one_of("state", list(QuestionState), "evidence_question_state"),
            one_of("use", list(ASKABLE), "evidence_question_use"),
            models.CheckConstraint(
                condition=~Q(intended="") & ~Q(legal_basis="") & ~Q(reasons=""), name="evidence_question_says_why"
            ),
            models.CheckConstraint(
                condition=Q(outcome="") | (Q(outcome__in=["granted", "refused"]) & ~Q(answer_reasons="")),
                name="evidence_question_answer_says_why",
            ),
        ]


class UseConsent(models.Model):
    """A provider's consent to one use of one item. It opens that use, and nothing else, while it is in force.

    Came by the exchange where ``question`` is set. Otherwise an officer attests it by letter: ``document`` names the
    letter, ``recorded_by`` the officer, ``reason`` why it did not come through the exchange. ``case`` is set for the
    use "case" alone; ``target`` names what any other use is for.
    """

    item = models.ForeignKey("Item", on_delete=models.PROTECT, related_name="consents")
    use = models.CharField(max_length=16, default=Use.CASE.value)
    recipient = models.CharField(max_length=64, blank=True, default="")
    case = models.ForeignKey("cases.Case", to_field="reference", null=True, on_delete=models.PROTECT, related_name="+")
    target = models.CharField(max_length=200, blank=True, default="")
    given_by = models.CharField(max_length=200)
    statement = models.CharField(max_length=2000)
    conditions = models.CharField(max_length=2000, blank=True, default="")
    question = models.OneToOneField(Question, null=True, on_delete=models.PROTECT, related_name="consent")
    document = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=1000, blank=True, default="")
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_because = models.CharField(max_length=2000, blank=True, default="")

    class Meta:
        """A consent says who gave it and in what words; it came by the exchange, or an officer stands for it."""

        constraints = [
            models.CheckConstraint(condition=~Q(given_by="") & ~Q(statement=""), name="evidence_consent_said"),
            one_of("use", list(ASKABLE), "evidence_consent_use"),
            models.CheckConstraint(
                condition=Q(question__isnull=False) | Q(recorded_by__isnull=False), name="evidence_consent_vouched_for"
            ),
        ]


class Notice(models.Model):
    """Notice of the disclosure of something exculpatory to an accused person (UNTOC 18(19), 18(5)).

    ``planned_at``: not disclosed before. ``exceptional``: why advance notice was not possible; then
    the provider was told of the disclosure in the transaction that recorded it. ``letter``: by which a provider outside
    the network was told.
    """

    reference = models.CharField(max_length=80, unique=True)
    direction = models.CharField(max_length=3)
    partner = models.CharField(max_length=200)
    item = models.ForeignKey("Item", on_delete=models.PROTECT, related_name="notices")
    package_reference = models.CharField(max_length=64, blank=True)
    article = models.CharField(max_length=40)
    why = models.CharField(max_length=2000)
    proceedings = models.CharField(max_length=500)
    exceptional = models.CharField(max_length=2000, blank=True)
    letter = models.CharField(max_length=200, blank=True)
    given_by = models.CharField(max_length=200)
    given_at = models.DateTimeField()
    planned_at = models.DateTimeField()
    disclosed_by = models.CharField(max_length=200, blank=True)
    disclosed_at = models.DateTimeField(null=True)
    message_id = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, default=NoticeState.GIVEN.value)

    class Meta:
        """A notice says what is disclosed in which proceedings, and why it is exculpatory."""

        constraints = [
            one_of("direction", list(Direction), "evidence_notice_direction"),
            one_of("state", list(NoticeState), "evidence_notice_state"),
            models.CheckConstraint(condition=~Q(why="") & ~Q(proceedings=""), name="evidence_notice_says_why"),
        ]


class Consultation(models.Model):
    """One message of the consultation about a notice: asked for, said, or ended. ``ours``: whether we wrote it."""

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="consultation")
    ours = models.BooleanField()
    kind = models.CharField(max_length=8)
    text = models.CharField(max_length=5000)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    message_id = models.CharField(max_length=64, unique=True)

    class Meta:
        """In the order written."""

        ordering = ("pk",)
        constraints = [one_of("kind", ["asked", "said", "ended"], "evidence_consultation_kind")]


class Recall(models.Model):
    """A provider takes back an item that it gave in a package. ``item``: what we gave (out), or hold (in).

    ``parent``: the recall that this one passes on, to whom we had given the item with consent.
    """

    reference = models.CharField(max_length=80, unique=True)
    direction = models.CharField(max_length=3)
    partner = models.CharField(max_length=64)
    item = models.ForeignKey("Item", on_delete=models.PROTECT, related_name="recalls")
    package_reference = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    reason = models.CharField(max_length=2000)
    recalled_by = models.CharField(max_length=200)
    recalled_at = models.DateTimeField()
    due_at = models.DateTimeField()
    message_id = models.CharField(max_length=64)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="passed_on")
    state = models.CharField(max_length=12, default=RecallState.RECALLED.value)
    ground = models.CharField(max_length=40, blank=True)
    provision = models.CharField(max_length=500, blank=True)
    reasons = models.CharField(max_length=2000, blank=True)
    answered_by = models.CharField(max_length=200, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        """A recall gives its reason; whoever keeps the item names the ground and gives reasons."""

        constraints = [
            one_of("direction", list(Direction), "evidence_recall_direction"),
            one_of("state", list(RecallState), "evidence_recall_state"),
            models.CheckConstraint(condition=~Q(reason=""), name="evidence_recall_says_why"),
            models.CheckConstraint(
                condition=~Q(state=RecallState.KEPT.value) | (~Q(ground="") & ~Q(provision="") & ~Q(reasons="")),
                name="evidence_recall_kept_on_a_ground",
            ),
        ]


class Statement(models.Model):
    """A signed deletion statement, ours ("out") or a partner's ("in"), verbatim; and the proof that its log holds it.

    ``ledger_index``: in the log of who deleted. ``proof``: once it stands under a checkpoint that witnesses cosigned.
    ``witnesses``: codes of those whose cosignatures verified here.
    """

    reference = models.CharField(max_length=80, unique=True)
    direction = models.CharField(max_length=3)
    partner = models.CharField(max_length=64, blank=True)
    recall = models.ForeignKey(Recall, null=True, on_delete=models.PROTECT, related_name="statements")
    items: "models.ManyToManyField[Any, Any]" = models.ManyToManyField("Item", related_name="statements")
    signed = models.BinaryField()
    digest = models.CharField(max_length=64)
    ledger_index = models.BigIntegerField()
    made_at = models.DateTimeField()
    proof = models.BinaryField(null=True)
    witnesses = models.JSONField(default=list)
    proven_at = models.DateTimeField(null=True)

    class Meta:
        """Ours or a partner's."""

        constraints = [one_of("direction", list(Direction), "evidence_statement_direction")]
