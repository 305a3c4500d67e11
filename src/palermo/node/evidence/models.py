"""What the evidence app stores. Bytes lie outside, in content-addressed files (:mod:`palermo.node.evidence.blobs`)."""

from collections.abc import Sequence

from django.conf import settings
from django.db import models

from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp


def one_of(field: str, values: Sequence[str], name: str) -> models.CheckConstraint:
    """A constraint that a column holds one of these values."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(values)}), name=name)


class Item(models.Model):
    """One thing that may stand in court: what it is, who collected it, how, when and where, and its hashes."""

    reference = models.CharField(max_length=64, unique=True)
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=300)
    collected_by = models.CharField(max_length=200)
    how = models.CharField(max_length=500)
    collected_at = models.DateTimeField()
    where = models.CharField(max_length=200)
    name = models.CharField(max_length=120)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    sha512 = models.CharField(max_length=128)
    origin = models.CharField(max_length=16)
    tlp = models.CharField(max_length=16)
    handling_code = models.CharField(max_length=4)
    source_grade = models.CharField(max_length=1)
    information_grade = models.CharField(max_length=1)
    use_limit = models.CharField(max_length=1000, blank=True)
    package = models.ForeignKey("Package", null=True, on_delete=models.PROTECT, related_name="received_items")
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        """States allowed in the columns; a received item always names the package that brought it."""

        constraints = [
            one_of("origin", list(Origin), "evidence_item_origin"),
            one_of("tlp", list(Tlp), "evidence_item_tlp"),
            one_of("handling_code", list(HandlingCode), "evidence_item_handling_code"),
            one_of("source_grade", list(SourceGrade), "evidence_item_source_grade"),
            one_of("information_grade", list(InformationGrade), "evidence_item_information_grade"),
            models.CheckConstraint(
                condition=models.Q(origin=Origin.RECEIVED.value, package__isnull=False)
                | (~models.Q(origin=Origin.RECEIVED.value) & models.Q(package__isnull=True)),
                name="evidence_item_received_names_package",
            ),
        ]


class CustodyEvent(models.Model):
    """One step in the life of an item, never changed: who had it, what was done, when, and the hash seen then."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="custody")
    verb = models.CharField(max_length=40)
    by = models.CharField(max_length=200)
    at = models.DateTimeField()
    where = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    sha256 = models.CharField(max_length=64)


class Package(models.Model):
    """A sealed package that we made or received: the file's digest, its manifest, and what it is bound to."""

    reference = models.CharField(max_length=64, unique=True)
    direction = models.CharField(max_length=3)
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    partner = models.CharField(max_length=64)
    request_reference = models.CharField(max_length=80)
    file_name = models.CharField(max_length=120, unique=True)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    manifest_digest = models.CharField(max_length=64)
    use_limit = models.CharField(max_length=2000)
    ledger_index = models.BigIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    items = models.ManyToManyField(Item, related_name="packages")

    class Meta:
        """A package goes out or comes in, and is always bound to a request."""

        constraints = [
            one_of("direction", ["in", "out"], "evidence_package_direction"),
            models.CheckConstraint(condition=~models.Q(request_reference=""), name="evidence_package_request"),
        ]


class UseConsent(models.Model):
    """A provider's recorded consent to use one of its items beyond the request it was given for (UNTOC Art. 18(19))."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="consents")
    case = models.ForeignKey("cases.Case", to_field="reference", on_delete=models.PROTECT, related_name="+")
    given_by = models.CharField(max_length=200)
    statement = models.CharField(max_length=2000)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        """A consent says who gave it and in what words."""

        constraints = [
            models.CheckConstraint(
                condition=~models.Q(given_by="") & ~models.Q(statement=""), name="evidence_consent_said"
            )
        ]
