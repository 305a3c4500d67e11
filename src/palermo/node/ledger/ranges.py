"""Numbers of entries as text: ``0-41 43 50-99``."""

import re
from collections.abc import Iterable

_RANGE = re.compile(r"(\d{1,15})(?:-(\d{1,15}))?")


def ranges_of(indexes: Iterable[int]) -> list[tuple[int, int]]:
    """Rising numbers as ranges, each from its first to its last."""
    ranges: list[tuple[int, int]] = []
    for index in indexes:
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1] = (ranges[-1][0], index)
        else:
            ranges.append((index, index))
    return ranges


def write_ranges(ranges: Iterable[tuple[int, int]]) -> str:
    """Ranges as text."""
    return " ".join(f"{first}-{last}" if first != last else str(first) for first, last in ranges)


def read_ranges(text: str) -> list[tuple[int, int]]:
    """Ranges from text. Raises ``ValueError`` for anything else."""
    ranges = []
    for part in text.split(" "):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is no range of entries")
        ranges.append((int(match[1]), int(match[2] or match[1])))
    return ranges
