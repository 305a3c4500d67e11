"""The directory as it was imported: each signed version verbatim, and the authorities and keys that it named."""

from django.db import models
from django.db.models import F, Q


class DirectoryVersion(models.Model):
    """A directory file that was accepted. ``data``: its exact bytes; ``digest``: their SHA-256 in hex.

    ``root_version``: the trust root under which it was signed. The columns after ``imported_at`` repeat what the file
    says, so that nobody reads megabytes to learn a date. ``timestamp_authorities``: certificates in base64.
    """

    version = models.IntegerField(unique=True)
    digest = models.CharField(max_length=64)
    data = models.BinaryField()
    root_version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    imported_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    witnesses = models.JSONField(default=list)
    recovery_key = models.BinaryField(default=b"")
    timestamp_authorities = models.JSONField(default=list)


class TrustRootVersion(models.Model):
    """A trust root that followed the one handed over in person, which stays in its file.

    ``data``: the DSSE envelope that founders of the root before it and of this one signed.
    """

    version = models.IntegerField(unique=True)
    data = models.BinaryField()
    taken_at = models.DateTimeField()


class Authority(models.Model):
    """An authority that takes part, or took part (``is_member`` false)."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=200)
    jurisdiction = models.CharField(max_length=64)
    roles = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    endpoint = models.CharField(max_length=300)
    contact = models.CharField(max_length=300)
    log_origin = models.CharField(max_length=200)
    is_member = models.BooleanField(default=True)
    protocol = models.IntegerField(default=1)
    relay = models.CharField(max_length=32, default="", blank=True)
    cosigner_key = models.BinaryField(default=b"")


class PublicKey(models.Model):
    """A key of an authority. Keys stay after their validity, so that history can be verified.

    ``statement``: the authority's own signed statement of a recipient key; the directory vouches for signing keys.
    """

    SIGNING = "signing"
    RECIPIENT = "recipient"

    authority = models.ForeignKey(Authority, on_delete=models.PROTECT, related_name="keys")
    purpose = models.CharField(max_length=16)
    key_id = models.CharField(max_length=64)
    public = models.BinaryField()
    statement = models.BinaryField(default=b"")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "key_id"], name="directory_key_once"),
            models.CheckConstraint(name="directory_key_purpose", condition=Q(purpose__in=["signing", "recipient"])),
            models.CheckConstraint(name="directory_key_period", condition=Q(valid_from__lt=F("valid_until"))),
        ]
