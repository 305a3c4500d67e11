"""A bank account that has no IBAN: the bank and the number it gave.

Rule: the bank by its ISO 9362 identifier (BIC, cut to the eight characters that name the institution and its country,
since branches share accounts) or else by its name, folded; the number in upper case without punctuation and leading
zeros, 4 to 34 characters with at least one digit (the room ISO 13616 gives to a national number). Written
``BANK:NUMBER``. An IBAN says its bank itself and is left to that kind.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.names import fold
from palermo.subjects.selectors import iban
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, country_code, found, issuer_and_number

_BIC = re.compile(r"([A-Z]{4}([A-Z]{2})[A-Z0-9]{2})(?:[A-Z0-9]{3})?", re.ASCII)
_NUMBER = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{4,34}", re.ASCII)


def _bank(text: str) -> str:
    """Eight characters of a BIC, or the bank's name in folded words; empty if there are none."""
    name = fold(text).upper()
    match = _BIC.fullmatch(name)
    return match[1] if match and country_code(match[2]) == match[2] else name


def parse(text: str, *, country: str | None = None) -> str | None:
    """``BANK:NUMBER`` such as ``DEUTDEFF:532013000``."""
    parts = issuer_and_number(text, None)
    if not parts or iban.parse(parts[1]):
        return None
    bank, number = _bank(parts[0]), compact(parts[1]).lstrip("0")
    return f"{bank}:{number}" if bank and _NUMBER.fullmatch(number) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``accountNumber`` with ``bic``, and with ``bankName``: the other side may know only one of them."""
    banks = entity.all("bic", "bankName")
    return found(
        parse(f"{bank.replace(':', ' ')}:{number}") for number in entity.all("accountNumber") for bank in banks
    )


KIND = Kind(
    code="account",
    title="Bank account (bank and number)",
    source="ISO 9362:2022 for the bank; the bank's own number, within the limits of ISO 13616-1",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("DEUTDEFF:532013000", ("DEUTDEFFXXX:0532013000", "deutdeff : 532-013-000", "DEUTDEFF500:0532 013 000")),
        Example("FIRST BANK OF NOWHERE:12A45", ("First Bank of Nowhere: 12a-45", "FIRST BANK, OF NOWHERE:0012 A45")),
    ),
    garbage=(
        "",
        "12345678",
        ":12345678",
        "DEUTDEFF:",
        "DEUTDEFF:ABC",
        "DEUTDEFF:0000",
        "DEUTDEFF:DE89370400440532013000",
    ),
)
