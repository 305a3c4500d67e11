"""A run of ours from inside: prepare, finalize, conclude, each a job; between them the partner's messages arrive.

The blind library's state is stored in the same transaction as the message that the step sends, and every job first
looks whether its step is still due: a worker killed at any point leaves a run that goes on where it was.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

from django.db import transaction

from palermo import blind
from palermo.blind.items import bucket
from palermo.node.cases import actions as case_actions
from palermo.node.cases import queries as cases
from palermo.node.cases.states import EventKind
from palermo.node.directory import queries as directory
from palermo.node.exchange import actions as exchange
from palermo.node.holdings import queries as holdings
from palermo.node.ledger import actions as ledger
from palermo.node.matching import files
from palermo.node.matching.messages import CONFIRM, EVALUATION, RUN, AnswerMessage, ConfirmMessage, RunMessage
from palermo.node.matching.models import Hit, Run
from palermo.node.matching.states import RUN_MOVES, RunState
from palermo.node.matching.steps import message_id, move_run
from palermo.node.office.actions import add_task, audit
from palermo.node.office.queries import officer_names
from palermo.sealing import dsse
from palermo.subjects.entities import Entity
from palermo.subjects.selectors import selectors_of

SUBJECTS = "subjects"
CHUNK = 500


MAX_HITS = 100_000
"""More pairs than people can judge, and than fit in memory: some selector is shared by very many on both sides."""


class UnusableAnswerError(Exception):
    """A partner's answer cannot become hits; the message says why and what to do."""


def prepare(run_id: str, now: datetime) -> None:
    """Job, step 1: the inputs become a blind request, which leaves with the state that will open its answer."""
    run = Run.objects.select_related("manifest", "officer").get(run_id=run_id)
    if run.state != RunState.PREPARING:
        return
    items = list(_items(run))
    if not items:
        fail(run_id, "The inputs have no selector of the kinds asked for. Add phones, documents or accounts.", now)
        return
    manifest, filters = _manifest(run)
    try:
        querier, request = blind.Querier.start(
            run_id=run_id,
            querier=directory.own_code(),
            manifest=manifest,
            filters=filters,
            case_reference=run.case_id,
            legal_basis=run.legal_basis,
            items=items,
            now=now,
            rng=os.urandom,
        )
    except blind.BlindError as error:
        fail(run_id, str(error), now)
        return
    counts = {kind: len(values) for kind, values in _values(items).items()}
    message = RunMessage(
        run_id=run_id,
        manifest_digest=run.manifest.manifest_digest,
        legal_basis=run.legal_basis,
        officer=officer_names([run.officer_id])[run.officer_id],
        elements={kind: bucket(counts.get(kind, 0)) for kind in run.manifest.counts},
        request=request,
    )
    with transaction.atomic():
        ledger.hold()
        run = Run.objects.select_for_update().get(run_id=run_id)
        if run.state == RunState.PREPARING:
            move_run(run, RunState.ASKED, querier_state=querier.to_bytes(), counts=counts, asked_at=now)
            _send(run, RUN, message.to_bytes(), "", now)


def finalize(run_id: str, now: datetime) -> None:
    """Job, steps 3 and 4: verify the evaluation, look up locally, and name the filter's positives to the holder."""
    run = Run.objects.select_related("manifest").get(run_id=run_id)
    if run.state != RunState.ASKED or run.inbound is None or run.querier_state is None:
        return
    manifest, filters = _manifest(run)
    try:
        querier = blind.Querier.from_bytes(bytes(run.querier_state), manifest=manifest, filters=filters)
        confirm = querier.finalize(bytes(run.inbound))
    except blind.BlindError as error:
        fail(run_id, str(error), now)
        return
    with transaction.atomic():
        ledger.hold()
        run = Run.objects.select_for_update().get(run_id=run_id)
        if run.state == RunState.ASKED:
            move_run(run, RunState.CONFIRMING, querier_state=querier.to_bytes(), inbound=None)
            reply_to = message_id(EVALUATION, run_id, directory.own_code(), run.partner)
            _send(run, CONFIRM, ConfirmMessage(run_id, confirm).to_bytes(), reply_to, now)


def conclude(run_id: str, now: datetime) -> None:
    """Job, step 6: hits exist where both MACs verify; they wait for a person, and the run's secrets are erased."""
    run = Run.objects.select_related("manifest").get(run_id=run_id)
    if run.state != RunState.CONFIRMING or run.inbound is None or run.querier_state is None:
        return
    answer = AnswerMessage.from_bytes(bytes(run.inbound))
    manifest, _ = _manifest(run, with_filters=False)
    try:
        querier = blind.Querier.from_bytes(bytes(run.querier_state), manifest=manifest, filters={})
        met = querier.conclude(answer.answer)
        _require_usable(met, answer.matches or {})
    except (blind.BlindError, UnusableAnswerError) as error:
        fail(run_id, str(error), now)
        return
    hits = list(_hits(run, met, answer, now))
    with transaction.atomic():
        run = Run.objects.select_for_update().get(run_id=run_id)
        if run.state == RunState.CONFIRMING:
            Hit.objects.bulk_create(hits, batch_size=CHUNK)
            move_run(run, RunState.DONE, ended_at=now)
            _announce(run, len(hits), now)


@transaction.atomic
def fail(run_id: str, reason: str, now: datetime) -> bool:
    """End a run that cannot go on, erase its secrets and tell its officer; False if it had ended already."""
    run = Run.objects.select_for_update().get(run_id=run_id)
    if RunState.FAILED not in RUN_MOVES[RunState(run.state)]:
        return False
    move_run(run, RunState.FAILED, failure=reason, ended_at=now)
    text = f"Blind match with {run.partner} ended without result: {reason}"
    case_actions.record(run.case_id, kind=EventKind.RUN, text=text, link=_link(run), officer=None, now=now)
    audit(None, "run.failed", run_id, now=now)
    _task(run, f"A blind match with {run.partner} failed", [run.officer_id], now)
    return True


class _Pair(NamedTuple):
    our_id: str
    reference: str


def _items(run: Run) -> Iterator[blind.Item]:
    """The inputs as items under our own entity ids, of the kinds asked for; protected items never."""
    wanted = set(run.kinds)
    if run.inputs == SUBJECTS:
        subjects = list(cases.entities(run.case_id))
        protected = holdings.protected_among({entity.id for entity in subjects})
        for entity in subjects:
            for selector in selectors_of(entity):
                if selector.kind in wanted and entity.id not in protected:
                    yield blind.Item(selector.kind, selector.value, entity.id)
    else:
        for entity_id, kind, value in holdings.matchable(run.inputs):
            if kind in wanted:
                yield blind.Item(kind, value, entity_id)


def _values(items: Iterable[blind.Item]) -> dict[str, set[str]]:
    values: dict[str, set[str]] = defaultdict(set)
    for item in items:
        values[item.kind].add(item.value)
    return values


def _manifest(run: Run, *, with_filters: bool = True) -> tuple[bytes, Mapping[str, bytes]]:
    """The manifest as it was verified on arrival, and the filters it names."""
    payload = dsse.parse(bytes(run.manifest.manifest)).payload
    return payload, files.read_filters(blind.Manifest.parse(payload)) if with_filters else {}


def _require_usable(met: Iterable[blind.Hit], matches: Mapping[str, tuple[str, ...]]) -> None:
    if {hit.locator.hex() for hit in met} != matches.keys():
        raise UnusableAnswerError("The answer discloses other matches than it proves. Tell the partner.")
    if sum(len(matches[hit.locator.hex()]) for hit in met) > MAX_HITS:
        raise UnusableAnswerError(f"More than {MAX_HITS} hits: ask kind by kind, or about fewer inputs.")


def _hits(run: Run, met: Iterable[blind.Hit], answer: AnswerMessage, now: datetime) -> Iterator[Hit]:
    """One hit for each pair of our entity and the partner's, with all selectors that the two share."""
    matches, disclosures = answer.matches or {}, answer.disclosures or {}
    pairs: dict[_Pair, list[list[str]]] = defaultdict(list)
    for hit in met:
        for reference in matches[hit.locator.hex()]:
            pairs[_Pair(hit.ref, reference)].append([hit.kind, hit.value])
    ours = _our_entities(run, {pair.our_id for pair in pairs})
    revealed = {reference: disclosed.to_json() for reference, disclosed in disclosures.items()}
    for pair, selectors in sorted(pairs.items()):
        entity = ours.get(pair.our_id) or Entity(pair.our_id, "Thing", {})
        yield Hit(
            hit_id=uuid4().hex,
            run_id=run.pk,
            our_id=pair.our_id,
            our_caption=entity.caption[:500],
            our_entity=entity.to_json(),
            partner_reference=pair.reference,
            selectors=selectors,
            disclosure=revealed[pair.reference],
            found_at=now,
        )


def _our_entities(run: Run, wanted: set[str]) -> dict[str, Entity]:
    """Our side of the hits. What was removed or protected since it was asked about is shown by its id alone."""
    if run.inputs != SUBJECTS:
        return holdings.entities(run.inputs, wanted)
    return {entity.id: entity for entity in cases.entities(run.case_id) if entity.id in wanted}


def _announce(run: Run, hits: int, now: datetime) -> None:
    text = f"Blind match with {run.partner}: {hits} hits" if hits else f"Blind match with {run.partner}: no hit"
    case_actions.record(run.case_id, kind=EventKind.RUN, text=text, link=_link(run), officer=None, now=now)
    audit(None, "run.done", run.run_id, now=now, detail={"hits": hits})
    if hits:
        _task(run, f"{hits} hits with {run.partner} wait for judgement", cases.members(run.case_id), now)


def _task(run: Run, title: str, officers: Iterable[int], now: datetime) -> None:
    add_task(key=f"run:{run.run_id}", title=title, link=_link(run), role=None, officers=sorted(officers), now=now)


def _send(run: Run, payload_type: str, payload: bytes, in_reply_to: str, now: datetime) -> None:
    exchange.send(
        recipient=run.partner,
        payload_type=payload_type,
        payload=payload,
        case_reference=run.case_id,
        purpose=run.purpose,
        legal_basis=run.legal_basis,
        in_reply_to=in_reply_to,
        message_id=message_id(payload_type, run.run_id, directory.own_code(), run.partner),
        fields={"run": run.run_id},
        now=now,
    )


def _link(run: Run) -> str:
    return f"/runs/{run.run_id}/"
