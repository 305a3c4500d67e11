"""What every reader of hostile bytes owes: a value that is written as the same bytes, or a documented error."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from palermo.sealing import dsse, records
from palermo.sealing.errors import SealingError


def same(value: bytes, data: bytes) -> None:
    """Written again, a value is the bytes that it was read from: two texts never mean the same."""
    if value != data:
        raise AssertionError(f"read from {data[:80]!r}, written as {value[:80]!r}")


def record(cls: type[Any], data: bytes) -> None:
    """A record in canonical JSON."""
    with suppress(SealingError):
        same(records.to_bytes(records.from_bytes(cls, data, "fuzz")), data)


def signed(cls: type[Any], data: bytes) -> None:
    """A record, bare or in a signed envelope whose signatures nobody verified yet."""
    record(cls, data)
    with suppress(SealingError):
        parsed = dsse.parse_all(data)
        same(dsse._write(parsed.payload_type, parsed.payload, parsed.signers), data)
        record(cls, parsed.payload)


def refused_or(read: Callable[[], Any]) -> Any:
    """What a reader returns, None where it refuses."""
    with suppress(SealingError):
        return read()
    return None
