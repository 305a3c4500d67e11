"""Any CSV file, told by a small TOML mapping what its columns mean.

.. code-block:: toml

    schema = "Person"            # a FollowTheMoney schema
    delimiter = ";"              # optional, a comma by default
    date_format = "%d/%m/%Y"     # optional: how dates are written, else ISO 8601, whole or partial

    [id]
    prefix = "bureau-"           # what the ids of this list start with
    columns = ["Case", "No"]     # joined by a hyphen

    [properties]                 # FollowTheMoney property = column, or a list of columns
    name = "Full name"
    alias = { columns = ["Known as"], separator = "|" }    # several values in one cell
    phone = { columns = ["Telephone"], country = "fr" }    # numbers in national form
    topics = { value = "crime" }                           # the same for each row
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from palermo.intake.errors import IntakeError, Reject, RowError
from palermo.intake.formats import Format
from palermo.intake.grouping import SeenIds
from palermo.intake.model import cleaned, property_of, schema_of
from palermo.intake.rows import csv_rows, ignore_progress, opened
from palermo.subjects.entities import Entity, EntityError

MAX_MAPPING_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Rule:
    """How one property is filled: from columns (each cell split at `separator`), or with one fixed `value`."""

    columns: tuple[str, ...] = ()
    separator: str | None = None
    value: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """A checked mapping file."""

    schema: str
    id_prefix: str
    id_columns: tuple[str, ...]
    properties: Mapping[str, Rule]
    delimiter: str
    date_format: str | None


def read(
    paths: Sequence[Path],
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
) -> Iterator[Entity]:
    """Yield one entity a row; a value that its property can't hold rejects the row."""
    mappings = [path for path in paths if path.suffix.lower() == ".toml"]
    tables = [path for path in paths if path.suffix.lower() != ".toml"]
    if len(mappings) != 1 or not tables:
        raise IntakeError("csv wants one mapping (.toml) and at least one CSV file")
    mapping = load_mapping(mappings[0])
    with closing(SeenIds()) as seen:
        for path in tables:
            yield from _read_table(path, mapping, seen, on_reject, on_progress)


def load_mapping(path: Path) -> ColumnMapping:
    """Read and check a mapping. Raises `IntakeError` naming what is wrong with it."""
    with opened(path) as file:
        content = file.read(MAX_MAPPING_BYTES + 1)
    if len(content) > MAX_MAPPING_BYTES:
        raise IntakeError(f"a mapping of more than {MAX_MAPPING_BYTES} bytes", path)
    try:
        return _mapping(tomllib.loads(content.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IntakeError(f"no TOML: {error}", path) from error
    except IntakeError as error:
        raise IntakeError(error.fault, path) from error


def _mapping(document: dict[str, Any]) -> ColumnMapping:
    _known_keys(document, {"schema", "delimiter", "date_format", "id", "properties"}, "the mapping")
    schema = _text(document, "schema", "the mapping")
    schema_of(schema)
    identity = _table(document, "id")
    _known_keys(identity, {"prefix", "columns"}, "[id]")
    properties = {name: _rule(schema, name, given) for name, given in _table(document, "properties").items()}
    if "name" in schema_of(schema).properties and "name" not in properties:
        raise IntakeError("[properties] must fill 'name'")
    delimiter = document.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n\x00':
        raise IntakeError("'delimiter' must be one character")
    date_format = document.get("date_format")
    if date_format is not None and not isinstance(date_format, str):
        raise IntakeError("'date_format' must be text such as \"%d/%m/%Y\"")
    return ColumnMapping(
        schema=schema,
        id_prefix=_text(identity, "prefix", "[id]"),
        id_columns=_columns(identity.get("columns"), "[id]"),
        properties=properties,
        delimiter=delimiter,
        date_format=date_format,
    )


def _rule(schema: str, name: str, given: object) -> Rule:
    where = f"[properties] {name}"
    try:
        property_of(schema, name)
    except RowError as error:
        raise IntakeError(f"{where}: {error.fault}") from error
    if not isinstance(given, dict):
        return Rule(columns=_columns(given, where))
    _known_keys(given, {"columns", "separator", "value", "country"}, where)
    if ("value" in given) == ("columns" in given):
        raise IntakeError(f"{where}: give either 'columns' or 'value'")
    if "value" in given:
        return Rule(value=_text(given, "value", where))
    return Rule(
        columns=_columns(given["columns"], where),
        separator=_text(given, "separator", where) if "separator" in given else None,
        country=_text(given, "country", where) if "country" in given else None,
    )


def _columns(given: object, where: str) -> tuple[str, ...]:
    columns = [given] if isinstance(given, str) else given
    if not isinstance(columns, list) or not columns or not all(isinstance(name, str) and name for name in columns):
        raise IntakeError(f"{where}: columns must be a name or a list of names")
    return tuple(columns)


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    table = document.get(key)
    if not isinstance(table, dict) or not table:
        raise IntakeError(f"the mapping needs a table [{key}]")
    return table


def _text(table: dict[str, Any], key: str, where: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or not text:
        raise IntakeError(f"{where}: {key!r} must be text")
    return text


def _known_keys(table: dict[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise IntakeError(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _read_table(
    path: Path,
    mapping: ColumnMapping,
    seen: SeenIds,
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None],
) -> Iterator[Entity]:
    rows = csv_rows(path, on_reject, on_progress, delimiter=mapping.delimiter)
    header = _header(path, mapping, rows)
    for line, row in rows:
        try:
            if len(row) != len(header):
                raise RowError(f"{len(row)} columns where the header names {len(header)}")
            entity = _entity(mapping, dict(zip(header, row, strict=True)))
            seen.add(entity.id, line)
        except RowError as error:
            on_reject(Reject.of(path, line, error, mapping.delimiter.join(row)))
            continue
        yield entity


def _header(path: Path, mapping: ColumnMapping, rows: Iterator[tuple[int, list[str]]]) -> list[str]:
    _, header = next(rows, (0, []))
    names = [name.strip() for name in header]
    wanted = {column for rule in mapping.properties.values() for column in rule.columns} | set(mapping.id_columns)
    if missing := sorted(wanted - set(names)):
        raise IntakeError(f"the file has no column {missing[0]!r}, which the mapping names", path)
    if len(set(names)) < len(names):
        raise IntakeError("two columns of the file have the same name", path)
    return names


def _entity(mapping: ColumnMapping, row: Mapping[str, str]) -> Entity:
    parts = [row[column].strip() for column in mapping.id_columns]
    if not all(parts):
        raise RowError(f"no value in the id column {mapping.id_columns[parts.index('')]!r}")
    properties: dict[str, tuple[str, ...]] = {}
    for name in sorted(mapping.properties):
        values = (_clean(mapping, name, value) for value in _cells(mapping.properties[name], row))
        if kept := tuple(dict.fromkeys(values)):
            properties[name] = kept
    if "name" in mapping.properties and "name" not in properties:
        raise RowError("no name")
    try:
        return Entity.from_json(Entity(mapping.id_prefix + "-".join(parts), mapping.schema, properties).to_json())
    except EntityError as error:
        raise RowError(error.fault) from error


def _cells(rule: Rule, row: Mapping[str, str]) -> Iterator[str]:
    if rule.value is not None:
        yield rule.value
    for column in rule.columns:
        pieces = row[column].split(rule.separator) if rule.separator else [row[column]]
        yield from (text for piece in pieces if (text := piece.strip()))


def _clean(mapping: ColumnMapping, name: str, value: str) -> str:
    text: str | None = value
    if mapping.date_format and property_of(mapping.schema, name).type.name == "date":
        text = _iso_date(value, mapping.date_format)
    clean = text and cleaned(mapping.schema, name, text, hint=mapping.properties[name].country)
    if not clean:
        raise RowError(f"{value[:80]!r} is no valid {name!r} of a {mapping.schema}")
    return clean


def _iso_date(value: str, date_format: str) -> str | None:
    try:
        return datetime.strptime(value, date_format).date().isoformat()  # noqa: DTZ007  a day, not a moment
    except ValueError:
        return None


FORMAT = Format(
    code="csv",
    title="any CSV with a header, told by a TOML mapping",
    source="RFC 4180",
    files="one mapping (.toml) and one or more CSV files",
    read=read,
)
