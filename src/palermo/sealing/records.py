"""Frozen dataclasses to canonical JSON and back, by their annotations alone.

Rules of evolution, so that nodes of different age understand each other:

- A message only grows: a new field comes last and has a default.
- A field that holds its default is left out (but for those marked :func:`always`). So an older reader accepts every
  message that does not use what is new.
- A reader refuses a field that it does not know: it would otherwise act on less than was signed.

Field types: ``str``, ``int``, ``bool``, ``bytes`` (base64), ``datetime`` (UTC, written with ``Z``), a ``StrEnum``,
another record, ``tuple[T, ...]`` of these, and ``T | None``.
"""

import dataclasses
import functools
import types
import typing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from palermo.sealing import canonical
from palermo.sealing.errors import FormatError

Record = TypeVar("Record")
Value = TypeVar("Value")


def always(default: Value) -> Value:
    """A field with a default in Python that is nevertheless always written, and must be there when read."""
    return dataclasses.field(default=default, metadata={"always": True})


def to_bytes(record: Any) -> bytes:
    """The canonical JSON of a record. Raises FormatError for text or times that it cannot carry."""
    return canonical.encode(to_json(record))


def from_bytes(cls: type[Record], data: bytes, part: str, *, max_bytes: int = canonical.MAX_BYTES) -> Record:
    """Read a record; ``part`` names it in errors. Raises FormatError for anything but exactly one."""
    value = canonical.decode(data, part, max_bytes=max_bytes)
    record = from_json(cls, value, part)
    if to_json(record) != value:
        raise FormatError(
            part, "a field is spelt in a way that we do not write (a default written out, another time zone)"
        )
    return record


def to_json(record: Any) -> dict[str, Any]:
    """A record as a JSON object; fields that hold their default are left out."""
    return {
        name: _to_json_value(value)
        for name, default, always_written in _written(typing.cast(typing.Hashable, type(record)))
        if (value := getattr(record, name)) != default or always_written
    }


def from_json(cls: type[Record], value: Any, part: str) -> Record:
    """Build a record from a JSON object. Raises FormatError, naming the field, for a wrong, missing or unknown one."""
    if not isinstance(value, dict):
        raise FormatError(part, "not an object")
    fields = _fields(typing.cast(typing.Hashable, cls))
    for name in value:
        if name not in fields:
            raise FormatError(
                part, f"unknown field {name[:60]!r}: it comes from a newer version, update this node first"
            )
    arguments = {}
    for name, (kind, required) in fields.items():
        if name in value:
            arguments[name] = _from_json_value(kind, value[name], f"{part}.{name}")
        elif required:
            raise FormatError(part, f"the field {name!r} is missing")
    return cls(**arguments)


def format_time(at: datetime) -> str:
    """A time as RFC 3339 in UTC, ``2026-03-01T12:00:00Z``. Raises FormatError for a time without a zone."""
    if at.tzinfo is None:
        raise FormatError("time", "has no time zone: pass an aware datetime")
    return at.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_time(text: str, part: str) -> datetime:
    """Read what :func:`format_time` writes, and nothing else. Raises FormatError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise FormatError(part, "not a time such as 2026-03-01T12:00:00Z") from error
    if at.utcoffset() != timedelta(0) or format_time(at) != text:
        raise FormatError(part, "not a time in UTC such as 2026-03-01T12:00:00Z")
    return at


@functools.cache
def _written(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Each field's name, its default, and whether it is written even so."""
    return tuple((field.name, field.default, "always" in field.metadata) for field in dataclasses.fields(cls))


@functools.cache
def _fields(cls: Any) -> dict[str, tuple[Any, bool]]:
    """Each field's name, with its type and whether it must be there."""
    hints = typing.get_type_hints(cls)
    return {
        field.name: (hints[field.name], field.default is dataclasses.MISSING or "always" in field.metadata)
        for field in dataclasses.fields(cls)
    }


def _to_json_value(value: Any) -> Any:
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, bytes):
        return canonical.encode_base64(value)
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, tuple):
        return [_to_json_value(item) for item in value]
    if dataclasses.is_dataclass(value):
        return to_json(value)
    return value


def _from_json_value(kind: Any, value: Any, part: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise FormatError(part, "not a list")
        inner = typing.get_args(kind)[0]
        return tuple(_from_json_value(inner, item, f"{part}[{index}]") for index, item in enumerate(value))
    if origin in (typing.Union, types.UnionType):
        inner = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        return None if value is None else _from_json_value(inner, value, part)
    if dataclasses.is_dataclass(kind):
        return from_json(typing.cast(type[Any], kind), value, part)
    return _from_json_scalar(kind, value, part)


def _from_json_scalar(kind: type[Any], value: Any, part: str) -> Any:
    if kind is int or kind is bool:
        if type(value) is not kind:
            raise FormatError(part, f"not a {'whole number' if kind is int else 'true or false'}")
        return value
    if not isinstance(value, str):
        raise FormatError(part, "not text")
    if kind is bytes:
        return canonical.decode_base64(value, part)
    if kind is datetime:
        return parse_time(value, part)
    if issubclass(kind, StrEnum):
        if value not in kind.__members__.values():
            raise FormatError(part, f"{value[:40]!r} is none of {', '.join(kind)}")
        return kind(value)
    return value
