"""How texts are cleaned before a kind's rule reads them: shared by the kinds, changing no meaning."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from palermo.subjects.entities import Entity
from palermo.subjects.selectors.kind import MAX_TEXT

ISSUER_MARK = ":"
"""Between who issued a number and the number, as in ``GB:123456789``."""

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_HALF_CHARACTER = re.compile("[\\ud800-\\udfff]")
_PUNCTUATION = re.compile(r"[\s./\\\-–—_'’·,]+")


def plain(text: str) -> str:
    """Full-width letters narrow (NFKC), marks that cannot be seen gone, no space around; empty if no valid text.

    Over `MAX_TEXT` characters, or with half of a surrogate pair (which no UTF-8 can carry), a text is not valid.
    """
    if len(text) > MAX_TEXT or _HALF_CHARACTER.search(text):
        return ""
    narrow = text if text.isascii() else unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return narrow.strip()


def compact(text: str) -> str:
    """Letters and digits in upper case without what people put between them: ``ab-12 3`` → ``AB123``."""
    return _PUNCTUATION.sub("", plain(text)).upper()


def issuer_and_number(text: str, issuer: str | None) -> tuple[str, str] | None:
    """Split ``ISSUER:NUMBER``; a text without the mark belongs to `issuer`, or to nobody (None)."""
    before, mark, after = plain(text).partition(ISSUER_MARK)
    if mark:
        return (before.strip(), after.strip())
    return (issuer, before) if issuer else None


@lru_cache(4096)
def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 code in upper case, from such a code or a country's name in any script; None if unknown.

    States that are gone keep their code where it was never given again. ZZ, "unknown", is no country.
    """
    from rigour.territories import get_territory, lookup_territory

    name = plain(text)
    if not name:
        return None
    known = get_territory(name.lower()) if len(name) == 2 else None
    territory = known or lookup_territory(name)
    if territory is None or len(territory.code) != 2 or territory.code == "zz":
        return None
    is_state = territory.is_country or territory.is_jurisdiction or territory.is_historical
    return territory.code.upper() if is_state else None


def countries(entity: Entity, *properties: str) -> tuple[str, ...]:
    """Country codes in the first of these properties that names any, each once."""
    for name in properties:
        codes = [code for text in entity.all(name) if (code := country_code(text))]
        if codes:
            return tuple(dict.fromkeys(codes))
    return ()


def found(values: Iterable[str | None]) -> Iterator[str]:
    """The values that were read, without the texts that were none."""
    return (value for value in values if value is not None)
