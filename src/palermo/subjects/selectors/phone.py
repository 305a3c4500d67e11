"""A telephone number in international form.

Rule: ITU-T E.164 (11/2010): ``+``, country code, national number, at most 15 digits. Only lengths that the country's
numbering plan allows are taken; whether a range is in use is not asked, since ranges open faster than tables follow.

Spaces, brackets, ``00`` for ``+`` and ``tel:`` are other spellings. A number without country code needs `country`; an
extension is dropped, as the line is the same.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import countries, found, plain

_WRITTEN = re.compile(r"(?:tel:)?\s*((?:\+|00)?[\d\s().\-–/]{4,40})(?:\s*(?:;ext=|ext\.?|x)\s*\d{1,7})?", re.IGNORECASE)


def parse(text: str, *, country: str | None = None) -> str | None:
    """E.164 form such as ``+12025550123``."""
    match = _WRITTEN.fullmatch(plain(text))
    if not match:
        return None
    number = re.sub(r"[^\d+]", "", match[1])
    if number.startswith("00"):
        number = f"+{number[2:]}"
    e164 = _formatted(number, country)
    return e164 if e164 and _formatted(e164, None) == e164 else None


def _formatted(number: str, country: str | None) -> str | None:
    """One reading of a number; a text such as +44 (0)0700 has two, as each drops one more zero, and so is refused."""
    import phonenumbers

    try:
        read = phonenumbers.parse(number, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(read):
        return None
    return phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)


def of_entity(entity: Entity) -> Iterator[str]:
    """``phone``, read in the country of the entity where it has none of its own."""
    home = next(iter(countries(entity, "country", "mainCountry", "nationality", "jurisdiction")), None)
    return found(parse(text, country=home) for text in entity.all("phone"))


KIND = Kind(
    code="phone",
    title="Telephone number",
    source="ITU-T Recommendation E.164 (11/2010)",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example(
            "+12025550123", ("+1 (202) 555-0123", "001 202 555 0123", "tel:+1-202-555-0123", "+1.202.555.0123 ext. 7")
        ),
        Example("+447700900123", ("07700 900123", "+44 7700 900 123", "+44 (0)7700 900123"), country="GB"),
    ),
    garbage=(
        "",
        "12",
        "+999 1234567",
        "call me",
        "+1 202 555 0123 or so",
        "++12025550123",
        "202 555 0123",
        "+44 (0)0700900123",
    ),
)
