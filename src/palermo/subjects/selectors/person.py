"""A person by name and birth date: keys that two lists' entries for one person share.

A blind match compares for equality, so a person carries several keys, each blind to some of the differences between
lists; a leading mark says which:

========================  ==================================================================================
``ali hassan omar``       words of one full name, folded and sorted, without particles and titles
``ali hassan omar|1965``  the same with a birth year; also for weak aliases and people known by one name
``=eeiijmnnwz|1965``      letters of a short name, sorted: blind to where it is divided (Zemin, Ze-min)
``~hsn mr slm|1965``      consonants of each word, sorted: blind to romanisation and vowels, so across scripts
``+hsn mr|1965-03-02``    consonants of any two words with the whole birth date: blind to names left out
========================  ==================================================================================

The looser a key is about the name, the more it asks of the birth date. What each finds and costs on real lists is
measured by ``benchmarks/person_keys.py`` and stands in ``docs/reference/person-keys.md``.

Source: `palermo.subjects.names`; dates are ISO 8601 calendar dates, whole or cut to the year; a weak alias is
FollowTheMoney's: too broad to match by itself.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from palermo.subjects.entities import Entity
from palermo.subjects.names import compounds, name_words, skeleton
from palermo.subjects.selectors.kind import MAX_TEXT, Example, Kind

LETTERS = range(3, 201)
"""How many letters the words of a name may have together."""

LETTERS_IF_UNDIVIDED = range(8, 17)
"""The same for `letters_with_year`: shorter names share their letters with others, longer ones are divided alike."""

MIN_CONSONANTS = 5
MAX_PAIRED_WORDS = 6
COMMON = frozenset({"mhmd", "hmd", "l"})
"""Consonants of Muhammad, of Ahmad and Hamid, and of Ali: so common that they tell nobody apart."""

_YEAR = r"[12]\d{3}"
_BONES = "[dfhjklmnprst]+"
_DERIVED = re.compile(
    rf"(?:=[a-z]{{8,16}}|~{_BONES}(?: {_BONES})+)\|{_YEAR}|\+{_BONES} {_BONES}\|({_YEAR}-\d\d-\d\d)", re.ASCII
)
_WITH_BIRTH = re.compile(rf"([^|]*)(?:\|({_YEAR})(-\d\d(?:-\d\d)?)?)?", re.ASCII)
_BIRTH = re.compile(rf"({_YEAR})(-\d\d-\d\d)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """One full name as its comparable words, sorted, with what is known of the birth."""

    words: tuple[str, ...]
    years: tuple[str, ...]
    dates: tuple[str, ...]
    weak: bool
    skeletons: tuple[str, ...]
    """Consonants of each word that has any, compound names joined first, in the name's own order."""


def name_alone(reading: Reading) -> Iterator[str]:
    """Two or more names, whatever the birth year."""
    if not reading.weak and _names_somebody(reading.words):
        yield " ".join(reading.words)


def name_with_year(reading: Reading) -> Iterator[str]:
    """All words and a birth year."""
    for year in reading.years:
        yield f"{' '.join(reading.words)}|{year}"


def letters_with_year(reading: Reading) -> Iterator[str]:
    """All letters in order of the alphabet and a birth year."""
    letters = "".join(sorted("".join(reading.words)))
    if len(letters) in LETTERS_IF_UNDIVIDED and COMMON.isdisjoint(reading.skeletons):
        for year in reading.years:
            yield f"={letters}|{year}"


def consonants_with_year(reading: Reading) -> Iterator[str]:
    """Consonants of each word and a birth year, if enough is left to tell people apart."""
    telling = set(reading.skeletons) - COMMON
    if len("".join(reading.skeletons)) >= MIN_CONSONANTS and len(telling) >= 2:
        for year in reading.years:
            yield f"~{' '.join(sorted(reading.skeletons))}|{year}"


def pair_with_date(reading: Reading) -> Iterator[str]:
    """Consonants of any two telling words and the whole birth date."""
    telling = sorted({bones for bones in reading.skeletons if len(bones) >= 2} - COMMON)[:MAX_PAIRED_WORDS]
    for pair in combinations(telling, 2):
        if len("".join(pair)) >= MIN_CONSONANTS:
            for day in reading.dates:
                yield f"+{' '.join(pair)}|{day}"


FAMILIES: Mapping[str, Callable[[Reading], Iterator[str]]] = {
    "name": name_alone,
    "name, year": name_with_year,
    "letters, year": letters_with_year,
    "consonants, year": consonants_with_year,
    "two words, date": pair_with_date,
}
"""Families of keys, the strictest about the name first."""


def readings(entity: Entity) -> Iterator[Reading]:
    """Every full name of a person in comparable words, the same words once."""
    if entity.schema != "Person":
        return
    births = [match for text in entity.all("birthDate") if (match := _BIRTH.match(text))]
    years = tuple(dict.fromkeys(match[1] for match in births))
    dates = tuple(dict.fromkeys(match[0] for match in births if match[2] and _is_date(match[0])))
    strong = entity.all("name", "alias", "previousName")
    seen = set()
    for name in entity.names:
        words = _comparable(name)
        if words and (key := tuple(sorted(words))) not in seen:
            seen.add(key)
            bones = tuple(bones for word in compounds(words) if (bones := skeleton(word))) if years else ()
            yield Reading(key, years, dates, name not in strong, bones)


def of_entity(entity: Entity) -> Iterator[str]:
    """Keys of every family for every name of a person."""
    for reading in readings(entity):
        for family in FAMILIES.values():
            yield from family(reading)


def parse(text: str, *, country: str | None = None) -> str | None:
    """Read a key, or ``NAME`` or ``NAME|BIRTH`` as a name key; one name alone, without a birth year, names nobody."""
    if len(text) > MAX_TEXT:
        return None
    if text[:1] in ("=", "~", "+"):
        return text if _is_derived(text) else None
    match = _WITH_BIRTH.fullmatch(text.strip())
    words = sorted(_comparable(match[1])) if match else []
    if not match or not words or not (match[2] or _names_somebody(words)):
        return None
    return " ".join(words) + (f"|{match[2]}" if match[2] else "")


def _comparable(name: str) -> tuple[str, ...]:
    """Words of a name, or none if they are too few letters for a name or so many that it is a description."""
    words = name_words(name) if len(name) <= MAX_TEXT else ()
    return words if sum(map(len, words)) in LETTERS else ()


def _names_somebody(words: Sequence[str]) -> bool:
    """Whether sorted words are two names or more; a compound such as Abu Bakr is one, and many people's."""
    return len(words) >= 2 and len(compounds(words)) >= 2


def _is_derived(text: str) -> bool:
    """Whether a marked text is a key exactly as this file writes it."""
    match = _DERIVED.fullmatch(text)
    if not match:
        return False
    body = text[1 : text.index("|")]
    parts = list(body) if text[0] == "=" else body.split(" ")
    return parts == sorted(parts) and (match[1] is None or _is_date(match[1]))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


KIND = Kind(
    code="person",
    title="Person (name and birth date)",
    source="Own rule: folded, transliterated and sorted words of each full name (ICU transforms, Unicode CLDR)",
    parse=parse,
    of_entity=of_entity,
    examples=(
        Example("ali hassan omar", ("Omar Hassan ALI", "ALI, Omar Hassan", "Shaykh Omar bin Hassan al-‘Alī")),
        Example("ivan petrov|1971", ("Ivan PETROV|1971", "Петров, Иван|1971", "Petrov Ivan|1971-05-04")),
        Example("sad tarek|1980", ("Tarek al-Sa'd|1980", "SA’D Tarek|1980")),
        Example("~hsn mr slm|1965", ()),
        Example("+hsn mr|1965-03-02", ()),
    ),
    garbage=("", "Omar", "Abu Omar", "123 456", "|1965", "~mr hsn|1965", "+hsn mr|1965-13-02", "=zyx|1965", "—"),
)
