"""The holder's side of a run: two stateless functions over bytes that its caller stores.

The caller (a node) authenticates the querier, calls :func:`evaluate` with an ``authorise`` callback that checks tier,
budget and legal basis and writes its ledger, stores the run's state, and later calls :func:`confirm`. It keeps
(querier, run id) unique, and stores the new state together with the answer: then a run is single-use across crashes.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Self

from palermo.blind import group, keys, messages, voprf
from palermo.blind.errors import ManifestError, MismatchError, RunStateError
from palermo.blind.group import Random
from palermo.blind.items import bucket
from palermo.blind.manifest import DIGEST_BYTES, Manifest
from palermo.blind.messages import Answer, Confirm, Evaluation, EvaluationBatch, Request, RequestBatch
from palermo.blind.publication import Publication
from palermo.blind.transcript import Transcript
from palermo.blind.voprf import KeyPair
from palermo.blind.wire import Reader, prefixed_all

_STATE = b"palermo-blind-holder-run-v1\n"
_MAX_STATE_BYTES = 4096
_UNSPENT = bytes(DIGEST_BYTES)


class RunSummary(NamedTuple):
    """What a holder learns from a request, for its checks and its ledger; ``elements`` counts padding too."""

    run_id: str
    querier: str
    holder: str
    epoch: str
    tier: str
    case_reference: str
    legal_basis: str
    manifest_digest: bytes
    commitment_root: bytes
    request_digest: bytes
    elements: dict[str, int]

    @property
    def total_elements(self) -> int:
        """Elements of all kinds: what a budget is charged."""
        return sum(self.elements.values())


class HolderRun(NamedTuple):
    """What :func:`evaluate` made: ``state`` to store, ``evaluation`` to send, ``summary`` for the ledger."""

    state: bytes
    evaluation: bytes
    summary: RunSummary


class Matched(NamedTuple):
    """One of the holder's own references that the querier holds too."""

    kind: str
    ref: str
    locator: bytes


class Confirmation(NamedTuple):
    """What :func:`confirm` made: ``answer`` to send, ``matched`` for the holder's officers, the spent ``state``."""

    answer: bytes
    matched: list[Matched]
    state: bytes


class _State(NamedTuple):
    """What a holder remembers between its two steps. Nothing in it tells what was asked."""

    transcript: Transcript
    elements: int
    confirm_digest: bytes

    def to_bytes(self) -> bytes:
        return _STATE + prefixed_all(*self.transcript) + self.elements.to_bytes(4) + self.confirm_digest

    @classmethod
    def parse(cls, data: bytes) -> Self:
        reader = Reader("holder's run state", data, _STATE, _MAX_STATE_BYTES)
        transcript = Transcript(
            reader.text(), reader.text(), reader.text(), reader.field(), reader.field(), reader.field()
        )
        state = cls(transcript, reader.integer(4), reader.take(DIGEST_BYTES))
        reader.finish()
        return state


def evaluate(
    *,
    request: bytes,
    seed: bytes,
    publication_manifest: bytes,
    querier: str,
    now: datetime,
    authorise: Callable[[RunSummary], None],
    rng: Random,
) -> HolderRun:
    """Step 2: check, authorise, evaluate every element under its kind's key, prove it.

    ``querier`` is the sender as the exchange authenticated it. ``authorise`` is called after all checks and before any
    evaluation; it refuses (tier, budget, legal basis) by raising. Raises :class:`BlindError` otherwise.
    """
    asked = Request.parse(request)
    manifest = Manifest.parse(publication_manifest)
    manifest.require_current(now)
    _require_match(asked, manifest, querier)
    run_keys = [_published_key(seed, manifest, batch.kind) for batch in asked.batches]
    summary = _summary(asked, manifest, request)
    authorise(summary)
    batches = [_evaluate_batch(key, batch, rng) for key, batch in zip(run_keys, asked.batches, strict=True)]
    evaluation = Evaluation(asked.run_id, summary.request_digest, batches).to_bytes()
    transcript = Transcript(
        asked.run_id, querier, manifest.holder, manifest.digest, asked.commitment_root, messages.digest(evaluation)
    )
    state = _State(transcript, summary.total_elements, _UNSPENT)
    return HolderRun(state.to_bytes(), evaluation, summary)


def confirm(*, run_state: bytes, confirm: bytes, publication: Publication) -> Confirmation:
    """Step 5: find each locator, check the querier's MAC, answer with the holder's MAC or none; forget the rest.

    The same confirm again gets the same answer (a redelivery); a different one is refused with :class:`RunStateError`.
    """
    state = _State.parse(run_state)
    named = Confirm.parse(confirm)
    _require_confirmable(state, named, messages.digest(confirm), publication)
    macs: list[bytes | None] = []
    matched: list[Matched] = []
    for locator, mac in named.entries:
        found = publication.find(locator)
        if found is None or not state.transcript.verifies(found[1].querier_key, mac):
            macs.append(None)
            continue
        kind, record = found
        macs.append(state.transcript.mac(record.holder_key))
        matched += [Matched(kind, ref, locator) for ref in record.refs]
    spent = state._replace(confirm_digest=messages.digest(confirm))
    return Confirmation(Answer(named.run_id, spent.confirm_digest, macs).to_bytes(), matched, spent.to_bytes())


def _require_match(asked: Request, manifest: Manifest, querier: str) -> None:
    if asked.querier != querier:
        raise MismatchError(f"{querier} sent a request in the name of {asked.querier}; refuse it and tell both")
    if asked.holder != manifest.holder or asked.manifest_digest != manifest.digest:
        raise MismatchError("the request was made for another manifest; send the querier the current one")
    kinds = [batch.kind for batch in asked.batches]
    if kinds != [entry.kind for entry in manifest.kinds]:
        raise MismatchError("the request does not ask for each kind of the manifest, as every request must")


def _require_confirmable(state: _State, named: Confirm, digest: bytes, publication: Publication) -> None:
    if named.run_id != state.transcript.run_id or named.evaluation_digest != state.transcript.evaluation_digest:
        raise MismatchError("the confirm belongs to another run or evaluation; refuse it")
    if publication.manifest_digest != state.transcript.manifest_digest:
        raise MismatchError("the run was made under another publication; load that one")
    if len(named.entries) > bucket(state.elements):
        raise MismatchError("the confirm names more locators than the run asked for; refuse it")
    if state.confirm_digest not in (_UNSPENT, digest):
        raise RunStateError(f"run {named.run_id} was confirmed already with other locators; a run is single-use")


def _published_key(seed: bytes, manifest: Manifest, kind: str) -> KeyPair:
    key = keys.kind_key(seed, holder=manifest.holder, epoch=manifest.epoch, tier=manifest.tier, kind=kind)
    if key.public != manifest.entry(kind).public_key:
        raise ManifestError(f"the seed does not give the manifest's key for {kind}; use the seed of {manifest.epoch}")
    return key


def _evaluate_batch(key: KeyPair, batch: RequestBatch, rng: Random) -> EvaluationBatch:
    evaluated = voprf.blind_evaluate(key, batch.elements)
    proofs = [
        voprf.prove(key, batch.elements[part], evaluated[part], group.random_scalar(rng))
        for part in messages.proof_batches(len(evaluated))
    ]
    return EvaluationBatch(batch.kind, evaluated, proofs)


def _summary(asked: Request, manifest: Manifest, request: bytes) -> RunSummary:
    return RunSummary(
        run_id=asked.run_id,
        querier=asked.querier,
        holder=manifest.holder,
        epoch=manifest.epoch,
        tier=manifest.tier,
        case_reference=asked.case_reference,
        legal_basis=asked.legal_basis,
        manifest_digest=manifest.digest,
        commitment_root=asked.commitment_root,
        request_digest=messages.digest(request),
        elements={batch.kind: len(batch.elements) for batch in asked.batches},
    )
