"""What the chain of custody stores: the steps, the officers' keys, and the certificates that say whose they are."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from palermo.sealing.custody import Verb


class CustodyEvent(models.Model):
    """One step in the life of an item, never changed: what was done, by whom, when, and the digest seen then.

    ``signed`` is the step as its officer signed it, verbatim (:mod:`palermo.sealing.custody`), ``digest`` its SHA-256,
    ``previous`` the digest of the step before it, ``key_id`` the key that signed. These are empty for what was recorded
    before steps were signed: nobody signs afterwards what another did.
    """

    item = models.ForeignKey("Item", on_delete=models.PROTECT, related_name="custody")
    verb = models.CharField(max_length=40)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    where = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    sha256 = models.CharField(max_length=64)
    signed = models.BinaryField(default=b"")
    digest = models.CharField(max_length=64, blank=True, default="")
    previous = models.CharField(max_length=64, blank=True, default="")
    key_id = models.CharField(max_length=64, blank=True, default="")
    officer = models.CharField(max_length=200, blank=True, default="")
    authority = models.CharField(max_length=64, blank=True, default="")
    recorded_at = models.DateTimeField(null=True)
    package = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        """A signed step is one of the verbs, and has one place: no two follow the same step of an item."""

        constraints = [
            models.CheckConstraint(
                condition=Q(digest="") | Q(verb__in=[verb.value for verb in Verb]), name="evidence_custody_verb"
            ),
            models.UniqueConstraint(
                fields=["item", "previous"], condition=~Q(digest=""), name="evidence_custody_one_after_another"
            ),
        ]


class CustodyKey(models.Model):
    """A custody key of an officer here, or the node's own for what it does by itself (``officer`` empty).

    The private key lies in the folder of keys, by its id. ``name`` and ``unit`` are what the certificate says: whoever
    is renamed or moves gets another key. ``ended_at``: when the officer left; the private key is destroyed then.
    """

    officer = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    holder = models.CharField(max_length=32)
    key_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Nobody has two keys at a time."""

        constraints = [
            models.UniqueConstraint(fields=["holder"], condition=Q(ended_at=None), name="evidence_custody_key_once")
        ]


class OfficerCertificate(models.Model):
    """A certificate of a custody key, ours or a partner's, as the authority signed it; several for one key."""

    authority = models.CharField(max_length=64)
    key_id = models.CharField(max_length=64, db_index=True)
    digest = models.CharField(max_length=64, unique=True)
    signed = models.BinaryField()
    issued_at = models.DateTimeField()
