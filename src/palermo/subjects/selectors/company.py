"""A company or other body: the register that lists it and its number there.

Rule, written ``REGISTER:NUMBER``:

- ``LEI``: ISO 17442, 20 characters, check digits by ISO 7064 MOD 97-10;
- ``IMO``: owners and managers of ships, resolution MSC.160(78), seven digits: the last is the remainder by 11 of the
  first six, weighted 8, 6, 4, 2, 9, 7, taken from 11 and cut to one digit;
- otherwise the state whose register gave the number (ISO 3166-1 code or name), the number in upper case without
  punctuation and leading zeros, 3 to 24 characters with at least one digit.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, countries, country_code, found, issuer_and_number

_SCHEMAS = frozenset({"LegalEntity", "Organization", "Company", "PublicBody", "Person"})
_NUMBER = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{3,24}", re.ASCII)
_LEI = re.compile(r"[A-Z0-9]{18}\d{2}", re.ASCII)
_IMO = re.compile(r"(?:IMO)?(\d{7})", re.ASCII)
_REGISTERS = {"ogrnCode": "RU", "uscCode": "CN", "leiCode": "LEI", "imoNumber": "IMO"}
"""Properties whose name says the register."""


def _lei(number: str) -> str | None:
    digits = "".join(str(int(letter, 36)) for letter in number) if _LEI.fullmatch(number) else "0"
    return number if int(digits) % 97 == 1 else None


def _imo(number: str) -> str | None:
    match = _IMO.fullmatch(number)
    if not match or not match[1].strip("0"):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(match[1][:6], (8, 6, 4, 2, 9, 7), strict=True))
    return match[1] if (11 - total % 11) % 10 == int(match[1][6]) else None


_GLOBAL = {"LEI": _lei, "IMO": _imo}
"""Registers that belong to no state → the rule of their numbers."""


def parse(text: str, *, country: str | None = None) -> str | None:
    """``REGISTER:NUMBER`` such as ``GB:999001`` or ``LEI:5493001KJTIIGC8Y1R12``."""
    parts = issuer_and_number(text, country)
    if not parts:
        return None
    register, number = compact(parts[0]), compact(parts[1])
    if rule := _GLOBAL.get(register):
        checked = rule(number)
        return f"{register}:{checked}" if checked else None
    state, number = country_code(parts[0]), number.lstrip("0")
    return f"{state}:{number}" if state and _NUMBER.fullmatch(number) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``registrationNumber`` in its jurisdiction, and the numbers whose property names a register; also of traders."""
    if entity.schema not in _SCHEMAS:
        return
    for state in countries(entity, "jurisdiction", "mainCountry", "country"):
        yield from found(parse(number, country=state) for number in entity.all("registrationNumber"))
    for name, register in _REGISTERS.items():
        yield from found(parse(f"{register}:{number}") for number in entity.all(name))


KIND = Kind(
    code="company",
    title="Company (register and number)",
    source="ISO 17442-1:2020 (LEI); IMO resolution MSC.160(78); each state's register; ISO 3166-1",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("GB:999001", ("gb: 00999001", "United Kingdom:0099 9001", "GB:999-001")),
        Example("LEI:5493001KJTIIGC8Y1R12", ("lei: 5493 001K JTII GC8Y 1R12",)),
        Example("IMO:1234565", ("imo: 123 4565", "IMO:IMO1234565")),
        Example("CZ:A1234", ("A-1234", "CZ:A 1234"), country="CZ"),
    ),
    garbage=(
        "",
        "999001",
        "ZZ:999001",
        "GB:",
        "GB:AB",
        "GB:0",
        "LEI:5493001KJTIIGC8Y1R13",
        "IMO:9074729",
        "GB:999001!",
    ),
)
