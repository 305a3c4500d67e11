"""One entity as a line of FollowTheMoney 4 JSON, read strictly and without the schema library.

A line is ``{"id": ..., "properties": {name: [value, ...]}, "schema": ...}``. Whether a property belongs to a schema is
for `palermo.intake` to check, which owns the FollowTheMoney model; here only the shape counts, since every later step
(selectors, blind match, pages) reads these lines by the million and the model alone takes seconds to import.

Other keys on the outer object (``caption``, ``datasets``, ``referents``: what other publishers add) are ignored.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

MAX_LINE_BYTES = 1 << 20
MAX_DEPTH = 16
NAME_PROPERTIES = ("name", "alias", "previousName", "weakAlias")
"""FollowTheMoney's full names of a thing, the most certain first."""

_CAPTION_PROPERTIES = (
    *NAME_PROPERTIES,
    *("abbreviation", "iban", "accountNumber", "publicKey", "cryptoAddress", "registrationNumber", "number"),
    *("username", "email", "phone"),
)
_SCHEMA = re.compile(r"[A-Z][A-Za-z]{0,63}")
_PROPERTY = re.compile(r"[a-z][A-Za-z0-9]{0,63}")
_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,255}")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


class SubjectsError(Exception):
    """Base of what this room raises."""


class EntityError(SubjectsError):
    """A line is no entity; `fault` says why, `line_number` (from 1) where, if it came from a file."""

    def __init__(self, fault: str, line_number: int | None = None) -> None:
        self.fault = fault
        self.line_number = line_number
        super().__init__(fault if line_number is None else f"line {line_number}: {fault}")


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing known to an authority: FollowTheMoney schema and, by property name, its values in order."""

    id: str
    schema: str
    properties: Mapping[str, tuple[str, ...]] = field(hash=False)

    @classmethod
    def from_json(cls, line: str | bytes) -> "Entity":
        """Read one line (at most `MAX_LINE_BYTES`); repeated values of a property are kept once.

        Raises `EntityError` naming the fault.
        """
        document = _parse(_decode(line))
        properties = document.get("properties")
        if not isinstance(properties, dict):
            _refuse("'properties' must be an object of lists of text")
        return cls(
            id=_matching(_ID, document.get("id"), "'id' must be 1 to 255 characters without space"),
            schema=_matching(_SCHEMA, document.get("schema"), "'schema' must be a FollowTheMoney schema name"),
            properties={
                _matching(_PROPERTY, name, f"{name!r} is no property name"): _values(name, values)
                for name, values in properties.items()
            },
        )

    def to_json(self) -> str:
        """Write one line without its newline: keys sorted, values in their order, text as itself."""
        document = {
            "id": self.id,
            "properties": {name: list(values) for name, values in self.properties.items() if values},
            "schema": self.schema,
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    def all(self, *names: str) -> tuple[str, ...]:
        """Values of these properties in the order asked for, each once."""
        return tuple(dict.fromkeys(value for name in names for value in self.properties.get(name, ())))

    def first(self, name: str) -> str | None:
        """First value of a property, or None."""
        values = self.properties.get(name)
        return values[0] if values else None

    @property
    def names(self) -> tuple[str, ...]:
        """Every full name: names, aliases, earlier names, weak aliases, each once."""
        return self.all(*NAME_PROPERTIES)

    @property
    def caption(self) -> str:
        """What to call this entity on a page: its best name, else its number or address, else its id."""
        return next((value for name in _CAPTION_PROPERTIES if (value := self.first(name))), self.id)


def read_entities(path: str | os.PathLike[str]) -> Iterator[Entity]:
    """Stream the entities of a JSON lines file; empty lines are passed over.

    Raises `EntityError` with the line number at the first faulty line, `OSError` if the file can't be read.
    """
    with Path(path).open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 2):
            number += 1
            if not line.strip():
                continue
            try:
                entity = Entity.from_json(line)
            except EntityError as error:
                raise EntityError(error.fault, number) from error
            yield entity


def write_entities(path: str | os.PathLike[str], entities: Iterable[Entity]) -> int:
    """Write entities as JSON lines and return how many; the file appears under its name only when complete."""
    target = Path(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    count = 0
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            for entity in entities:
                file.write(entity.to_json() + "\n")
                count += 1
        partial.replace(target)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()
    return count


def _refuse(fault: str) -> NoReturn:
    raise EntityError(fault)


def _decode(line: str | bytes) -> str:
    """Bound the size and insist on UTF-8, before anything is parsed."""
    try:
        encoded = line.encode() if isinstance(line, str) else line
        text = line if isinstance(line, str) else line.decode()
    except UnicodeError as error:
        raise EntityError("not UTF-8 text") from error
    if len(encoded.rstrip(b"\r\n")) > MAX_LINE_BYTES:
        _refuse(f"longer than {MAX_LINE_BYTES} bytes")
    if _depth(text) > MAX_DEPTH:
        _refuse(f"nested deeper than {MAX_DEPTH}")
    return text


def _depth(text: str) -> int:
    """Deepest nesting of brackets outside strings, or an upper bound of it that is small enough to pass."""
    if (bound := text.count("[") + text.count("{")) <= MAX_DEPTH:
        return bound
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _parse(text: str) -> dict[str, Any]:
    """Parse one JSON object, refusing repeated keys, non-numbers and lone surrogates."""
    try:
        document = json.loads(text, object_pairs_hook=_distinct_keys, parse_constant=_no_constant)
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except EntityError:
        raise
    except UnicodeEncodeError as error:
        raise EntityError("half of a surrogate pair") from error
    except ValueError as error:
        raise EntityError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        _refuse("not a JSON object")
    return document


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        _refuse("a key stands twice in one object")
    return document


def _no_constant(name: str) -> NoReturn:
    _refuse(f"{name} is no JSON number")


def _matching(pattern: re.Pattern[str], value: object, fault: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        _refuse(fault)
    return value


def _values(name: str, values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not values:
        _refuse(f"{name!r} must be a list with at least one value")
    for value in values:
        if not isinstance(value, str) or not value.strip() or "\x00" in value:
            _refuse(f"{name!r} has a value that is empty or no text")
    return tuple(dict.fromkeys(values))
