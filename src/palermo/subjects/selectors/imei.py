"""A mobile handset: its International Mobile Equipment Identity.

Rule: 3GPP TS 23.003 section 6.2: type allocation code (8 digits), serial number (6), check digit (annex B, Luhn). The
IMEISV form of 16 digits has a software version in place of the check digit, and names the same handset, as do the 14
digits alone; both become the 15-digit form.

FollowTheMoney has no property for a handset: a ``UserAccount`` with the service ``imei`` carries it as ``username``.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, found

_WRITTEN = re.compile(r"(?:IMEI(?:SV)?:?)?(\d{14,16})", re.ASCII)


def check_digit(digits: str) -> str:
    """Luhn check digit (ISO/IEC 7812-1 annex B) of digits that have none yet."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def parse(text: str, *, country: str | None = None) -> str | None:
    """15 digits with a right check digit."""
    match = _WRITTEN.fullmatch(compact(text))
    if not match or not match[1].strip("0"):
        return None
    handset = match[1][:14]
    whole = handset + check_digit(handset)
    return whole if len(match[1]) != 15 or whole == match[1] else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``username`` of a user account whose ``service`` is ``imei``."""
    if entity.schema != "UserAccount" or "imei" not in {service.lower() for service in entity.all("service")}:
        return iter(())
    return found(parse(text) for text in entity.all("username"))


KIND = Kind(
    code="imei",
    title="Mobile handset (IMEI)",
    source="3GPP TS 23.003 section 6.2 and annex B; ISO/IEC 7812-1 annex B",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example(
            "490154203237518", ("49-015420-323751-8", "IMEI: 490154203237518", "49015420323751", "4901542032375100")
        ),
        Example("356938035643809", ("35 693803 564380 9", "35-693803-564380-12")),
    ),
    garbage=("", "490154203237517", "0" * 15, "12345", "49015420323751A", "49015420323751800"),
)
