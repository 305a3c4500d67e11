"""Epochs: opened by an officer or the clock, published to each sharing tier in the background, closed for ever.

A tier's manifest is signed once and kept, since every signature differs: all its partners get the same bytes.
"""

import os
from datetime import datetime, timedelta

from django.db import transaction

from palermo import blind
from palermo.blind.manifest import MAX_VALIDITY
from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.exchange import actions as exchange
from palermo.node.holdings import queries as holdings
from palermo.node.holdings.rows import TierRow
from palermo.node.ledger import actions as ledger
from palermo.node.matching import files
from palermo.node.matching.actions.holder import refuse_runs_of
from palermo.node.matching.messages import MANIFEST, ManifestMessage
from palermo.node.matching.models import Epoch, PartnerManifest, Publication, Run
from palermo.node.matching.rows import EpochRow
from palermo.node.matching.shapes import epoch_row
from palermo.node.matching.states import EPOCH_MOVES, EpochState, RunState
from palermo.node.matching.steps import Step, enqueue, message_id
from palermo.node.office import policy
from palermo.node.office.actions import add_task, audit, finish_task, next_reference
from palermo.node.office.errors import ConflictError, InvalidError
from palermo.node.office.jobs import GiveUpError, Heartbeat
from palermo.node.office.policy import Actor, Role
from palermo.sealing import dsse
from palermo.sealing.errors import FormatError


@transaction.atomic
def open_epoch(officer: Actor | None, *, days: int = MAX_VALIDITY.days, now: datetime) -> EpochRow:
    """Open an epoch of `days` (30 at most) and publish it in the background. `officer` is None for the clock."""
    if officer is not None:
        policy.require(officer, "epoch.open")
    if not 1 <= days <= MAX_VALIDITY.days:
        raise InvalidError(f"An epoch lasts from 1 to {MAX_VALIDITY.days} days.")
    if not holdings.tiers():
        raise ConflictError("No holding names a partner that may match it. Say who may, then open an epoch.")
    valid_from = now.replace(microsecond=0)
    epoch = Epoch.objects.create(
        code=next_reference(f"{directory.own_code()}-EPOCH", now=now),
        valid_from=valid_from,
        valid_until=valid_from + timedelta(days=days),
        opened_by_id=officer.pk if officer else None,
    )
    enqueue(Step.PUBLISH, epoch.code, epoch=epoch.code, now=now)
    audit(officer, "epoch.opened", epoch.code, now=now, detail={"days": days})
    return epoch_row(epoch)


def publish(epoch_code: str, heartbeat: Heartbeat, now: datetime) -> None:
    """Job: make the seed, publish each tier that is not yet published, then open the epoch."""
    with transaction.atomic():
        epoch = _still_publishing(epoch_code, now)
        if epoch is None:
            return
        files.write_seed(epoch.code, blind.new_seed(os.urandom))
    tiers = holdings.tiers()
    for number, tier in enumerate(tiers):

        def progress(done: int, total: int, number: int = number) -> None:
            heartbeat((number + done / max(total, 1)) / len(tiers))

        if not epoch.publications.filter(tier=tier.code).exists() and not _publish_tier(epoch, tier, progress, now):
            return
    with transaction.atomic():
        if (ready := _still_publishing(epoch_code, now)) is not None:
            _move(ready, EpochState.OPEN)


def _still_publishing(code: str, now: datetime) -> Epoch | None:
    """The epoch, locked, if it may still be published; one that ended meanwhile leaves nothing behind on disk.

    The clock ends an epoch in another thread, at any moment of this work. Both take the ledger's lock, then the row's.
    """
    ledger.hold()
    epoch = Epoch.objects.select_for_update().get(code=code)
    if epoch.state == EpochState.CLOSED or epoch.valid_until <= now:
        files.destroy_epoch(code)
        return None
    return epoch if epoch.state == EpochState.PUBLISHING else None


def _publish_tier(epoch: Epoch, tier: TierRow, progress: blind.publication.Progress, now: datetime) -> bool:
    """Tokenise, save, sign, enter in the ledger, offer; False if the epoch ended meanwhile.

    A tier that holds nothing is not published.
    """
    publication = _publication(epoch, tier, progress)
    manifest = blind.Manifest.parse(publication.manifest)
    signed = dsse.sign(MANIFEST, publication.manifest, own_keys.signing_key())
    with transaction.atomic():
        if _still_publishing(epoch.code, now) is None:
            return False
        if not manifest.kinds:
            return True
        Publication.objects.create(
            epoch=epoch,
            tier=tier.code,
            partners=list(tier.partners),
            holdings=list(tier.holdings),
            manifest=signed,
            manifest_digest=manifest.digest.hex(),
            counts={entry.kind: entry.count for entry in manifest.kinds},
            published_at=now,
        )
        fields = {"epoch": epoch.code, "tier": tier.code, "manifest": manifest.digest.hex()}
        ledger.append(kind="matching.published", counterparty="", fields=fields, now=now)
        for partner in tier.partners:
            enqueue(Step.OFFER, epoch.code, tier.code, partner, now=now, **fields, partner=partner)
    return True


def _publication(epoch: Epoch, tier: TierRow, progress: blind.publication.Progress) -> blind.Publication:
    """The publication on disk, made now or saved before a worker was killed, with nothing that is protected since."""
    folder = files.publication_folder(epoch.code, tier.code)
    while True:
        if not folder.exists():
            made = blind.publish(
                seed=files.read_seed(epoch.code),
                holder=directory.own_code(),
                epoch=epoch.code,
                tier=tier.code,
                valid_from=epoch.valid_from,
                valid_until=epoch.valid_until,
                items=holdings.publishable(tier),
                rng=os.urandom,
                progress=progress,
            )
            files.save_publication(epoch.code, tier.code, made)
        publication = blind.Publication.load(folder)
        allowed = {item.ref for item in holdings.publishable(tier)}
        if all(allowed.issuperset(table.references()) for table in publication.tables.values()):
            return publication
        files.discard_publication(epoch.code, tier.code)  # protected or removed while it was tokenised: do it again


def offer(epoch_code: str, tier: str, partner: str, now: datetime) -> None:
    """Job: seal a tier's manifest and filters to one of its partners."""
    publication = Publication.objects.select_related("epoch").get(epoch__code=epoch_code, tier=tier)
    if publication.epoch.valid_until <= now:
        return
    filters = blind.Publication.load(files.publication_folder(epoch_code, tier)).filters
    try:
        exchange.send(
            recipient=partner,
            payload_type=MANIFEST,
            payload=ManifestMessage(bytes(publication.manifest), filters).to_bytes(),
            case_reference=epoch_code,
            purpose="Blind match: keys and filters of an epoch",
            message_id=message_id(MANIFEST, publication.manifest_digest, partner),
            fields={"manifest": publication.manifest_digest, "tier": tier},
            now=now,
        )
    except FormatError as error:
        _tell_unsendable(publication, partner, now)
        raise GiveUpError(f"the filters of {tier} cannot be sent: {error}") from error


def _tell_unsendable(publication: Publication, partner: str, now: datetime) -> None:
    """Say what to do about filters that no message can carry; the task ends with the epoch."""
    holdings_named = ", ".join(publication.holdings)
    add_task(
        key=_unsendable_key(publication, partner),
        title=f"{partner} cannot be offered {holdings_named}: the filters are larger than a message can be. "
        "Split the holding in several with other circles of partners or other kinds of data, then open a new epoch.",
        link="/matching/",
        role=Role.SUPERVISOR,
        now=now,
    )
    audit(None, "epoch.unsendable", publication.epoch.code, now=now, detail={"partner": partner})


def _unsendable_key(publication: Publication, partner: str) -> str:
    return f"matching.unsendable:{publication.pk}:{partner}"


def close_due_epochs(now: datetime) -> int:
    """End every epoch whose time is over; returns how many. Partners' filters that no run can use any more go too.

    What an ended epoch still has on disk goes again: a publisher that was killed may have written it after the end.
    """
    due = Epoch.objects.filter(valid_until__lte=now).exclude(state=EpochState.CLOSED)
    codes = list(due.values_list("code", flat=True))
    for code in codes:
        _close(code, now)
    closed = Epoch.objects.filter(code__in=files.epochs_on_disk(), state=EpochState.CLOSED)
    for code in list(closed.values_list("code", flat=True)):
        files.destroy_epoch(code)
    ended = PartnerManifest.objects.filter(valid_until__lte=now)
    waiting = Run.objects.exclude(state__in=[RunState.DONE, RunState.FAILED]).values("manifest_id")
    for digest in ended.exclude(pk__in=waiting).values_list("manifest_digest", flat=True):
        files.destroy_filters(digest)
    return len(codes)


@transaction.atomic
def _close(code: str, now: datetime) -> None:
    """Destroy first, then say so: a node that dies in between destroys again what is gone and then says so."""
    ledger.hold()
    epoch = Epoch.objects.select_for_update().get(code=code)
    refuse_runs_of(epoch, now)
    for publication in epoch.publications.all():
        for partner in publication.partners:
            finish_task(_unsendable_key(publication, partner), now=now)
    files.destroy_epoch(code)
    _move(epoch, EpochState.CLOSED, closed_at=now)
    audit(None, "epoch.closed", code, now=now)
    ledger.append(kind="matching.epoch_closed", counterparty="", fields={"epoch": code, "seed": "destroyed"}, now=now)


def _move(epoch: Epoch, state: EpochState, **fields: object) -> None:
    if state not in EPOCH_MOVES[EpochState(epoch.state)]:
        raise ConflictError(f"This epoch is {epoch.state}: it cannot become {state}.")
    epoch.state = state
    for name, value in fields.items():
        setattr(epoch, name, value)
    epoch.save(update_fields=["state", *fields])
