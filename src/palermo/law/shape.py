"""Frozen rows as JSON, and the JSON Schema (2020-12) of their classes: what a program may rely on."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    NoneType: {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}


def plain(value: Any) -> Any:
    """A row as what JSON can hold: objects, lists, texts, numbers; dates as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def schema(kind: type[Any], title: str) -> dict[str, Any]:
    """The schema of a class of rows and of all that it holds."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_of(kind)}


def _of(kind: Any) -> dict[str, Any]:
    if kind in SCALARS:
        return SCALARS[kind]
    if get_origin(kind) in (Union, UnionType):
        return {"anyOf": [_of(one) for one in get_args(kind)]}
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _of(get_args(kind)[0])}
    if not is_dataclass(kind):
        raise TypeError(f"no schema for {kind!r}: add it to palermo.law.shape")
    hints = get_type_hints(kind)
    names = [one.name for one in fields(kind)]
    described = (kind.__doc__ or "").strip().splitlines()[0]
    return {
        "type": "object",
        "description": described,
        "properties": {name: _of(hints[name]) for name in names},
        "required": names,
        "additionalProperties": False,
    }
