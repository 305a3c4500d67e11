"""What a relay keeps of others' post, and what a member keeps of its relays."""

from enum import StrEnum

from django.db import models
from django.db.models import F, Q


class Holding(StrEnum):
    """What became of a parcel at its relay."""

    WAITING = "waiting"
    COLLECTED = "collected"
    FAILED = "failed"


MOVES: dict[Holding, frozenset[Holding]] = {
    Holding.WAITING: frozenset({Holding.COLLECTED, Holding.FAILED}),
    # Handed in again, because its sender has no receipt yet: the recipient answers it with the receipt it gave before.
    Holding.COLLECTED: frozenset({Holding.WAITING}),
    Holding.FAILED: frozenset(),
}
_WAITING, _COLLECTED, _FAILED = (state.value for state in Holding)


class RelayMailbox(models.Model):
    """One member, as the relay sees it: the row that is locked to take in, hand out and count its parcels."""

    code = models.CharField(max_length=64, primary_key=True)
    collected_at = models.DateTimeField(null=True)


class RelayParcel(models.Model):
    """A parcel that a member handed in for another: sealed bytes, both codes, and the relay's own signed statements.

    ``content`` is there while it waits. Collected or failed, the rest stays for as long as the same parcel may be
    handed in again, so that each statement is given once.
    """

    sender = models.CharField(max_length=64)
    recipient = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    content = models.BinaryField(null=True)
    state = models.CharField(max_length=16, default=_WAITING)
    held_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    relayed = models.BinaryField()
    failed = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "recipient", "digest"], name="exchange_relayparcel_once"),
            models.CheckConstraint(
                condition=Q(state=_WAITING, content__isnull=False, failed__isnull=True)
                | Q(state=_COLLECTED, content__isnull=True, failed__isnull=True)
                | Q(state=_FAILED, content__isnull=True, failed__isnull=False),
                name="exchange_relayparcel_held_or_not",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("held_at")), name="exchange_relayparcel_time"),
        ]
        indexes = [
            models.Index(fields=["recipient", "state"], name="exchange_relay_mailbox"),
            models.Index(fields=["state", "ends_at"], name="exchange_relay_ends"),
        ]


class RelayNonce(models.Model):
    """A ticket or collection that was used; kept for as long as it would still be fresh."""

    member = models.CharField(max_length=64)
    nonce = models.CharField(max_length=32)
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["member", "nonce"], name="exchange_relaynonce_once")]


class Poll(models.Model):
    """A relay that this node asks for its post, and how that fares."""

    relay = models.CharField(max_length=64, primary_key=True)
    next_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(default="", blank=True)
