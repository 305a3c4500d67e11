"""Steps that check the custody in a package: in order, signed by officers, and the graph that is derived from it."""

from palermo.sealing import package
from palermo.sealing.case_graph import custody_graph
from palermo.sealing.custody import (
    Certificate,
    Step,
    check_chain,
    check_moves,
    claimed_certificate,
    newest_by_key,
    open_certificate,
    open_step,
)
from palermo.sealing.errors import BindingError, PackageError, TrustError
from palermo.sealing.examination import Examination, NotReachedError, have
from palermo.sealing.manifest import FORMAT, CustodyEvent, Manifest, ManifestItem


def custody(it: Examination) -> str:
    """Every item has its custody, in order, without a step that cannot be, and with one content throughout."""
    manifest = have(it.manifest)
    for number, item in enumerate(manifest.items, start=1):
        events = _events(manifest, number)
        times = [event.at for event in events]
        if not times or times != sorted(times) or times[-1] > manifest.created_at:
            raise PackageError(f"custody of item {number}", "is empty, out of order, or goes on after the manifest")
        if any(event.sha256 not in ("", item.sha256) for event in events):
            raise PackageError(f"custody of item {number}", "shows that the item was another one before")
        if manifest.format == FORMAT and all(event.signed for event in events):
            check_moves([event.verb for event in events], f"custody of item {number}")
    if any(not 1 <= event.item <= len(manifest.items) for event in manifest.custody):
        raise PackageError("custody", "speaks of an item that is not here")
    return (
        f"The custody record has {len(manifest.custody)} events, in order, for every item, with its digest unchanged."
    )


def custody_signatures(it: Examination) -> str:
    """Every step was signed by the officer who recorded it, whom their authority certifies, and none is missing."""
    it.require_format_2()
    manifest = have(it.manifest)
    certificates = newest_by_key(_certificate(it, signed) for signed in manifest.officers)
    signed_by: dict[str, None] = {}
    unsigned = 0
    for number, item in enumerate(manifest.items, start=1):
        events = _events(manifest, number)
        signed = [event for event in events if event.signed]
        unsigned += len(events) - len(signed)
        steps = [(_step(event, item, certificates), event.signed) for event in signed]
        check_chain(steps, f"custody of item {number}")
        signed_by |= dict.fromkeys(f"{step.officer}, {step.authority}" for step, _ in steps)
    if unsigned:
        raise NotReachedError(
            f"{unsigned} steps were recorded before steps were signed: only the provider vouches for them", lacking=True
        )
    return f"Each step is signed by who recorded it, and none was taken out: {'; '.join(signed_by)}."


def graph(it: Examination) -> str:
    """The CASE/UCO graph says what the manifest says."""
    it.require_format_2()
    if it.file(package.CUSTODY_GRAPH) != custody_graph(have(it.manifest)):
        raise BindingError(f"file {package.CUSTODY_GRAPH!r}", "does not say what the manifest says")
    return "The CASE/UCO graph of the custody says what the signed manifest says."


def _events(manifest: Manifest, number: int) -> list[CustodyEvent]:
    return [event for event in manifest.custody if event.item == number]


def _certificate(it: Examination, signed: bytes) -> Certificate:
    """An officer's certificate, verified under the keys that the officer's authority had when it was issued."""
    claimed = claimed_certificate(signed)
    directory = have(it.directory)
    try:
        authority = directory.entry(claimed.authority)
    except TrustError as error:
        raise NotReachedError(
            f"not checked: {claimed.authority[:40]!r}, whose officers signed some steps, is no member any more",
            lacking=True,
        ) from error
    return open_certificate(signed, authority.verify_keys(claimed.issued_at))


def _step(event: CustodyEvent, item: ManifestItem, certificates: dict[str, Certificate]) -> Step:
    """The step that an event repeats, verified, and the same in every field."""
    part = f"custody step {event.verb[:20]!r} of {item.path}"
    step = open_step(event.signed, certificates, part)
    said = (step.verb, step.by, step.at, step.where, step.how, step.sha256)
    if said != (event.verb, event.by, event.at, event.where, event.how, event.sha256):
        raise BindingError(part, "is not what its officer signed")
    if (step.sha256, step.sha512) != (item.sha256, item.sha512):
        raise BindingError(part, "was signed for another content")
    return step
