"""An International Bank Account Number.

Rule: ISO 13616-1 with the lengths and structures of SWIFT's IBAN registry; check digits by ISO 7064 MOD 97-10. Spaces
and hyphens are other spellings, as is the word IBAN in front.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, found

_WRITTEN = re.compile(r"(?:IBAN:?)?([A-Z]{2}\d{2}[A-Z0-9]{11,30})", re.ASCII)


def parse(text: str, *, country: str | None = None) -> str | None:
    """Electronic format: upper case without spaces."""
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    match = _WRITTEN.fullmatch(compact(text))
    if not match:
        return None
    try:
        return str(iban.validate(match[1], check_country=False))
    except ValidationError:
        return None


def of_entity(entity: Entity) -> Iterator[str]:
    """``iban``, and ``accountNumber`` where an IBAN was put there."""
    return found(parse(text) for text in entity.all("iban", "accountNumber"))


KIND = Kind(
    code="iban",
    title="IBAN",
    source="ISO 13616-1:2020; SWIFT IBAN Registry; ISO 7064 MOD 97-10",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("GB82WEST12345698765432", ("GB82 WEST 1234 5698 7654 32", "iban gb82-west-1234-5698-7654-32")),
        Example("DE89370400440532013000", ("DE89 3704 0044 0532 0130 00", "IBAN: DE89370400440532013000")),
    ),
    garbage=(
        "",
        "GB82",
        "GB83 WEST 1234 5698 7654 32",
        "ZZ82WEST12345698765432",
        "DE8937040044053201300",
        "GB82 WEST O234",
    ),
)
