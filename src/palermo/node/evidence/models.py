"""What the evidence app stores. Bytes lie outside, in content-addressed files (:mod:`palermo.node.evidence.blobs`)."""

from django.conf import settings
from django.db import models

from palermo.node.evidence.constraints import one_of
from palermo.node.evidence.marks import HandlingCode, InformationGrade, Origin, SourceGrade, Tlp
from palermo.node.evidence.states import PackageState


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


class Package(models.Model):
    """A sealed package that we made or received: the file's digest, its manifest, and what it is bound to.

    ``state``: *waiting* while its parts are signed and in the ledger, but witnesses or a time stamp are still waited
    for, until ``wait_until``; ``draft...`` hold those parts verbatim, ``time_stamp`` what came.
    ``lacking``: names of the checks that it cannot show, when it was sealed without.
    """

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
    state = models.CharField(max_length=8, default=PackageState.SEALED.value)
    wait_until = models.DateTimeField(null=True)
    draft = models.BinaryField(default=b"")
    draft_directory = models.BinaryField(default=b"")
    draft_trust_root = models.BinaryField(default=b"")
    time_stamp = models.BinaryField(default=b"")
    lacking = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        """A package goes out or comes in, and is always bound to a request; one that is sealed has a file."""

        constraints = [
            one_of("direction", ["in", "out"], "evidence_package_direction"),
            one_of("state", list(PackageState), "evidence_package_state"),
            models.CheckConstraint(
                condition=models.Q(state=PackageState.WAITING.value) | ~models.Q(sha256=""),
                name="evidence_package_sealed_has_file",
            ),
            models.CheckConstraint(condition=~models.Q(request_reference=""), name="evidence_package_request"),
        ]


# Custody, and what binds the use of an item, have modules of their own; Django finds models by importing this one.
from palermo.node.evidence.custody_models import CustodyEvent, CustodyKey, OfficerCertificate  # noqa: E402
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
    "CustodyKey",
    "Item",
    "Notice",
    "OfficerCertificate",
    "Package",
    "Question",
    "Recall",
    "Statement",
    "UseConsent",
]
