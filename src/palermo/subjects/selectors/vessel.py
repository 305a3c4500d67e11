"""A ship by its IMO number.

Rule: IMO Assembly resolution A.1117(30): ``IMO`` and seven digits, kept for the ship's life whatever its name or flag;
the last digit is that of the sum of the first six, weighted 7 to 2. Numbers of shipping companies look alike and have
another check digit: they are refused.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, found

_WRITTEN = re.compile(r"(?:IMO)?(?:NUMBER|NO)?[:#]?(\d{7})", re.ASCII)


def parse(text: str, *, country: str | None = None) -> str | None:
    """``IMO`` and seven digits with a right check digit."""
    match = _WRITTEN.fullmatch(compact(text))
    if not match or not match[1].strip("0"):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(match[1][:6], range(7, 1, -1), strict=True))
    return f"IMO{match[1]}" if total % 10 == int(match[1][6]) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``imoNumber`` of a vessel."""
    return found(parse(text) for text in entity.all("imoNumber")) if entity.schema == "Vessel" else iter(())


KIND = Kind(
    code="vessel",
    title="Ship (IMO number)",
    source="IMO Assembly resolution A.1117(30)",
    parse=parse,
    of_entity=of_entity,
    examples=(Example("IMO9074729", ("9074729", "IMO 9074729", "imo no. 9074729", "IMO: 907-4729")),),
    garbage=("", "9074728", "IMO 907472", "0000000", "IMO 90747290", "MMSI 907472912"),
)
