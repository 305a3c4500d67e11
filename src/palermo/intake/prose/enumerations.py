"""Several values in one cell, numbered or lettered: "(1) Afghan (2) Iraqi", "a) Minister b) Governor"."""

import re

_MARKER = re.compile(r"(?:(?<=[\s,;.])|^)\(?(?:\d{1,2}|[A-Za-z])\)(?:\s*-\s*\(?(?:\d{1,2}|[A-Za-z])\))?\s*")


def items(text: str) -> list[str]:
    """The values of a cell: several if it starts with a marker, otherwise the cell itself; a dash alone is no value."""
    squashed = " ".join(text.split())
    pieces = _MARKER.split(squashed) if _MARKER.match(squashed) else [squashed]
    return [piece for raw in pieces if (piece := raw.strip(" ,;")) and piece != "-"]
