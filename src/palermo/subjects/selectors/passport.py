"""A passport: the state that issued it and its number.

Rule: ICAO Doc 9303 part 4: the document number is letters and digits, nine in the machine-readable zone and longer in
some states; here 5 to 15 with at least one digit. The issuer is an ISO 3166-1 code. Written ``STATE:NUMBER``; the
state may be given as its code or name, or by `country`.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, countries, country_code, found, issuer_and_number

_NUMBER = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{5,15}", re.ASCII)
_LABEL = re.compile(r"^\s*passport\s*(?:no|number|#)?[.:#]?\s*", re.IGNORECASE)


def parse(text: str, *, country: str | None = None) -> str | None:
    """``STATE:NUMBER`` such as ``GB:123456789``."""
    parts = issuer_and_number(_LABEL.sub("", text), country)
    if not parts:
        return None
    state, number = country_code(parts[0]), compact(parts[1])
    return f"{state}:{number}" if state and _NUMBER.fullmatch(number) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``number`` of a passport with its ``country``; a person's ``passportNumber`` with each nationality."""
    if entity.schema == "Passport":
        numbers, states = entity.all("number", "passportNumber"), countries(entity, "country")
    else:
        numbers, states = entity.all("passportNumber"), countries(entity, "nationality", "citizenship", "country")
    return found(parse(number, country=state) for number in numbers for state in states)


KIND = Kind(
    code="passport",
    title="Passport",
    source="ICAO Doc 9303 part 4, section 4.2.2 (document number); ISO 3166-1",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("NL:L898902C3", ("NL:L898902C3", "Netherlands: l898-902-c3")),
        Example("TN:A12345", ("A 12345", "Passport No. A12345", "tn:a12345"), country="TN"),
    ),
    garbage=("", "A12345", "ZZ:A12345", "TN:", "TN:ABCDEFG", "TN:1234", "TN:A12345?"),
)
