"""Sharing tiers: the circle of partners that may match the same items, and the code that names it."""

import hashlib
from collections.abc import Iterable

CODE_CHARACTERS = 24


def tier_code(partners: Iterable[str]) -> str:
    """The code of a circle of partners, in whatever order they are named: it says nothing to who does not know them."""
    label = b"palermo tier" + b"".join(_prefixed(partner) for partner in sorted(set(partners)))
    return hashlib.sha256(label).hexdigest()[:CODE_CHARACTERS]


def _prefixed(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2) + data
