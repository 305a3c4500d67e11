"""Re-derive every request from its signed bytes: what stands in the columns must be what was sent and received."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from palermo.node.evidence import queries as evidence
from palermo.node.exchange import queries as exchange
from palermo.node.office.errors import NotFoundError
from palermo.node.requests import dossier
from palermo.node.requests.messages import AnswerMessage, RequestMessage
from palermo.node.requests.models import Answer, Request
from palermo.node.requests.states import Direction, State
from palermo.node.requests.types.form import hit_ids
from palermo.sealing import records
from palermo.sealing.errors import FormatError

_ANSWER_FIELDS = ("number", "outcome", "ground", "reasons", "consultation", "conditions", "consent", "answered_by")


@dataclass(frozen=True, slots=True)
class Fault:
    """A stored request or answer that says something else than its signed bytes."""

    what: str
    where: str
    detail: str


def check() -> list[Fault]:
    """Every request and answer that differs from its bytes, named. For the node, not a person."""
    sent = Request.objects.exclude(message_id="").order_by("pk").prefetch_related("answers")
    return [fault for request in sent.iterator(chunk_size=200) for fault in _faults(request)]


def _is_what_travelled(payload: bytes, message_id: str) -> bool:
    """Whether kept bytes are still those of the message; where that is damaged itself, the exchange says so."""
    try:
        return exchange.payload_digest(message_id) in ("", hashlib.sha256(payload).hexdigest())
    except NotFoundError:
        return False


def _faults(request: Request) -> Iterator[Fault]:
    if not _is_what_travelled(bytes(request.payload), request.message_id):
        yield Fault("request", request.reference, "its bytes are not those of the message that carried them")
        return
    try:
        said = RequestMessage.from_bytes(bytes(request.payload))
    except FormatError as error:
        yield Fault("request", request.reference, f"its bytes are no request any more: {error}")
        return
    hits_field = dossier.type_of(request).cites_hits
    facts = {name: value for name, value in request.facts.items() if value and name != hits_field}
    if (said.reference, said.type, {fact.name: fact.value for fact in said.facts if fact.value}) != (
        request.reference,
        request.type,
        facts,
    ) or len(said.hits) != len(hit_ids(request.facts.get(hits_field, ""))):
        yield Fault("request", request.reference, "its columns are not what its bytes say")
    cited = list(request.cited.order_by("pk").values_list("reference", flat=True))
    if request.direction == Direction.OUT and cited != [item.reference for item in said.items]:
        yield Fault("request", request.reference, "it cites other items than its bytes say")
    answers = sorted(request.answers.all(), key=lambda answer: answer.number)
    for answer in answers:
        yield from _answer_faults(request, answer)
    if request.state != State.CLOSED and request.state != derived_state(request, answers):
        yield Fault("request", request.reference, f"it stands as {request.state}, its answers say otherwise")


def derived_state(request: Request, answers: list[Answer]) -> State:
    """Where a request that was sent stands by its signed messages alone; answers in the order of their numbers."""
    standing = [answer for answer in answers if not answer.rejected]
    if standing:
        return State(standing[-1].outcome)
    return State.SENT if request.direction == Direction.OUT else State.RECEIVED


def _answer_faults(request: Request, answer: Answer) -> Iterator[Fault]:
    where = f"{request.reference} answer {answer.number}"
    erased = evidence.package_destroyed(answer.package_reference)
    if not erased and not _is_what_travelled(bytes(answer.payload), answer.message_id):
        yield Fault("answer", where, "its bytes are not those of the message that carried them")
        return
    try:
        said = AnswerMessage.from_bytes(bytes(answer.payload))
    except FormatError as error:
        yield Fault("answer", where, f"its bytes are no answer any more: {error}")
        return
    differ = [name for name in _ANSWER_FIELDS if getattr(said, name) != getattr(answer, name)]
    carried = bool(said.package) or said.file is not None
    if said.reference != request.reference or (not erased and carried != bool(answer.package_reference)):
        differ.append("reference or package")
    if [records.to_json(item) for item in said.items] != answer.items:
        differ.append("items")
    if differ:
        yield Fault("answer", where, f"its bytes say otherwise: {', '.join(differ)}")
