"""The one strict binary encoding of this room: fixed fields, length-prefixed fields, counted lists, nothing optional.

A message starts with its own name and version, so an unknown one is refused before anything else is read. Every value
has exactly one encoding; a reader that reaches the end has therefore read the only bytes that could stand there, and
each message's ``parse`` re-encodes and compares all the same. Integers are big-endian.
"""

from collections.abc import Iterable

from palermo.blind.errors import MalformedError

MAX_TEXT_BYTES = 2**16 - 1


def prefixed(value: bytes) -> bytes:
    """``value`` after its length in two bytes."""
    if len(value) > MAX_TEXT_BYTES:
        raise MalformedError("field", f"{len(value)} bytes do not fit a length prefix of two bytes")
    return len(value).to_bytes(2) + value


def prefixed_all(*values: bytes | str) -> bytes:
    """Each value after its length: a list that no other list encodes to."""
    return b"".join(prefixed(value.encode() if isinstance(value, str) else value) for value in values)


def counted(items: Iterable[bytes]) -> bytes:
    """The items after their number in four bytes."""
    listed = list(items)
    return len(listed).to_bytes(4) + b"".join(listed)


class Reader:
    """Reads ``data``, named ``what`` in errors, from front to back. Raises :class:`MalformedError`."""

    def __init__(self, what: str, data: bytes, magic: bytes, max_bytes: int) -> None:
        self._what = what
        self._data = data
        self._at = 0
        if len(data) > max_bytes:
            raise self.error(f"{len(data)} bytes are more than the {max_bytes} allowed")
        if self.take(min(len(magic), len(data))) != magic:
            raise self.error(
                f"it does not start with {magic.decode().strip()!r}: another message, or an unknown version"
            )

    def error(self, reason: str) -> MalformedError:
        """The error to raise for ``reason``."""
        return MalformedError(self._what, reason)

    def take(self, length: int) -> bytes:
        """The next ``length`` bytes."""
        end = self._at + length
        if end > len(self._data):
            raise self.error("it ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def integer(self, length: int) -> int:
        """An unsigned integer of ``length`` bytes."""
        return int.from_bytes(self.take(length))

    def field(self) -> bytes:
        """A length-prefixed byte string."""
        return self.take(self.integer(2))

    def text(self) -> str:
        """A length-prefixed UTF-8 string."""
        try:
            return self.field().decode()
        except UnicodeDecodeError as error:
            raise self.error("a text is not UTF-8") from error

    def chunks(self, size: int) -> list[bytes]:
        """A counted list of items of ``size`` bytes each."""
        count = self.integer(4)
        block = self.take(count * size)
        return [block[start : start + size] for start in range(0, len(block), size)]

    def finish(self) -> None:
        """Refuse anything that follows."""
        if self._at != len(self._data):
            raise self.error(f"{len(self._data) - self._at} bytes follow its end")
