"""A person's number in a national register or on an identity card.

Rule: set by each state; no rule is common to all but letters and digits, here 4 to 24 with at least one digit, written
without punctuation. One state issues several kinds of number (identity card, tax, social security), each with check
digits of its own, and a source seldom says which it means: so none is checked, and two numbers meet when state and
characters do. Written ``STATE:NUMBER``, the state an ISO 3166-1 code, a name, or given by `country`.
"""

import re
from collections.abc import Iterator

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import Example, Kind
from palermo.subjects.selectors.spelling import compact, countries, country_code, found, issuer_and_number

_NUMBER = re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{4,24}", re.ASCII)


def parse(text: str, *, country: str | None = None) -> str | None:
    """``STATE:NUMBER`` such as ``CO:19065009``."""
    parts = issuer_and_number(text, country)
    if not parts:
        return None
    state, number = country_code(parts[0]), compact(parts[1])
    return f"{state}:{number}" if state and _NUMBER.fullmatch(number) else None


def of_entity(entity: Entity) -> Iterator[str]:
    """``number`` of an identification that is no passport; a person's ``idNumber`` with each nationality."""
    if entity.schema == "Identification":
        numbers, states = entity.all("number"), countries(entity, "country")
    elif entity.schema == "Person":
        numbers = entity.all("idNumber", "socialSecurityNumber")
        states = countries(entity, "nationality", "citizenship", "country")
    else:
        return iter(())
    return found(parse(number, country=state) for number in numbers for state in states)


KIND = Kind(
    code="national_id",
    title="National identity number",
    source="Each state's register; ISO 3166-1 for the state",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("CO:12345678", ("Colombia: 12.345.678", "co:12345678", "CO: 12 345 678")),
        Example("ES:12345678Z", ("12345678-Z", "12.345.678 z"), country="ES"),
    ),
    garbage=("", "12345678", "ZZ:12345678", "CO:", "CO:ABCDEF", "CO:123", "CO:12345678 (approx.)"),
)
