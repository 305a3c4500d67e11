"""What goes into a match: items, the names they are filed under, and the sizes they are padded to."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from palermo.blind.errors import InputError

MAX_VALUE_BYTES = 4096
MAX_REF_BYTES = 1024
MAX_NAME_BYTES = 200
MIN_BUCKET = 16

_KIND = re.compile(r"[a-z][a-z0-9_]{0,31}")


class Item(NamedTuple):
    """One selector of one thing a party knows: ``kind`` and canonical ``value``, and the party's own opaque ``ref``."""

    kind: str
    value: str
    ref: str


def by_kind(items: Iterable[Item]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Distinct values per kind, each with the sorted references that carry it; kinds and values sorted.

    Raises :class:`InputError` on a kind, value or reference that cannot be used.
    """
    gathered: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for item in items:
        if item.ref not in (references := gathered[item.kind][item.value]):
            references.add(_checked(item).ref)
    return {
        kind: {value: tuple(sorted(references)) for value, references in sorted(values.items())}
        for kind, values in sorted(gathered.items())
    }


def _checked(item: Item) -> Item:
    if not is_kind(item.kind):
        raise InputError(f"{item.kind!r} is no selector kind: lower-case letters, digits and _, up to 32")
    if not _fits(item.value, MAX_VALUE_BYTES):
        raise InputError(f"a {item.kind} of {item.ref!r} is empty, no UTF-8 or longer than {MAX_VALUE_BYTES} bytes")
    if not _fits(item.ref, MAX_REF_BYTES):
        raise InputError(f"the reference {item.ref[:40]!r} is empty, no UTF-8 or longer than {MAX_REF_BYTES} bytes")
    return item


def is_kind(text: str) -> bool:
    """Whether ``text`` can name a selector kind (and so a file)."""
    return _KIND.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether ``text`` can name an authority, epoch, tier, case or basis: printable, 1 to 200 bytes of UTF-8."""
    return text.isprintable() and _fits(text, MAX_NAME_BYTES)


def _fits(text: str, max_bytes: int) -> bool:
    """Whether ``text`` is 1 to ``max_bytes`` bytes of UTF-8 (a lone surrogate is none)."""
    try:
        return 0 < len(text.encode()) <= max_bytes
    except UnicodeEncodeError:
        return False


def require_names(names: Mapping[str, str]) -> None:
    """Raise :class:`InputError` unless every value is a usable name; the keys say what each is."""
    for what, name in names.items():
        if not is_name(name):
            raise InputError(f"the {what} {name[:40]!r} must be printable text of 1 to {MAX_NAME_BYTES} bytes")


def bucket(count: int) -> int:
    """What ``count`` elements are padded to: 16, 24, 32, 48, 64, 96, ... (a power of two, or three halves of it).

    An observer learns the count only to within a factor of 1.5; padding costs at most that.
    """
    size = MIN_BUCKET
    while size < count:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return size


def is_bucket(count: int) -> bool:
    """Whether ``count`` is one of the sizes that :func:`bucket` gives."""
    return bucket(count) == count
