"""Outbox, inbox, and the proofs of a partner that signed two messages under one name."""

from django.db import models
from django.db.models import F, Q

from palermo.node.exchange import relay_models, stage_models  # noqa: F401 - Django finds an app's tables through here
from palermo.node.exchange.files import models as file_models  # noqa: F401
from palermo.node.exchange.stages import ARRIVED, ON_ITS_WAY
from palermo.node.exchange.states import OPEN, Inbox, Outbox
from palermo.sealing.stage import Stage

_OPEN = [state.value for state in OPEN]
_SETTLED = [state.value for state in Outbox if state not in OPEN]
_DECIDED = [state.value for state in Inbox]


class Peer(models.Model):
    """One partner, as the post office sees it: the row that is locked to number, lease and deliver its messages."""

    code = models.CharField(max_length=64, primary_key=True)
    next_sequence = models.PositiveBigIntegerField(default=1)
    lease = models.CharField(max_length=32, default="", blank=True)
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lease="", leased_until__isnull=True) | (~Q(lease="") & Q(leased_until__isnull=False)),
                name="exchange_peer_lease_ends",
            ),
        ]


class Header(models.Model):
    """What both boxes keep of an envelope's header. ``digest``: SHA-256 of the envelope, in hex."""

    message_id = models.CharField(max_length=64)
    sequence = models.PositiveBigIntegerField()
    payload_type = models.CharField(max_length=128)
    case_reference = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=1000, blank=True)
    in_reply_to = models.CharField(max_length=64, default="", blank=True)
    created_at = models.DateTimeField()
    not_after = models.DateTimeField()
    digest = models.CharField(max_length=64, db_index=True)
    ledger_index = models.PositiveBigIntegerField()

    class Meta:
        abstract = True


class Outgoing(Header):
    """The outbox, each envelope verbatim. ``payload_digest`` tells a harmless repetition from a conflict.

    ``size``: of the envelope, in bytes. ``handed_at``: when a relay or a courier took it; it is not handed in again for
    a while. ``stage``: how far it has come; ``limit_at``: when that step must be over, and ``warn_at``: when a person
    is warned before that; None where nothing is waited for.
    """

    envelope = models.BinaryField()
    size = models.PositiveBigIntegerField(default=0)
    recipient = models.CharField(max_length=64)
    legal_basis = models.TextField(default="", blank=True)
    payload_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=16, default=Outbox.QUEUED.value, db_index=True)
    attempts = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=24, default=Stage.SUBMISSION_ACCEPTED.value)
    warn_at = models.DateTimeField(null=True, db_index=True)
    limit_at = models.DateTimeField(null=True, db_index=True)
    handed_at = models.DateTimeField(null=True)
    receipt = models.BinaryField(null=True)
    receipted_at = models.DateTimeField(null=True)
    partner_index = models.PositiveBigIntegerField(null=True)
    reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message_id"], name="exchange_outgoing_id_once"),
            models.UniqueConstraint(fields=["recipient", "sequence"], name="exchange_outgoing_sequence_once"),
            models.UniqueConstraint(fields=["ledger_index"], name="exchange_outgoing_entry_once"),
            models.CheckConstraint(condition=Q(state__in=_OPEN + _SETTLED), name="exchange_outgoing_state"),
            models.CheckConstraint(
                condition=Q(state__in=_SETTLED, receipt__isnull=False) | Q(state__in=_OPEN, receipt__isnull=True),
                name="exchange_outgoing_settled_by_receipt",
            ),
            models.CheckConstraint(condition=Q(not_after__gt=F("created_at")), name="exchange_outgoing_time"),
            models.CheckConstraint(
                condition=Q(state=Outbox.QUEUED.value, stage__in=[stage.value for stage in ON_ITS_WAY])
                | Q(state__in=[Outbox.UNKNOWN.value, Outbox.REJECTED.value], stage=Stage.NOT_DELIVERED.value)
                | Q(state=Outbox.ACCEPTED.value, stage__in=[stage.value for stage in ARRIVED]),
                name="exchange_outgoing_stage",
            ),
            models.CheckConstraint(
                condition=Q(warn_at__isnull=True) | Q(limit_at__gte=F("warn_at")),
                name="exchange_outgoing_warned_in_time",
            ),
        ]


class Incoming(Header):
    """The inbox. ``signed`` is what the sender signed, as it lay inside the encryption.

    The key that opened the envelope lives at most 30 days; the signature on ``signed`` can be checked for ever. Of a
    message that was forgotten (``actions.forget``) both are gone; header, digest, receipt and ledger entry stay.
    ``opened_at``: when an officer first opened what it brought.
    """

    sender = models.CharField(max_length=64)
    state = models.CharField(max_length=16, db_index=True)
    reason = models.TextField(default="", blank=True)
    received_at = models.DateTimeField()
    receipt = models.BinaryField()
    signed = models.BinaryField(null=True)
    envelope = models.BinaryField(null=True)
    forgotten_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(signed__isnull=False, envelope__isnull=False, forgotten_at__isnull=True)
                | Q(signed__isnull=True, envelope__isnull=True, forgotten_at__isnull=False),
                name="exchange_incoming_kept_or_forgotten",
            ),
            models.UniqueConstraint(fields=["sender", "message_id", "digest"], name="exchange_incoming_once"),
            models.UniqueConstraint(fields=["sender", "message_id"], name="exchange_incoming_one_digest"),
            models.UniqueConstraint(fields=["sender", "sequence"], name="exchange_incoming_sequence_once"),
            models.UniqueConstraint(fields=["ledger_index"], name="exchange_incoming_entry_once"),
            models.CheckConstraint(condition=Q(state__in=_DECIDED), name="exchange_incoming_state"),
        ]


class Intake(models.Model):
    """How many bytes of envelopes a partner handed in on one day (UTC)."""

    partner = models.CharField(max_length=64)
    day_date = models.DateField()
    bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "day_date"], name="exchange_intake_once")]


class Equivocation(models.Model):
    """A second signed message under an id or a sequence that the sender had used before; with ``first``, the proof."""

    first = models.ForeignKey(Incoming, on_delete=models.PROTECT, related_name="equivocations")
    digest = models.CharField(max_length=64, db_index=True)
    kept_at = models.DateTimeField()
    ledger_index = models.PositiveBigIntegerField()
    receipt = models.BinaryField()
    signed = models.BinaryField()
    envelope = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "digest"], name="exchange_equivocation_once")]


class QueuedLetter(models.Model):
    """A letter that its recipient has not taken yet. It is sealed when it goes out, and its row goes when it is taken.

    ``key``: what a newer letter of the same kind replaces. ``handed_at``: when a relay or a courier took it.
    """

    recipient = models.CharField(max_length=64)
    kind = models.CharField(max_length=128)
    key = models.CharField(max_length=128)
    letter_id = models.CharField(max_length=32, unique=True)
    in_reply_to = models.CharField(max_length=64, default="", blank=True)
    body = models.BinaryField()
    created_at = models.DateTimeField()
    not_after = models.DateTimeField(db_index=True)
    handed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recipient", "kind", "key"], name="exchange_letter_key_once"),
            models.CheckConstraint(condition=Q(not_after__gt=F("created_at")), name="exchange_letter_time"),
        ]
