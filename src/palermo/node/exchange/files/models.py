"""Files on their way: the state of each in a row, its bytes in the home folder (:mod:`.store`)."""

from django.db import models
from django.db.models import F, Q

from palermo.node.exchange.files.states import Arriving, Sending

_RECEIPTED = ("taken", "refused")


class FileOnItsWay(models.Model):
    """What both sides keep. ``subject``: what the file is to the app that it belongs to, such as a package's reference.

    ``sha256`` and ``size`` (bytes) are of the file in clear. ``identity`` opens the sealed file; it is emptied when it
    is needed no longer. ``pieces``: how many there are, 0 while that is not known.
    """

    file_id = models.CharField(max_length=32, unique=True)
    message_id = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=200, blank=True, db_index=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    identity = models.CharField(max_length=100, blank=True)
    sealed_size = models.BigIntegerField(default=0)
    piece_bytes = models.PositiveIntegerField(default=0)
    pieces = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    not_after = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)
    reason = models.TextField(default="", blank=True)
    receipt = models.BinaryField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class OutgoingFile(FileOnItsWay):
    """A file of ours. ``source``: where it lies in clear, below the home folder; it is only read.

    ``lacking``: the pieces that the recipient last said it lacks. ``sent``: pieces put on the line so far, those that
    had to be sent again counted again. ``cursor``: the first piece not yet handed to a relay or courier in this round,
    which began or went on at ``handed_at``. ``listed_at``: when the list of pieces was last written to the recipient.
    """

    recipient = models.CharField(max_length=64, db_index=True)
    source = models.CharField(max_length=300)
    state = models.CharField(max_length=16, default=Sending.SEALING.value, db_index=True)
    lacking = models.TextField(default="", blank=True)
    arrived = models.PositiveIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    cursor = models.PositiveIntegerField(default=0)
    handed_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in Sending]), name="exchange_outgoing_file_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=_RECEIPTED, receipt__isnull=False)
                | (~Q(state__in=_RECEIPTED) & Q(receipt__isnull=True)),
                name="exchange_outgoing_file_settled_by_receipt",
            ),
            models.CheckConstraint(condition=Q(not_after__gt=F("created_at")), name="exchange_outgoing_file_time"),
        ]


class IncomingFile(FileOnItsWay):
    """A partner's file. ``payload``: of the message that offered it, which takes effect when the file is here.

    ``sha512`` (hex) comes with the list of pieces. ``told``: how many pieces the sender was last told are here.
    """

    sender = models.CharField(max_length=64, db_index=True)
    payload = models.BinaryField(blank=True)
    state = models.CharField(max_length=16, default=Arriving.ARRIVING.value, db_index=True)
    sha512 = models.CharField(max_length=128, blank=True)
    told = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in Arriving]), name="exchange_incoming_file_state"
            ),
            models.CheckConstraint(
                condition=Q(state__in=_RECEIPTED, receipt__isnull=False)
                | (~Q(state__in=_RECEIPTED) & Q(receipt__isnull=True)),
                name="exchange_incoming_file_settled_by_receipt",
            ),
            models.CheckConstraint(condition=Q(not_after__gt=F("created_at")), name="exchange_incoming_file_time"),
        ]
