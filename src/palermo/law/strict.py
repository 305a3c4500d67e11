"""Strict reading of facts in TOML: rows become frozen dataclasses, and every fault of a file is named at once.

A key that is unknown, missing, empty or of another type is a fault. An administrator's file is read the same way as the
facts that come with Palermo.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

MAX_BYTES = 4 * 1024 * 1024
"""No file of facts is larger: one that is was not written by hand."""

Row = TypeVar("Row")
WORDS = {str: "a text", bool: "true or false", int: "a whole number", date: "a date such as 2015-03-01"}


class FactsError(ValueError):
    """A file of facts that cannot be used. ``source``: its name; ``problems``: every fault, each with its place."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source, self.problems = source, problems
        super().__init__(f"{source} cannot be used. Mend this and read it again: " + " ".join(problems))


def shipped(name: str) -> Path:
    """Where a file of the facts that come with Palermo lies, by its name in ``law/facts``."""
    return Path(str(files("palermo.law").joinpath("facts", name)))


def load(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; :class:`FactsError` where it is too large, no UTF-8 or no TOML."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FactsError(path.name, [f"It cannot be opened: {error.strerror}."]) from error
    if len(raw) > MAX_BYTES:
        raise FactsError(path.name, [f"It is larger than {MAX_BYTES} bytes."])
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FactsError(path.name, [f"It is no TOML in UTF-8: {error}."]) from error


def frozen(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with each list in it as a tuple, as frozen rows hold them."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def row(kind: type[Row], table: object, place: str, problems: list[str]) -> Row | None:
    """One table as a ``kind``; its faults are added to ``problems``, and None is returned if there are any."""
    if not isinstance(table, Mapping):
        problems.append(f"{place}: expected a table.")
        return None
    described: Any = kind
    wanted, required = _shape(described)
    found = [f"{place}: '{key}' is unknown (known: {', '.join(wanted)})." for key in table if key not in wanted]
    found += [f"{place}: '{key}' is missing." for key in required if key not in table]
    for key, value in table.items():
        if key in wanted and not _fits(value, wanted[key], empty=key not in required):
            found.append(f"{place}: '{key}' must be {_words(wanted[key])}.")
    problems += found
    return None if found else kind(**frozen(table))


def rows(kind: type[Row], tables: object, place: str, problems: list[str]) -> tuple[Row, ...]:
    """An array of tables, those without faults."""
    if not isinstance(tables, list):
        problems.append(f"{place}: expected one or more [[{place}]].")
        return ()
    read = (row(kind, table, f"{place} {number}", problems) for number, table in enumerate(tables, 1))
    return tuple(one for one in read if one is not None)


@cache
def _shape(kind: type[Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    hints = get_type_hints(kind)
    given = [field for field in fields(kind) if field.init]
    needed = tuple(field.name for field in given if field.default is MISSING and field.default_factory is MISSING)
    return {field.name: hints[field.name] for field in given}, needed


def _fits(value: object, kind: Any, *, empty: bool) -> bool:
    if get_origin(kind) is tuple:
        return isinstance(value, list) and all(_fits(one, get_args(kind)[0], empty=False) for one in value)
    if get_args(kind):  # X | None: TOML has no null, so a value that is there is an X
        return any(_fits(value, one, empty=empty) for one in get_args(kind) if one is not type(None))
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is date:
        return isinstance(value, date) and not isinstance(value, datetime)
    if kind is str:
        return isinstance(value, str) and (empty or bool(value.strip()))
    return isinstance(value, kind)


def _words(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "a list of texts"
    inner = [one for one in get_args(kind) if one is not type(None)] or [kind]
    return WORDS.get(inner[0], "a table")
