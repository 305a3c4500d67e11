"""A request as a JSON document, read strictly: what ``palermo law check`` takes. Every fault is named at once.

The document's shape is ``docs/reference/law-request.schema.json``, which :mod:`palermo.law.request_schema` makes.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from palermo.law.case import Case
from palermo.law.clocks.reckoning import Calendar
from palermo.law.clocks.running import Event, Length
from palermo.law.clocks.table import BINDS, clocks, events
from palermo.law.gates import GateAnswer, gate_problems, gates
from palermo.law.nearest import near
from palermo.law.offences import UnknownOffenceError
from palermo.law.offences import find as find_offence
from palermo.law.request_types import RequestType, request_types
from palermo.law.statement import Statement, StatementError

VERSION = 1
LARGEST_BYTES = 2_000_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
KEYS = {
    "version": int,
    "type": str,
    "requesting_state": str,
    "requested_state": str,
    "offence": str,
    "predicate": str,
    "scope": dict,
    "facts": dict,
    "gates": dict,
    "events": list,
    "agreed": dict,
    "calendars": dict,
}
REQUIRED = ("version", "type", "requesting_state", "requested_state", "offence")
NOT_SCOPE = ("offence", "predicate", "maximum_years", "person_there")
SCOPE = tuple(one.name for one in fields(Case) if one.name not in NOT_SCOPE)
"""What the document's ``scope`` may say, yes or no; penalty and whereabouts are among the facts."""


class RequestFileError(ValueError):
    """The document cannot be used. ``problems``: each says where and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFile:
    """A request to be checked. ``requesting``, ``requested``: codes or names of States, as written."""

    type: RequestType
    requesting: str
    requested: str
    case: Case
    said: Statement
    gates: Mapping[str, GateAnswer] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    agreed: Mapping[str, Length] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)


def read(path: Path) -> RequestFile:
    """The request in a file; :class:`RequestFileError` names every fault of it."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise RequestFileError([f"{path} is larger than {LARGEST_BYTES} bytes: it is no request."])
        raw = path.read_bytes()
    except OSError as error:
        raise RequestFileError([f"{path} cannot be read: {error.strerror}."]) from error
    return parse(raw)


def parse(raw: bytes) -> RequestFile:
    """The request in JSON bytes; :class:`RequestFileError` names every fault of it."""
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise RequestFileError([f"It is no JSON in UTF-8: {error}."]) from error
    if not isinstance(document, dict):
        raise RequestFileError(["The document is one JSON object: see the schema."])
    reader = _Reader(document)
    found = reader.request()
    if reader.problems or found is None:
        raise RequestFileError(reader.problems)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestFileError([f"'{twice}' stands twice in one object: keep one."])
    return found


def _no_constant(name: str) -> float:
    raise RequestFileError([f"{name} is no number: leave out what is not known."])


class _Reader:
    """One document: what is wrong is gathered, not raised."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document, self.problems = document, list[str]()

    def request(self) -> RequestFile | None:
        self._keys()
        if self.problems:
            return None
        kind, said = self._type(), self._said()
        offence, predicate = self._offence("offence"), self._offence("predicate")
        scope = self._scope()
        answers, happened = self._gates(), self._events()
        agreed, calendars = self._agreed(), self._calendars()
        if self.problems or kind is None or said is None:
            return None
        case = Case(
            offence=offence,
            predicate=predicate,
            maximum_years=said.number("maximum_years"),
            person_there=said.answer("person_located"),
            **scope,
        )
        return RequestFile(
            type=kind,
            requesting=self.document["requesting_state"],
            requested=self.document["requested_state"],
            case=case,
            said=said,
            gates=answers,
            events=happened,
            agreed=agreed,
            calendars=calendars,
        )

    def _keys(self) -> None:
        for name in self.document:
            if name not in KEYS:
                self.problems.append(f"'{name}' is unknown. {_hint(name, KEYS)}")
        for name, kind in KEYS.items():
            value = self.document.get(name)
            if value is None:
                if name in REQUIRED:
                    self.problems.append(f"'{name}' is missing.")
            elif not isinstance(value, kind) or isinstance(value, bool):
                self.problems.append(f"'{name}' has to be {_kind(kind)}.")
        if not self.problems and self.document["version"] != VERSION:
            self.problems.append(f"version {self.document['version']}: this program reads version {VERSION}.")

    def _part(self, name: str) -> Any:
        return self.document.get(name) or {}

    def _type(self) -> RequestType | None:
        code = self.document["type"]
        if (found := request_types().get(code)) is None:
            self.problems.append(f"type '{code}' is unknown. {_hint(code, request_types())}")
        return found

    def _said(self) -> Statement | None:
        try:
            return Statement(self._part("facts"))
        except StatementError as error:
            self.problems += error.problems
        return None

    def _offence(self, name: str) -> str:
        text = self.document.get(name) or ""
        try:
            return find_offence(text).code if text else ""
        except UnknownOffenceError as error:
            self.problems.append(f"{name}: {error}")
        return ""

    def _scope(self) -> dict[str, bool]:
        said = self._part("scope")
        for name, value in said.items():
            if name not in SCOPE:
                self.problems.append(f"scope.{name} is unknown. {_hint(name, SCOPE)}")
            elif value is not None and not isinstance(value, bool):
                self.problems.append(f"scope.{name}: give true or false; leave it out where it is not known.")
        return {name: value for name, value in said.items() if value is not None}

    def _gates(self) -> dict[str, GateAnswer]:
        found = {}
        for code, given in self._part("gates").items():
            if code not in gates():
                self.problems.append(f"gates.{code} is unknown. {_hint(code, gates())}")
            elif not isinstance(given, dict) or set(given) - {"concern", "decision", "reason", "reviewed"}:
                self.problems.append(f"gates.{code}: give concern, decision, reason and, if so, reviewed.")
            else:
                concern, decision, reason = (str(given.get(name, "")) for name in ("concern", "decision", "reason"))
                self.problems += [f"gates.{code}: {one}" for one in gate_problems(concern, decision, reason)]
                found[code] = GateAnswer(concern, decision, reason, given.get("reviewed") is True)
        return found

    def _events(self) -> tuple[Event, ...]:
        found = []
        for number, row in enumerate(self._part("events"), 1):
            code = row.get("event") if isinstance(row, dict) and set(row) == {"event", "at"} else None
            at = _moment(row.get("at")) if isinstance(code, str) else None
            if not isinstance(code, str):
                self.problems.append(f"events {number}: give 'event' and 'at', and nothing else.")
            elif code not in events():
                self.problems.append(f"events {number}: '{code}' is unknown. {_hint(code, events())}")
            elif at is None:
                self.problems.append(f"events {number}: 'at' is a day, or a time with its offset.")
            else:
                found.append(Event(code, at))
        return tuple(found)

    def _agreed(self) -> dict[str, Length]:
        found: dict[str, Length] = {}
        for code, value in self._part("agreed").items():
            length = value if isinstance(value, int) and not isinstance(value, bool) else _moment(value)
            if code not in clocks():
                self.problems.append(f"agreed.{code} is no clock. {_hint(code, clocks())}")
            elif not clocks()[code].agreed:
                self.problems.append(f"agreed.{code}: its provision fixes the length; nothing else can be agreed.")
            elif length is None or (isinstance(length, int) and not 0 < length <= 36_500):
                self.problems.append(f"agreed.{code}: give a number of days (or hours), a last day, or a time.")
            else:
                found[code] = length
        return found

    def _calendars(self) -> dict[str, Calendar]:
        found = {}
        for whose, given in self._part("calendars").items():
            if whose not in BINDS or not isinstance(given, dict):
                self.problems.append(f"calendars.{whose}: one of {', '.join(BINDS)}, each an object.")
            elif (calendar := _calendar(given)) is None:
                self.problems.append(
                    f"calendars.{whose}: give 'time_zone' (such as Europe/Vienna), and if known 'weekend' "
                    "(such as ['saturday', 'sunday']) and 'holidays' (days)."
                )
            else:
                found[whose] = calendar
        return found


def _calendar(given: dict[str, Any]) -> Calendar | None:
    weekend, listed = given.get("weekend", []), given.get("holidays", [])
    if not isinstance(weekend, list) or not isinstance(listed, list):
        return None
    days = [_moment(day) for day in listed]
    if set(given) - {"time_zone", "weekend", "holidays"} or not set(map(str, weekend)) <= set(WEEKDAYS):
        return None
    holidays = frozenset(day for day in days if isinstance(day, date) and not isinstance(day, datetime))
    if len(holidays) != len(set(days)):
        return None
    try:
        zone = ZoneInfo(given["time_zone"]) if given.get("time_zone") else None
    except (ValueError, OSError, TypeError, LookupError):
        return None
    return Calendar(zone, frozenset(WEEKDAYS.index(day) for day in weekend), holidays)


def _moment(value: object) -> datetime | date | None:
    if not isinstance(value, str):
        return None
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _kind(kind: type) -> str:
    return {str: "a text", int: "a whole number", dict: "an object", list: "a list"}[kind]


def _hint(name: str, known: Iterable[str]) -> str:
    alike = near(name, known)
    return f"Did you mean {' or '.join(alike)}?" if alike else "The schema lists what is known."
