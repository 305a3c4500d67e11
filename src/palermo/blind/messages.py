"""The four messages of a run: request, evaluation, confirm, answer. Strict, bounded, each naming the one before it.

Each ``parse`` refuses an unknown version, any excess, and what does not re-encode to the same bytes; group elements
are checked to be points other than the identity where they arrive, never repaired.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple, Self, TypeVar

from palermo.blind import group, voprf
from palermo.blind.errors import GroupError, MalformedError
from palermo.blind.group import Point
from palermo.blind.items import is_bucket, is_kind, is_name
from palermo.blind.manifest import DIGEST_BYTES
from palermo.blind.tokens import LOCATOR_BYTES
from palermo.blind.transcript import MAC_BYTES
from palermo.blind.wire import Reader, counted, prefixed, prefixed_all

MAX_ELEMENTS = 2**20
"""Most blinded elements of one kind in one run; larger questions are split into runs."""
MAX_KINDS = 64
PROOF_BATCH = 2**15
"""Elements under one proof (RFC 9497 allows fewer than 2^16)."""
MAX_BYTES = 2**28

_REQUEST = b"palermo-blind-request-v1\n"
_EVALUATION = b"palermo-blind-evaluation-v1\n"
_CONFIRM = b"palermo-blind-confirm-v1\n"
_ANSWER = b"palermo-blind-answer-v1\n"
NONE = bytes(MAC_BYTES + 1)
"""The entry of an answer that says: not held."""


def digest(message: bytes) -> bytes:
    """SHA-256 of a message: how the next one names it."""
    return hashlib.sha256(message).digest()


def proof_batches(elements: int) -> list[slice]:
    """The slices of ``elements`` elements that share a proof."""
    return [slice(start, start + PROOF_BATCH) for start in range(0, elements, PROOF_BATCH)]


class RequestBatch(NamedTuple):
    """The blinded elements of one kind: shuffled, padded with dummies to a bucket."""

    kind: str
    elements: list[Point]


class Request(NamedTuple):
    """Step 1, querier to holder."""

    run_id: str
    querier: str
    holder: str
    manifest_digest: bytes
    case_reference: str
    legal_basis: str
    commitment_root: bytes
    batches: list[RequestBatch]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        head = prefixed_all(self.run_id, self.querier, self.holder, self.case_reference, self.legal_basis)
        batches = (prefixed_all(batch.kind) + counted(batch.elements) for batch in self.batches)
        return _REQUEST + head + self.manifest_digest + self.commitment_root + counted(batches)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("request", data, _REQUEST, MAX_BYTES)
        run_id, querier, holder, case_reference, legal_basis = names = [reader.text() for _ in range(5)]
        if not all(map(is_name, names)):
            raise reader.error("a name in it is empty, too long or not printable")
        manifest_digest, commitment_root = reader.take(DIGEST_BYTES), reader.take(DIGEST_BYTES)
        batches = _batches(reader, lambda: RequestBatch(_kind(reader), _elements(reader)))
        request = cls(run_id, querier, holder, manifest_digest, case_reference, legal_basis, commitment_root, batches)
        _require_canonical("request", data, request.to_bytes())
        return request


class EvaluationBatch(NamedTuple):
    """The evaluated elements of one kind, in the request's order, and a proof for each of :func:`proof_batches`."""

    kind: str
    elements: list[Point]
    proofs: list[bytes]


class Evaluation(NamedTuple):
    """Step 2, holder to querier."""

    run_id: str
    request_digest: bytes
    batches: list[EvaluationBatch]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        batches = (prefixed_all(batch.kind) + counted(batch.elements) + counted(batch.proofs) for batch in self.batches)
        return _EVALUATION + prefixed_all(self.run_id) + self.request_digest + counted(batches)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("evaluation", data, _EVALUATION, MAX_BYTES)
        run_id, request_digest = reader.text(), reader.take(DIGEST_BYTES)
        batches = _batches(
            reader, lambda: EvaluationBatch(_kind(reader), _elements(reader), reader.chunks(voprf.PROOF_BYTES))
        )
        if any(len(batch.proofs) != len(proof_batches(len(batch.elements))) for batch in batches):
            raise reader.error("it has not one proof for each batch of elements")
        evaluation = cls(run_id, request_digest, batches)
        _require_canonical("evaluation", data, evaluation.to_bytes())
        return evaluation


class Confirm(NamedTuple):
    """Step 4, querier to holder: (locator, MAC) pairs sorted by locator, padded with random ones to a bucket."""

    run_id: str
    evaluation_digest: bytes
    entries: list[tuple[bytes, bytes]]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return (
            _CONFIRM + prefixed(self.run_id.encode()) + self.evaluation_digest + counted(a + b for a, b in self.entries)
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("confirm", data, _CONFIRM, MAX_BYTES)
        run_id, evaluation_digest = reader.text(), reader.take(DIGEST_BYTES)
        pairs = reader.chunks(LOCATOR_BYTES + MAC_BYTES)
        reader.finish()
        entries = [(pair[:LOCATOR_BYTES], pair[LOCATOR_BYTES:]) for pair in pairs]
        locators = [locator for locator, _ in entries]
        if not is_bucket(len(entries)) or locators != sorted(set(locators)):
            raise reader.error("its locators are not sorted, distinct and padded to a bucket")
        confirm = cls(run_id, evaluation_digest, entries)
        _require_canonical("confirm", data, confirm.to_bytes())
        return confirm


class Answer(NamedTuple):
    """Step 5, holder to querier: a MAC or None for each entry of the confirm, in its order."""

    run_id: str
    confirm_digest: bytes
    macs: list[bytes | None]

    def to_bytes(self) -> bytes:
        """The one encoding: every entry has the same length, so that the size does not count the hits."""
        entries = (NONE if mac is None else b"\x01" + mac for mac in self.macs)
        return _ANSWER + prefixed(self.run_id.encode()) + self.confirm_digest + counted(entries)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("answer", data, _ANSWER, MAX_BYTES)
        run_id, confirm_digest = reader.text(), reader.take(DIGEST_BYTES)
        entries = reader.chunks(MAC_BYTES + 1)
        reader.finish()
        if any(entry != NONE and entry[0] != 1 for entry in entries):
            raise reader.error("an entry is neither a MAC nor none")
        answer = cls(run_id, confirm_digest, [None if entry == NONE else entry[1:] for entry in entries])
        _require_canonical("answer", data, answer.to_bytes())
        return answer


_Batch = TypeVar("_Batch", RequestBatch, EvaluationBatch)


def _batches(reader: Reader, read: Callable[[], _Batch]) -> list[_Batch]:
    """The counted batches that end a message, their kinds sorted and distinct."""
    count = reader.integer(4)
    if count > MAX_KINDS:
        raise reader.error(f"{count} kinds are more than {MAX_KINDS}")
    batches = [read() for _ in range(count)]
    kinds = [batch.kind for batch in batches]
    if kinds != sorted(set(kinds)):
        raise reader.error("its kinds are not sorted and distinct")
    reader.finish()
    return batches


def _kind(reader: Reader) -> str:
    kind = reader.text()
    if not is_kind(kind):
        raise reader.error("a kind has no usable name")
    return kind


def _elements(reader: Reader) -> list[Point]:
    elements = reader.chunks(group.POINT_BYTES)
    if len(elements) > MAX_ELEMENTS or not is_bucket(len(elements)):
        raise reader.error(f"{len(elements)} elements are no bucket up to {MAX_ELEMENTS}")
    try:
        return group.require_points(elements)
    except GroupError as error:
        raise reader.error(str(error)) from error


def _require_canonical(what: str, data: bytes, encoded: bytes) -> None:
    if data != encoded:
        raise MalformedError(what, "its encoding is not canonical")


def total_elements(batches: Iterable[RequestBatch]) -> int:
    """How many elements a request asks for, padding included: what a budget counts."""
    return sum(len(batch.elements) for batch in batches)
