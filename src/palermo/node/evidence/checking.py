"""Check the stored custody as a court would: every signature, every place in the chain, every column."""

from collections.abc import Iterator

from palermo.node.directory import queries as directory
from palermo.node.directory.queries import DirectoryError
from palermo.node.evidence.models import CustodyEvent, Item, OfficerCertificate
from palermo.node.evidence.rows import Fault
from palermo.sealing.custody import Certificate, Step, check_chain, newest_by_key, open_certificate, open_step
from palermo.sealing.errors import BindingError, SealingError

WHAT = "custody of an item"


def custody_faults() -> Iterator[Fault]:
    """Each item whose signed steps no longer verify, do not follow from one another, or say what no column says."""
    certificates, faults = _certificates()
    yield from faults
    signed = CustodyEvent.objects.exclude(digest="").values("item")
    for item in Item.objects.filter(pk__in=signed).order_by("pk").iterator():
        try:
            _check(item, certificates)
        except SealingError as error:
            yield Fault(WHAT, item.reference, str(error))


def _certificates() -> tuple[dict[str, Certificate], list[Fault]]:
    verified, faults = [], []
    for row in OfficerCertificate.objects.order_by("pk").iterator():
        try:
            keys = directory.verify_keys(row.authority, row.issued_at)
            verified.append(open_certificate(bytes(row.signed), keys))
        except (SealingError, DirectoryError) as error:
            faults.append(Fault("certificate of an officer", f"{row.authority}, key {row.key_id}", str(error)))
    return newest_by_key(verified), faults


def _check(item: Item, certificates: dict[str, Certificate]) -> None:
    steps: list[tuple[Step, bytes]] = []
    for row in item.custody.exclude(digest="").order_by("pk"):
        step = open_step(bytes(row.signed), certificates, f"step {row.verb!r}")
        columns = (row.verb, row.by, row.at, row.where, row.detail, row.sha256, row.previous, row.officer)
        said = (step.verb.value, step.by, step.at, step.where, step.how, step.sha256, step.previous, step.officer)
        if columns != said or (step.sha256, step.sha512) != (item.sha256, item.sha512):
            raise BindingError(f"step {row.verb!r}", "is not stored as its officer signed it")
        steps.append((step, bytes(row.signed)))
    check_chain(steps)
