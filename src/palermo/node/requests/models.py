"""What the requests app stores: requests of both directions, a person's answers at the gates, and signed answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from palermo.node.requests.states import MOVES_IN, MOVES_OUT, Direction, Outcome, State


class Request(models.Model):
    """One request, ours or a partner's. ``payload`` holds the exact bytes that were approved, sent or received.

    ``cited``: items of evidence that ours rests on (a partner's names its own in its bytes).
    """

    reference = models.CharField(max_length=80, unique=True)
    direction = models.CharField(max_length=3)
    type = models.CharField(max_length=40)
    partner = models.CharField(max_length=64)
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    partner_case = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=20)
    facts = models.JSONField()
    payload = models.BinaryField(blank=True)
    message_id = models.CharField(max_length=64, blank=True)
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    cited = models.ManyToManyField("evidence.Item", related_name="+")

    class Meta:
        """Each direction has its own states; what was sent or received keeps its bytes."""

        constraints = [
            models.CheckConstraint(
                condition=Q(direction=Direction.OUT.value, state__in=[state.value for state in MOVES_OUT])
                | Q(direction=Direction.IN.value, state__in=[state.value for state in MOVES_IN]),
                name="requests_request_state",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.DRAFT.value, State.WITHDRAWN.value]) | ~Q(payload=b""),
                name="requests_request_has_bytes",
            ),
        ]


class GateAnswer(models.Model):
    """What a person answered at a safeguard before a request left or was executed, with the reason."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="gates")
    gate = models.CharField(max_length=40)
    concern = models.CharField(max_length=8)
    decision = models.CharField(max_length=8)
    reason = models.CharField(max_length=2000)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        """One answer in force for each gate; none without a reason."""

        constraints = [
            models.UniqueConstraint(fields=["request", "gate"], name="requests_gate_once"),
            models.CheckConstraint(condition=Q(concern__in=["no", "yes", "unknown"]), name="requests_gate_concern"),
            models.CheckConstraint(condition=Q(decision__in=["proceed", "stop"]), name="requests_gate_decision"),
            models.CheckConstraint(condition=~Q(reason=""), name="requests_gate_reason"),
        ]


class Answer(models.Model):
    """One signed answer to a request. A refusal without ground and reasons cannot be stored.

    ``rejected``: why the partner's node did not take our answer; "" where it did, or has not said. ``items``: those of
    evidence that it cites, as it says them.
    """

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=12)
    ground = models.CharField(max_length=20, blank=True)
    reasons = models.TextField(blank=True)
    consultation = models.TextField(blank=True)
    conditions = models.TextField(blank=True)
    consent = models.CharField(max_length=3, blank=True)
    package_reference = models.CharField(max_length=64, blank=True)
    payload = models.BinaryField()
    message_id = models.CharField(max_length=64)
    answered_by = models.CharField(max_length=200)
    answered_at = models.DateTimeField()
    rejected = models.TextField(blank=True)
    items = models.JSONField(default=list)

    class Meta:
        """UNTOC Art. 18(23): reasons for any refusal; Art. 18(21), (25), (26): consultation before these."""

        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="requests_answer_number"),
            models.CheckConstraint(
                condition=Q(outcome__in=[outcome.value for outcome in Outcome]), name="requests_answer_outcome"
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=["refused", "postponed"]) | (~Q(ground="") & ~Q(reasons="")),
                name="requests_answer_ground_and_reasons",
            ),
            models.CheckConstraint(
                condition=~(Q(ground__startswith="18(21)") | Q(ground="18(25)")) | ~Q(consultation=""),
                name="requests_answer_consultation",
            ),
            models.CheckConstraint(condition=Q(consent__in=["", "yes", "no"]), name="requests_answer_consent"),
        ]
