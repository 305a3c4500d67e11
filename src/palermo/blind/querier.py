"""The querier's side of a run: start, finalize, conclude, each once and in this order.

Its bytes (:meth:`Querier.to_bytes`) let a run survive a crash between any two steps: store them together with the
message that the step made. They hold the question in clear until :meth:`Querier.finalize`, and the keys of its
positives until :meth:`Querier.conclude`: keep them as closely as the case. Each step repeated from the same bytes
gives the same message.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from palermo.blind import commitments, group, keys, messages, tokens, voprf
from palermo.blind.errors import AnswerError, InputError, ManifestError, MismatchError, ProofError, RunStateError
from palermo.blind.filters import Filter
from palermo.blind.group import Point, Random, Scalar
from palermo.blind.items import Item, bucket, by_kind, require_names
from palermo.blind.manifest import Manifest
from palermo.blind.messages import Answer, Confirm, Evaluation, EvaluationBatch, Request, RequestBatch
from palermo.blind.publication import filter_columns, open_filters
from palermo.blind.querier_run import Asked, Positive, QuerierRun, Stage
from palermo.blind.tokens import Token
from palermo.blind.transcript import MAC_BYTES, Transcript


class Hit(NamedTuple):
    """A value that both hold: both MACs verified. ``ref`` is the querier's own; ``locator`` names it to the holder."""

    kind: str
    value: str
    ref: str
    locator: bytes


class Opening(NamedTuple):
    """One leaf of the commitment root, opened: that element of the request asks for ``value``."""

    element: int
    salt: bytes
    kind: str
    value: str


class Querier:
    """One run as its querier sees it. Make it with :meth:`start` or :meth:`from_bytes`."""

    def __init__(self, run: QuerierRun, manifest: Manifest, filters: Mapping[str, Filter]) -> None:
        """Wrap a run's state; ``filters`` are needed until :meth:`finalize`."""
        self._run = run
        self._manifest = manifest
        self._filters = filters

    @classmethod
    def start(
        cls,
        *,
        run_id: str,
        querier: str,
        manifest: bytes,
        filters: Mapping[str, bytes],
        case_reference: str,
        legal_basis: str,
        items: Iterable[Item],
        now: datetime,
        rng: Random,
    ) -> tuple[Self, bytes]:
        """Step 1: the run and its request. ``manifest`` has been verified under the holder's signature by the caller.

        Every kind of the manifest is asked for, if only with dummies; items of other kinds are left out (the holder
        publishes none). Raises :class:`ManifestError` when it is out of date or the filters are not its own.
        """
        require_names({"run id": run_id, "querier": querier, "case": case_reference, "legal basis": legal_basis})
        published = Manifest.parse(manifest)
        published.require_current(now)
        opened = open_filters(published, filters)
        values = by_kind(items)
        kinds = [entry.kind for entry in published.kinds]
        asked = {kind: _asked(kind, list(values.get(kind, ())), rng) for kind in kinds}
        secret = rng(commitments.SECRET_BYTES)
        everything = [one for kind in kinds for one in asked[kind]]
        request = Request(
            run_id=run_id,
            querier=querier,
            holder=published.holder,
            manifest_digest=published.digest,
            case_reference=case_reference,
            legal_basis=legal_basis,
            commitment_root=commitments.query_root(secret, ((one.kind, one.value) for one in everything)),
            batches=[RequestBatch(kind, _blinded(asked[kind], rng)) for kind in kinds],
        )
        refs = {(kind, value): listed for kind in kinds for value, listed in values.get(kind, {}).items()}
        run = QuerierRun(Stage.REQUESTED, secret, request.to_bytes(), everything, refs, b"", b"", [])
        return cls(run, published, opened), run.request

    @property
    def stage(self) -> Stage:
        """How far the run has come."""
        return self._run.stage

    @property
    def positives(self) -> list[tuple[str, str]]:
        """(kind, value) of what passed the filter and waits for the holder's answer."""
        return [(one.kind, one.value) for one in self._run.positives]

    def openings(self) -> list[Opening]:
        """What shows an auditor which value each element of the request asked for; until :meth:`finalize`."""
        self._require(Stage.REQUESTED)
        return [
            Opening(index, commitments.query_salt(self._run.secret, index), one.kind, one.value)
            for index, one in enumerate(self._run.asked)
            if one.value
        ]

    def finalize(self, evaluation: bytes) -> bytes:
        """Steps 3 and 4: verify each proof under the manifest's keys, unblind, look up locally; the confirm to send.

        What is absent from the filters is dropped here and never mentioned again. Raises :class:`ProofError`,
        :class:`MalformedError`, :class:`MismatchError` or :class:`RunStateError`.
        """
        self._require(Stage.REQUESTED)
        request = Request.parse(self._run.request)
        returned = Evaluation.parse(evaluation)
        _require_evaluation_of(request, messages.digest(self._run.request), returned)
        evaluation_digest = messages.digest(evaluation)
        found = self._look_up(request, returned)
        transcript = _transcript(request, evaluation_digest)
        confirm = Confirm(request.run_id, evaluation_digest, _entries(found, transcript, self._run.secret)).to_bytes()
        positives = [
            Positive(one.kind, one.value, tokens.locator(of, request.manifest_digest), tokens.holder_key(of))
            for one, of in found
        ]
        refs = {(one.kind, one.value): self._run.refs[one.kind, one.value] for one in positives}
        head = request._replace(batches=[]).to_bytes()
        self._run = QuerierRun(Stage.CONFIRMING, b"", head, [], refs, evaluation_digest, confirm, positives)
        return confirm

    def conclude(self, answer: bytes) -> list[Hit]:
        """Step 6: the values whose two MACs both verified, sorted.

        Raises :class:`AnswerError` if the holder claims a locator with a MAC that does not verify, or a dummy.
        """
        self._require(Stage.CONFIRMING)
        request, named = Request.parse(self._run.request), Confirm.parse(self._run.confirm)
        given = Answer.parse(answer)
        if given.run_id != request.run_id or given.confirm_digest != messages.digest(self._run.confirm):
            raise MismatchError("the answer belongs to another run or confirm; refuse it")
        if len(given.macs) != len(named.entries):
            raise MismatchError("the answer has not one entry for each locator; refuse it")
        transcript = _transcript(request, self._run.evaluation_digest)
        waiting = {one.locator: one for one in self._run.positives}
        hits = []
        for (locator, _), mac in zip(named.entries, given.macs, strict=True):
            if mac is None:
                continue
            positive = waiting.get(locator)
            if positive is None or not transcript.verifies(positive.holder_key, mac):
                raise AnswerError("the holder confirms a locator with a MAC that does not verify; refuse the answer")
            refs = self._run.refs[positive.kind, positive.value]
            hits += [Hit(positive.kind, positive.value, ref, locator) for ref in refs]
        self._run = QuerierRun(Stage.CONCLUDED, b"", self._run.request, [], {}, b"", b"", [])
        return sorted(hits)

    def to_bytes(self) -> bytes:
        """The run's state, with its secrets, for storage."""
        return self._run.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, *, manifest: bytes, filters: Mapping[str, bytes]) -> Self:
        """Resume a stored run under the manifest and filters it was started with."""
        run = QuerierRun.parse(data)
        published = Manifest.parse(manifest)
        if Request.parse(run.request).manifest_digest != published.digest:
            raise ManifestError("the run was started under another manifest; resume it with that one")
        return cls(run, published, open_filters(published, filters) if run.stage is Stage.REQUESTED else {})

    def _require(self, stage: Stage) -> None:
        if self._run.stage is not stage:
            raise RunStateError(
                f"the run is {self._run.stage.name.lower()}, not {stage.name.lower()}; take each step once, in order"
            )

    def _look_up(self, request: Request, returned: Evaluation) -> list[tuple[Asked, Token]]:
        """Verify each kind, then unblind and ask the filter; the elements that passed, with their tokens."""
        for asked, evaluated in zip(request.batches, returned.batches, strict=True):
            _verify(self._manifest.entry(asked.kind).public_key, asked, evaluated)
        found, start = [], 0
        for evaluated in returned.batches:
            ours = self._run.asked[start : start + len(evaluated.elements)]
            start += len(evaluated.elements)
            found += _positives(ours, evaluated, self._filters[evaluated.kind])
        return found


def _asked(kind: str, values: Sequence[str], rng: Random) -> list[Asked]:
    """The values of one kind under fresh blinds, with dummies up to the bucket, in random order."""
    size = bucket(len(values))
    if size > messages.MAX_ELEMENTS:
        raise InputError(f"{len(values)} values of {kind} are too many for one run; split them into several runs")
    listed = [Asked(kind, value, group.random_scalar(rng)) for value in values]
    listed += [Asked(kind, "", b"")] * (size - len(values))
    order = sorted(range(size), key=[rng(16) for _ in range(size)].__getitem__)
    return [listed[index] for index in order]


def _blinded(asked: Sequence[Asked], rng: Random) -> list[Point]:
    """The elements that cross: blinded inputs, and for dummies random points, which are distributed alike."""
    real = [one for one in asked if one.value]
    blinded = iter(voprf.blind(_inputs(real), [Scalar(one.blind) for one in real]))
    dummies = iter(group.random_points(len(asked) - len(real), rng))
    return [next(blinded if one.value else dummies) for one in asked]


def _inputs(asked: Sequence[Asked]) -> list[bytes]:
    return [keys.oprf_input(one.kind, one.value) for one in asked]


def _require_evaluation_of(request: Request, request_digest: bytes, returned: Evaluation) -> None:
    if returned.run_id != request.run_id or returned.request_digest != request_digest:
        raise MismatchError("the evaluation belongs to another run or request; refuse it")
    shape = [(batch.kind, len(batch.elements)) for batch in request.batches]
    if shape != [(batch.kind, len(batch.elements)) for batch in returned.batches]:
        raise MismatchError("the evaluation has not one element for each element of the request; refuse it")


def _verify(public_key: Point, asked: RequestBatch, evaluated: EvaluationBatch) -> None:
    for part, proof in zip(messages.proof_batches(len(asked.elements)), evaluated.proofs, strict=True):
        try:
            voprf.verify(public_key, asked.elements[part], evaluated.elements[part], proof)
        except ProofError as error:
            raise ProofError(f"{asked.kind}: {error}") from error


def _positives(ours: Sequence[Asked], evaluated: EvaluationBatch, filter_: Filter) -> list[tuple[Asked, Token]]:
    real = [(one, element) for one, element in zip(ours, evaluated.elements, strict=True) if one.value]
    asked = [one for one, _ in real]
    outputs = voprf.finalize(_inputs(asked), [Scalar(one.blind) for one in asked], [element for _, element in real])
    made = [tokens.token(output) for output in outputs]
    passed = filter_.contains(*filter_columns(made)).tolist()
    return [(one, of) for one, of, hit in zip(asked, made, passed, strict=True) if hit]


def _transcript(request: Request, evaluation_digest: bytes) -> Transcript:
    return Transcript(
        request.run_id,
        request.querier,
        request.holder,
        request.manifest_digest,
        request.commitment_root,
        evaluation_digest,
    )


def _entries(found: Sequence[tuple[Asked, Token]], transcript: Transcript, secret: bytes) -> list[tuple[bytes, bytes]]:
    """(locator, MAC) of the positives among random ones up to the bucket, sorted.

    The padding is drawn from the run's secret: the same evaluation gives the same confirm, also after a crash.
    """
    entries = [
        (tokens.locator(of, transcript.manifest_digest), transcript.mac(tokens.querier_key(of))) for _, of in found
    ]
    for index in range(bucket(len(entries)) - len(entries)):
        drawn = hmac.digest(secret, b"confirm padding" + index.to_bytes(4), "sha512")
        entries.append((drawn[: tokens.LOCATOR_BYTES], drawn[-MAC_BYTES:]))
    return sorted(entries)
