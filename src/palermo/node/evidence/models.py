"""What the evidence app stores. Bytes lie outside, in content-addressed files (:mod:`palermo.node.evidence.blobs`)."""

from django.conf import settings
from django.db import models

from palermo.node.evidence.constraints import one_of
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp


class Item(models.Model):
    """One thing that may stand in court: what it is, who collected it, how, when and where, and its hashes.

    ``originator``: who gave intelligence (a received item has its package's partner). ``copy_of``, ``under_consent``:
    from which item it was brought into this case, and by whose leave. ``recall``: its provider's, which stops its use;
    ``hold``: the legal ground on which it is kept in spite of a recall or of the end of its retention.
    """

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
    originator = models.CharField(max_length=200, blank=True, default="")
    copy_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="copies")
    under_consent = models.ForeignKey("UseConsent", null=True, on_delete=models.PROTECT, related_name="opened")
    recall = models.ForeignKey("Recall", null=True, on_delete=models.PROTECT, related_name="stopped")
    hold = models.CharField(max_length=1000, blank=True, default="")
    retention_date = models.DateField(null=True)
    retention_rule = models.CharField(max_length=300, blank=True, default="")
    destroyed_at = models.DateTimeField(null=True)
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
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        """A package goes out or comes in, and is always bound to a request."""

        constraints = [
            one_of("direction", ["in", "out"], "evidence_package_direction"),
            models.CheckConstraint(condition=~models.Q(request_reference=""), name="evidence_package_request"),
        ]


# What binds the use of an item has a module of its own; Django finds models by importing this one.
from palermo.node.evidence.use_models import (  # noqa: E402
    Consultation,
    Notice,
    Question,
    Recall,
    Statement,
    UseConsent,
)

__all__ = [
    "Consultation",
    "CustodyEvent",
    "Item",
    "Notice",
    "Package",
    "Question",
    "Recall",
    "Statement",
    "UseConsent",
]
