"""What crosses between two nodes in a blind match: canonical JSON around the blind library's own messages.

Read strictly: the exact keys, the exact types, bounded lengths, and the bytes must be the one canonical encoding.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Self, TypeVar

from palermo.sealing.envelope import MAX_PAYLOAD_BYTES
from palermo.subjects.entities import Entity, EntityError

MANIFEST = "palermo/matching.manifest+v1"
RUN = "palermo/matching.run+v1"
EVALUATION = "palermo/matching.evaluation+v1"
CONFIRM = "palermo/matching.confirm+v1"
ANSWER = "palermo/matching.answer+v1"

MAX_ELEMENTS = 2**20
MAX_TEXT = 2000
MAX_ENTITY = 2**20
_REFERENCE = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LOCATOR = re.compile(r"[0-9a-f]{32}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")


class MessageError(Exception):
    """A payload is not what its type says; `fault` names the rule it breaks."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"{fault}; send it again in the form of the protocol")


@dataclass(frozen=True, slots=True)
class ManifestMessage:
    """Step 0: the signed manifest, the same bytes for every partner of the tier, and the filters by kind."""

    manifest: bytes
    filters: Mapping[str, bytes]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        filters = {kind: _base64(data) for kind, data in self.filters.items()}
        return _canonical({"filters": filters, "manifest": _base64(self.manifest)})

    @classmethod
    def from_bytes(cls, data: bytes) -> "ManifestMessage":
        """Read strictly. Raises `MessageError`."""
        document = _read(data, {"filters", "manifest"})
        filters = {_fit(_KIND, kind): _bytes(text) for kind, text in _object(document["filters"]).items()}
        return _same(cls(_bytes(document["manifest"]), filters), data)


@dataclass(frozen=True, slots=True)
class RunMessage:
    """Step 1: the blind request, who asks and on what basis, and the elements by kind that the budget is charged."""

    run_id: str
    manifest_digest: str
    legal_basis: str
    officer: str
    elements: Mapping[str, int]
    request: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return _canonical(
            {
                "elements": dict(self.elements),
                "legal_basis": self.legal_basis,
                "manifest_digest": self.manifest_digest,
                "officer": self.officer,
                "request": _base64(self.request),
                "run_id": self.run_id,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "RunMessage":
        """Read strictly. Raises `MessageError`."""
        document = _read(data, {"elements", "legal_basis", "manifest_digest", "officer", "request", "run_id"})
        elements = {_fit(_KIND, kind): _count(number) for kind, number in _object(document["elements"]).items()}
        message = cls(
            run_id=_fit(_REFERENCE, document["run_id"]),
            manifest_digest=_fit(_DIGEST, document["manifest_digest"]),
            legal_basis=_text(document["legal_basis"], 200),
            officer=_text(document["officer"], 200),
            elements=elements,
            request=_bytes(document["request"]),
        )
        return _same(message, data)


@dataclass(frozen=True, slots=True)
class EvaluationMessage:
    """Step 2: the evaluation, or the reason why there is none."""

    run_id: str
    evaluation: bytes = b""
    refusal: str = ""

    def to_bytes(self) -> bytes:
        """The one encoding."""
        evaluation = _base64(self.evaluation)
        return _canonical({"evaluation": evaluation, "refusal": self.refusal, "run_id": self.run_id})

    @classmethod
    def from_bytes(cls, data: bytes) -> "EvaluationMessage":
        """Read strictly. Raises `MessageError`."""
        document = _read(data, {"evaluation", "refusal", "run_id"})
        message = cls(
            _fit(_REFERENCE, document["run_id"]), _bytes(document["evaluation"]), _text(document["refusal"], MAX_TEXT)
        )
        if bool(message.evaluation) == bool(message.refusal):
            _refuse("exactly one of evaluation and refusal must be given")
        return _same(message, data)


@dataclass(frozen=True, slots=True)
class ConfirmMessage:
    """Step 4: the padded locators and MACs."""

    run_id: str
    confirm: bytes

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return _canonical({"confirm": _base64(self.confirm), "run_id": self.run_id})

    @classmethod
    def from_bytes(cls, data: bytes) -> "ConfirmMessage":
        """Read strictly. Raises `MessageError`."""
        document = _read(data, {"confirm", "run_id"})
        return _same(cls(_fit(_REFERENCE, document["run_id"]), _bytes(document["confirm"])), data)


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What one hit reference reveals: whom to ask, under which marks, and the entity if the holding reveals data."""

    reveals: str
    contact_point: str
    handling_code: str
    tlp: str
    caveats: str
    entity: Entity | None

    def to_json(self) -> dict[str, str]:
        """As it stands in a message and in a hit; the entity as its line of JSON, or empty."""
        return {
            "caveats": self.caveats,
            "contact_point": self.contact_point,
            "entity": self.entity.to_json() if self.entity else "",
            "handling_code": self.handling_code,
            "reveals": self.reveals,
            "tlp": self.tlp,
        }

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read strictly. Raises `MessageError`."""
        if not isinstance(document, dict) or document.keys() != set(cls.__slots__):
            _refuse("a disclosure has keys missing or unknown")
        line = document["entity"]
        try:
            entity = _entity(line) if line else None
        except (EntityError, TypeError, AttributeError) as error:
            raise MessageError(f"a disclosed entity cannot be read: {error}") from error
        texts = {key: _text(document[key], MAX_TEXT) for key in cls.__slots__ if key != "entity"}
        if texts["reveals"] not in ("existence", "data") or (texts["reveals"] == "data") != (entity is not None):
            _refuse("a disclosure reveals neither existence nor data")
        return cls(**texts, entity=entity)


@dataclass(frozen=True, slots=True)
class AnswerMessage:
    """Step 5: the holder's MACs; by locator (hex) what it met, by reference what that reveals. Or a refusal."""

    run_id: str
    answer: bytes = b""
    matches: Mapping[str, tuple[str, ...]] | None = None
    disclosures: Mapping[str, Disclosed] | None = None
    refusal: str = ""

    def to_bytes(self) -> bytes:
        """The one encoding."""
        return _canonical(
            {
                "answer": _base64(self.answer),
                "disclosures": {key: disclosed.to_json() for key, disclosed in (self.disclosures or {}).items()},
                "matches": {locator: list(references) for locator, references in (self.matches or {}).items()},
                "refusal": self.refusal,
                "run_id": self.run_id,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "AnswerMessage":
        """Read strictly. Raises `MessageError`."""
        document = _read(data, {"answer", "disclosures", "matches", "refusal", "run_id"})
        disclosures = {
            _fit(_REFERENCE, key): Disclosed.from_json(value) for key, value in _object(document["disclosures"]).items()
        }
        matches = {_fit(_LOCATOR, key): _references(value) for key, value in _object(document["matches"]).items()}
        if {reference for listed in matches.values() for reference in listed} != disclosures.keys():
            _refuse("the references matched are not those disclosed")
        run_id, refusal = _fit(_REFERENCE, document["run_id"]), _text(document["refusal"], MAX_TEXT)
        message = cls(run_id, _bytes(document["answer"]), matches, disclosures, refusal)
        if bool(message.answer) == bool(refusal) or (refusal and matches):
            _refuse("exactly one of answer and refusal must be given")
        return _same(message, data)


_Message = TypeVar("_Message", ManifestMessage, RunMessage, EvaluationMessage, ConfirmMessage, AnswerMessage)


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _read(data: bytes, keys: set[str]) -> dict[str, Any]:
    if len(data) > MAX_PAYLOAD_BYTES:
        _refuse(f"{len(data)} bytes are more than the {MAX_PAYLOAD_BYTES} allowed")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageError("the payload is not JSON") from error
    if not isinstance(document, dict) or document.keys() != keys:
        _refuse("the payload has keys missing or unknown")
    return document


def _same(message: _Message, data: bytes) -> _Message:
    try:
        encoded = message.to_bytes()
    except UnicodeEncodeError as error:
        raise MessageError("a text holds half of a surrogate pair") from error
    if encoded != data:
        _refuse("the payload is not in its canonical encoding")
    return message


def _refuse(fault: str) -> NoReturn:
    raise MessageError(fault)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise MessageError("a field is not base64") from error


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse("a field is not an object")
    return value


def _fit(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        _refuse("an id, digest or kind has another form")
    return value


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        _refuse(f"a text is longer than {limit} characters, holds a NUL, or is none")
    return value


def _entity(line: Any) -> Entity:
    """A disclosed entity; bounded, and without what no database can keep."""
    if "\\u0000" in line or len(line) > MAX_ENTITY:
        _refuse(f"a disclosed entity is longer than {MAX_ENTITY} characters, or holds a NUL")
    return Entity.from_json(line)


def _count(value: Any) -> int:
    if type(value) is not int or not 0 < value <= MAX_ELEMENTS:
        _refuse(f"a count does not lie between 1 and {MAX_ELEMENTS}")
    return value


def _references(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        _refuse("a match names no reference")
    references = tuple(_fit(_REFERENCE, reference) for reference in value)
    if list(references) != sorted(set(references)):
        _refuse("the references of a match are not sorted and distinct")
    return references
