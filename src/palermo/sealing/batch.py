"""Several byte strings as one, and back: ``palermo-batch/1``, then each with its length in 4 bytes before it."""

from collections.abc import Iterable

from palermo.sealing.errors import FormatError

MAX_ITEMS = 256
HEADING = b"palermo-batch/1\n"
_LENGTH_BYTES = 4


def pack(items: Iterable[bytes]) -> bytes:
    """Join byte strings, of less than 4 GiB each. Raises FormatError for more than :data:`MAX_ITEMS`."""
    parts = [HEADING]
    for item in items:
        parts += (len(item).to_bytes(_LENGTH_BYTES, "big"), item)
    if len(parts) > 1 + 2 * MAX_ITEMS:
        raise FormatError("batch", f"more than {MAX_ITEMS} items: make several of it")
    return b"".join(parts)


def unpack(data: bytes, *, part: str = "batch") -> list[bytes]:
    """The byte strings of a batch. The caller bounds ``data``. Raises FormatError for anything but exactly a batch."""
    if not data.startswith(HEADING):
        raise FormatError(part, "does not start as a batch of version 1")
    items, at = list[bytes](), len(HEADING)
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or len(items) == MAX_ITEMS:
            raise FormatError(part, f"is cut, or holds more than {MAX_ITEMS} items")
        items.append(data[start:at])
    return items
