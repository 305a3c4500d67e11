"""A road vehicle by its Vehicle Identification Number.

Rule: ISO 3779: 17 letters and digits, never I, O or Q, which are therefore read as 1 and 0. Where the check digit in
the ninth place is law it must hold: North America (first character 1 to 5; 49 CFR 565.15(c)) and China (L; GB 16735).
Elsewhere the ninth place is free, and only the alphabet, the length and digits among the last four places (ISO 3779
asks the serial number to end in digits) tell a number from a word.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, found

CHECKED_REGIONS = frozenset("12345L")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{13}\d{4}", re.ASCII)
_LABEL = re.compile(r"^(?:VIN:?|CHASSIS(?:NO)?:?)")
_CONFUSED = str.maketrans("IOQ", "100")
_VALUES = {
    **{str(n): n for n in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True)),
}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def check_digit(vin: str) -> str:
    """What the ninth place of a 17-character number must hold: ``0`` to ``9`` or ``X`` (49 CFR 565.15(c)(4))."""
    remainder = sum(_VALUES[letter] * weight for letter, weight in zip(vin, _WEIGHTS, strict=True)) % 11
    return "X" if remainder == 10 else str(remainder)


def parse(text: str, *, country: str | None = None) -> str | None:
    """17 characters in upper case."""
    vin = _LABEL.sub("", compact(text)).translate(_CONFUSED)
    if not _VIN.fullmatch(vin) or len(set(vin)) < 3:
        return None
    return None if vin[0] in CHECKED_REGIONS and vin[8] != check_digit(vin) else vin


def of_entity(entity: Entity) -> Iterator[str]:
    """``registrationNumber`` of a vehicle where it is an identification number and no number plate."""
    return found(parse(text) for text in entity.all("registrationNumber")) if entity.schema == "Vehicle" else iter(())


KIND = Kind(
    code="vehicle",
    title="Road vehicle (VIN)",
    source="ISO 3779:2009; 49 CFR 565.15; GB 16735",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("1M8GDM9AXKP042788", ("1m8gdm9axkp042788", "VIN: 1M8GDM9A-XKP-042788", "IM8GDM9AXKPO42788")),
        Example("WVWZZZ1KZ6W000001", ("WVWZZZ 1K Z6W 000001", "VIN WVWZZZ1KZ6W000001")),
    ),
    garbage=("", "1M8GDM9A1KP042788", "AB-123-CD", "WVWZZZ1KZ6W00000", "1" * 16, "A" * 17, "WVWZZZ1KZ6W00000Ü"),
)
