"""A company or other body: the register that lists it and its number there.

Rule: a global register by its code, ``LEI`` (ISO 17442, 20 characters, check digits by ISO 7064 MOD 97-10); otherwise
the state whose register gave the number (ISO 3166-1 code or name) with the number in upper case, without punctuation
and leading zeros, 3 to 24 characters with at least one digit. Written ``REGISTER:NUMBER``.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, countries, country_code, found, issuer_and_number

_SCHEMAS = frozenset({"LegalEntity", "Organization", "Company", "PublicBody"})
_NUMBER = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{3,24}", re.ASCII)
_LEI = re.compile(r"[A-Z0-9]{18}\d{2}", re.ASCII)
_REGISTERS = {"ogrnCode": "RU", "uscCode": "CN"}
"""Properties whose name says the register."""


def parse(text: str, *, country: str | None = None) -> str | None:
    """``REGISTER:NUMBER`` such as ``GB:445790`` or ``LEI:5493001KJTIIGC8Y1R12``."""
    parts = issuer_and_number(text, country)
    if not parts:
        return None
    number = compact(parts[1])
    if compact(parts[0]) == "LEI":
        return (
            f"LEI:{number}"
            if _LEI.fullmatch(number) and int("".join(str(int(c, 36)) for c in number)) % 97 == 1
            else None
        )
    state, number = country_code(parts[0]), number.lstrip("0")
    return f"{state}:{number}" if state and _NUMBER.fullmatch(number) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``leiCode``; ``registrationNumber`` with its jurisdiction; numbers whose property names a state's register."""
    if entity.schema not in _SCHEMAS:
        return
    yield from found(parse(f"LEI:{number}") for number in entity.all("leiCode"))
    for state in countries(entity, "jurisdiction", "mainCountry", "country"):
        yield from found(parse(number, country=state) for number in entity.all("registrationNumber"))
    for name, state in _REGISTERS.items():
        yield from found(parse(number, country=state) for number in entity.all(name))


KIND = Kind(
    code="company",
    title="Company (register and number)",
    source="ISO 17442-1:2020 (LEI); each state's register; ISO 3166-1",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("GB:445790", ("gb: 00445790", "United Kingdom:0044 5790", "GB:445-790")),
        Example("LEI:5493001KJTIIGC8Y1R12", ("lei: 5493 001K JTII GC8Y 1R12",)),
        Example("CZ:A1234", ("A-1234", "CZ:A 1234"), country="CZ"),
    ),
    garbage=("", "445790", "ZZ:445790", "GB:", "GB:AB", "GB:0", "LEI:5493001KJTIIGC8Y1R13", "GB:445790!"),
)
