"""What stands in the log: commitments to fields, each of which can be shown, or never shown, on its own.

A leaf is a list of SHA-256(salt ‖ name ‖ value), name and value prefixed with their length in 4 bytes, with a fresh
salt of 32 bytes a field. An auditor is shown kind, recipient and time of a leaf by opening those three; when a field's
retention ends its value and salt are destroyed, and the leaf stays provable from the commitments alone.

The order of fields is fixed by whoever writes the log; an opened field says at which place it stands.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from palermo.sealing.errors import FormatError, ProofError
from palermo.sealing.keys import Rng

SALT_BYTES = 32
MAX_FIELDS = 64
_MAGIC = b"palermo-leaf/1\n"


@dataclass(frozen=True)
class LeafField:
    """One field with the salt that hides it. Whoever holds all three can open its commitment."""

    name: str
    value: str
    salt: bytes

    def __post_init__(self) -> None:
        """Refuse a salt of another length: it is what keeps values from being guessed."""
        if len(self.salt) != SALT_BYTES:
            raise FormatError("leaf field", f"its salt is not {SALT_BYTES} bytes")

    @property
    def commitment(self) -> bytes:
        """SHA-256(salt ‖ length-prefixed name ‖ length-prefixed value), 32 bytes."""
        return hashlib.sha256(self.salt + _prefixed(self.name) + _prefixed(self.value)).digest()


@dataclass(frozen=True)
class OpenedField:
    """A field shown to someone, with its place in the leaf, from 0."""

    position: int
    name: str
    value: str
    salt: bytes


def salt_fields(values: Iterable[tuple[str, str]], rng: Rng = os.urandom) -> tuple[LeafField, ...]:
    """Names and values, in the log's order, each with a fresh salt."""
    return tuple(LeafField(name, value, rng(SALT_BYTES)) for name, value in values)


def leaf_bytes(fields: Iterable[LeafField]) -> bytes:
    """The leaf of these fields."""
    return leaf_of([field.commitment for field in fields])


def leaf_of(commitments: Sequence[bytes]) -> bytes:
    """The leaf of these commitments: a version line, their number (2 bytes), then 32 bytes each. Raises FormatError."""
    if not 1 <= len(commitments) <= MAX_FIELDS or any(len(item) != 32 for item in commitments):
        raise FormatError("leaf", f"not 1 to {MAX_FIELDS} commitments of 32 bytes")
    return _MAGIC + len(commitments).to_bytes(2, "big") + b"".join(commitments)


def parse_leaf(leaf: bytes) -> tuple[bytes, ...]:
    """The commitments of a leaf, in order. Raises FormatError for anything that :func:`leaf_of` does not write."""
    body = leaf[len(_MAGIC) + 2 :]
    commitments = tuple(body[start : start + 32] for start in range(0, len(body), 32))
    if leaf_of(commitments) != leaf:
        raise FormatError("leaf", "not a leaf of version 1")
    return commitments


def open_fields(fields: Sequence[LeafField], names: Iterable[str]) -> tuple[OpenedField, ...]:
    """What to show so that others can read these fields, no other. Raises ProofError for unknown names."""
    places = {field.name: place for place, field in enumerate(fields)}
    opened = []
    for name in names:
        if name not in places:
            raise ProofError("leaf", f"has no field {name!r}")
        field = fields[places[name]]
        opened.append(OpenedField(places[name], field.name, field.value, field.salt))
    return tuple(opened)


def verify_opened(leaf: bytes, opened: Iterable[OpenedField]) -> dict[str, str]:
    """Check opened fields against a leaf and give their values by name.

    Raises ProofError when one does not match the commitment at its place, or a name comes twice; FormatError for a bad
    leaf.
    """
    commitments = parse_leaf(leaf)
    values: dict[str, str] = {}
    for field in opened:
        if not 0 <= field.position < len(commitments) or field.name in values:
            raise ProofError(f"leaf field {field.name[:40]!r}", "comes twice, or from a place outside the leaf")
        if LeafField(field.name, field.value, field.salt).commitment != commitments[field.position]:
            raise ProofError(f"leaf field {field.name[:40]!r}", "is not what the log committed to")
        values[field.name] = field.value
    return values


def _prefixed(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(4, "big") + data
