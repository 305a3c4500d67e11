"""Rows made of model instances."""

from datetime import datetime

from palermo.node.matching.messages import Disclosed
from palermo.node.matching.models import Epoch, HeldHit, HeldRun, Hit, PartnerManifest, Run
from palermo.node.matching.rows import (
    EpochRow,
    HeldHitRow,
    HeldRunRow,
    HitRow,
    ManifestRow,
    MatchedSelector,
    PublicationRow,
    RunRow,
)
from palermo.node.matching.states import EpochState, HeldRunState, RunState, Verdict
from palermo.subjects.entities import Entity


def epoch_row(epoch: Epoch) -> EpochRow:
    """An epoch with its publications."""
    publications = tuple(
        PublicationRow(
            tier=publication.tier,
            partners=tuple(publication.partners),
            manifest_digest=publication.manifest_digest,
            counts=dict(publication.counts),
            published_at=publication.published_at,
        )
        for publication in epoch.publications.all()
    )
    return EpochRow(
        code=epoch.code,
        state=EpochState(epoch.state),
        valid_from=epoch.valid_from,
        valid_until=epoch.valid_until,
        closed_at=epoch.closed_at,
        publications=publications,
    )


def manifest_row(manifest: PartnerManifest, now: datetime) -> ManifestRow:
    """A partner's manifest, and whether it is live."""
    return ManifestRow(
        partner=manifest.partner,
        epoch=manifest.epoch,
        tier=manifest.tier,
        manifest_digest=manifest.manifest_digest,
        counts=dict(manifest.counts),
        valid_from=manifest.valid_from,
        valid_until=manifest.valid_until,
        received_at=manifest.received_at,
        live=manifest.valid_from <= now < manifest.valid_until,
    )


def run_row(run: Run) -> RunRow:
    """A run that `queries.counted` found."""
    return RunRow(
        run_id=run.run_id,
        case=run.case_id,
        partner=run.partner,
        tier=run.manifest.tier,
        inputs=run.inputs,
        kinds=tuple(run.kinds),
        purpose=run.purpose,
        legal_basis=run.legal_basis,
        officer=run.officer_id,
        state=RunState(run.state),
        counts=dict(run.counts),
        hits=getattr(run, "hit_count", 0),
        judged=getattr(run, "judged_count", 0),
        failure=run.failure,
        started_at=run.started_at,
        asked_at=run.asked_at,
        ended_at=run.ended_at,
    )


def hit_row(hit: Hit) -> HitRow:
    """A hit with its run."""
    return HitRow(
        hit_id=hit.hit_id,
        run_id=hit.run.run_id,
        case=hit.run.case_id,
        partner=hit.run.partner,
        our_id=hit.our_id,
        our_caption=hit.our_caption,
        our_entity=Entity.from_json(hit.our_entity),
        partner_reference=hit.partner_reference,
        selectors=tuple(MatchedSelector(kind, value) for kind, value in hit.selectors),
        disclosure=Disclosed.from_json(hit.disclosure),
        verdict=Verdict(hit.verdict),
        intelligence=hit.intelligence,
        found_at=hit.found_at,
    )


def held_run_row(run: HeldRun) -> HeldRunRow:
    """A partner's run."""
    return HeldRunRow(
        run_id=run.run_id,
        partner=run.partner,
        case_reference=run.case_reference,
        purpose=run.purpose,
        legal_basis=run.legal_basis,
        asked_by=run.asked_by,
        state=HeldRunState(run.state),
        counts=dict(run.counts),
        ledger_index=run.ledger_index,
        failure=run.failure,
        received_at=run.received_at,
        ended_at=run.ended_at,
    )


def held_hit_row(hit: HeldHit) -> HeldHitRow:
    """A hit at the holder with its run."""
    return HeldHitRow(
        reference=hit.reference,
        partner=hit.run.partner,
        partner_case=hit.run.case_reference,
        case=hit.case_id,
        holding=hit.holding,
        entity_id=hit.entity_id,
        caption=hit.caption,
        kinds=tuple(hit.kinds),
        disclosed=hit.disclosed,
        found_at=hit.found_at,
    )
