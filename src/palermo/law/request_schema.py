"""The JSON Schema (2020-12) of a request to be checked, made from the tables of terms, types, clocks and gates."""

from typing import Any

from palermo.law.clocks.table import BINDS, clocks, events
from palermo.law.gates import CONCERNS, DECISIONS, gates
from palermo.law.request_file import KEYS, REQUIRED, SCOPE, VERSION, WEEKDAYS
from palermo.law.request_types import request_types
from palermo.law.terms import Kind, Term, terms

TEXT: dict[str, Any] = {"type": "string"}
DAY: dict[str, Any] = {"type": "string", "format": "date"}
YES_NO: dict[str, Any] = {"type": ["boolean", "null"]}
MOMENT = {"description": "A day, or a time with its offset.", **TEXT}


def _object(properties: dict[str, Any], required: tuple[str, ...] = (), says: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**({"description": says} if says else {}), **found, **({"required": list(required)} if required else {})}


def _term(known: Term) -> dict[str, Any]:
    person = _object({"identity": TEXT, "location": TEXT, "nationality": TEXT}, ("identity",))
    kinds: dict[Kind, dict[str, Any]] = {
        Kind.TEXT: TEXT,
        Kind.YES_NO: YES_NO,
        Kind.NUMBER: {"type": "number", "minimum": 0},
        Kind.DATE: DAY,
        Kind.CHOICE: {"enum": list(known.choices)},
        Kind.TEXTS: {"type": "array", "items": TEXT},
        Kind.PERSONS: {"type": "array", "items": person},
    }
    return {"description": known.asks, **kinds[known.kind]}


def _gate() -> dict[str, Any]:
    answer = {"concern": {"enum": list(CONCERNS)}, "decision": {"enum": list(DECISIONS)}, "reason": TEXT}
    return _object({**answer, "reviewed": {"type": "boolean"}}, tuple(answer))


def _calendar() -> dict[str, Any]:
    weekend = {"type": "array", "items": {"enum": list(WEEKDAYS)}}
    return _object({"time_zone": TEXT, "weekend": weekend, "holidays": {"type": "array", "items": DAY}})


def request_schema() -> dict[str, Any]:
    """The schema, in the order in which a person fills the document in."""
    event = _object({"event": {"enum": list(events())}, "at": MOMENT}, ("event", "at"))
    agreed = {"anyOf": [{"type": "integer", "minimum": 1}, MOMENT]}
    parts: dict[str, dict[str, Any]] = {
        "version": {"const": VERSION},
        "type": {"enum": list(request_types())},
        "requesting_state": {"description": "The State that asks: ISO 3166-1 code, or name.", **TEXT},
        "requested_state": {"description": "The State that is asked.", **TEXT},
        "offence": {"description": "Code or name; 'palermo law offences' lists them.", **TEXT},
        "predicate": {"description": "The predicate or underlying offence, if there is one.", **TEXT},
        "scope": _object(dict.fromkeys(SCOPE, YES_NO), says="What brings the case within an instrument."),
        "facts": _object({name: _term(one) for name, one in terms().items()}, says="What the request says."),
        "gates": _object({code: _gate() for code in gates()}, says="The safeguards that a person answered."),
        "events": {"description": "What happened since; see 'events'.", "type": "array", "items": event},
        "agreed": _object(
            {code: agreed for code, clock in clocks().items() if clock.agreed},
            says="What the two States agreed, by clock: days (or hours), a last day, or a time.",
        ),
        "calendars": _object({whose: _calendar() for whose in BINDS}, says="Of the State that a clock binds."),
    }
    assert list(parts) == list(KEYS)
    title = "A request for international cooperation, as 'palermo law check' takes it"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_object(parts, REQUIRED)}
