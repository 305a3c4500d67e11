"""Names of people: folded to plain letters, split into words, reduced to their consonants.

One person's name reaches two authorities by different ways: through other scripts, other romanisations (Hussein,
Husayn, حسين), with or without article (al-), patronymic (bin), title (Haji), hyphen or apostrophe (Sa'd), family name
first or last. Each step below removes one of these differences and nothing else, so that what is left can be compared
for equality, which is all that a blind match can do.

Steps: `fold` (script, accents, case) → `name_words` (titles, particles) → `compounds` (Abd al-Rahman is one name) →
`skeleton` (vowels, doubled letters, romanisations of one consonant).

Sources: ICU transforms (Unicode CLDR, UTS #35 part 2, with BGN/PCGN for Cyrillic and CLDR's surname readings for Han);
the particles and compounds of Arabic names as in A. F. L. Beeston, *Arabic Nomenclature* (Oxford, 1971).
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

_WORDS: Mapping[str, frozenset[str]] = {
    group: frozenset(words)
    for group, words in tomllib.loads((Path(__file__).parent / "names.toml").read_text("utf-8")).items()
}
"""Titles, particles and halves of compounds, by group."""

_SERVANT_JOINED = re.compile(r"abd[aeiou]{1,2}(?:[lrsznt](?=[a-z]{3})|(?=llah))")
_RELIGION_JOINED = re.compile(r"(?<=[a-z]{2})(?:[aeou]{1,2}|[aeou]l)d?d(?:in|een|ine)\Z")
_GOD_JOINED = re.compile(r"(?<=[a-z]{2})[aou]ll?ah?\Z")

_MARKS = re.compile(r"[\x91\x92'`´‘’‛ʹʻʼʽʾʿˈˊˋ՚׳＇]")
_WORD = re.compile(r"[a-z0-9]+")
_PASHTO_AND_URDU = str.maketrans("ځګښږټډړڼٹڈڑھہۀې", "زگشژتدرنتدرهههی")
"""Letters without a reading in ICU, by the Persian letter nearest in sound."""

_ARABIC_SCRIPT = re.compile(r"[\u0600-\u06ff]")
_ARABIC_READING = tuple(
    (re.compile(pattern), reading)
    for pattern, reading in (
        ("[\u0640\u064b-\u0652\u0670]", ""),  # strokes and vowel signs, seldom written
        (r"\bس[يی]د\b", " sayyid "),  # not Sa'id, from which the romanised ayn is gone
        (r"\bعمر\b", " umar "),  # not Mr
        (r"\bعبد\s*ال|\bعبد\b", " abd "),
        (r"\b[اأآ]ب[وي]\b", " abu "),
        (r"\s*الد[يی]ن\b", " din "),
        (r"\s*الل[هہھ]\b", " allah "),
        (r"\bال(?=\w{3})", " "),
        ("ة\\b", ""),
        ("(?<=[سزكکتدصضط])(?=[هحہھ])", "ا"),  # s + h is not sh: a vowel keeps them apart
    )
)
"""How a reader divides words that Arabic script writes together, in Latin letters where the reading is settled."""

_EAST_ASIAN_NAME = re.compile(r"[一-鿿㐀-䶿]{2,4}|[가-힣]{2,4}")
_CONSONANTS: tuple[tuple[str, str], ...] = (
    *(("tsch", "s"), ("shch", "s"), ("sch", "s"), ("tch", "s"), ("dzh", "j"), ("dj", "j")),
    *(("kh", "k"), ("ch", "s"), ("sh", "s"), ("gh", "k"), ("th", "t"), ("dh", "d"), ("ph", "f"), ("ck", "k")),
    *(("ce", "s"), ("ci", "s"), ("cy", "s"), ("x", "ks")),
)
"""Spellings of one consonant in the romanisations lists use, the longest first."""

_ONE_LETTER = str.maketrans("qcgbvz", "kkkpfs", "aeiouyw")
_DOUBLED = re.compile(r"(.)\1+")


@cache
def _transliterator() -> Callable[[str], str]:
    """Any script to lower-case ASCII; Cyrillic by BGN/PCGN, Han by its readings in names. Loads ICU on first use."""
    import icu

    rules = "Russian-Latin/BGN; Han-Latin/Names; Any-Latin; Latin-ASCII; Any-Lower"
    return icu.Transliterator.createInstance(rules).transliterate  # type: ignore[no-any-return]


def _romanised(text: str) -> str:
    """Another script in Latin letters, words as the script's own readers divide them."""
    if _EAST_ASIAN_NAME.fullmatch(text):
        surname = 2 if text[:2] in _WORDS["surnames"] and len(text) > 2 else 1
        parts = (_transliterator()(part) for part in (text[:surname], text[surname:]))
        return " ".join("".join(_WORD.findall(part)) for part in parts)
    if _ARABIC_SCRIPT.search(text):
        text = text.translate(_PASHTO_AND_URDU)
        for pattern, reading in _ARABIC_READING:
            text = pattern.sub(reading, text)
    return _transliterator()(text.encode("utf-16", "replace").decode("utf-16", "replace"))


@lru_cache(1 << 16)
def words(text: str) -> tuple[str, ...]:
    """Words of a text in lower-case ASCII letters and digits: ``"Sa'd al-Dīn"`` → ``("sad", "al", "din")``."""
    text = _MARKS.sub("", text).strip()
    latin = text.lower() if text.isascii() else _romanised(text)
    return tuple(_WORD.findall(_MARKS.sub("", latin)))


def fold(text: str) -> str:
    """Words of a text with single spaces between; empty if it has none. Folding twice changes nothing."""
    return " ".join(words(text))


def name_words(name: str) -> tuple[str, ...]:
    """Words of a name without particles and numerals, and without titles while two other words remain."""
    kept = tuple(word for word in words(name) if word.isalpha() and word not in _WORDS["particles"])
    untitled = tuple(word for word in kept if word not in _WORDS["titles"])
    return untitled if len(untitled) >= 2 else kept


def compounds(name: Iterable[str]) -> list[str]:
    """Join the halves of Arabic compound names, so that every way of dividing them ends alike.

    ``abd(ul) + rahman``, ``abdurrahman`` → ``abdarahman``; ``abu + bakr`` → ``abuabakr``; ``nour + eddine``,
    ``noureddine`` → ``nourdin``; ``saif + ullah``, ``saifullah`` → ``saiflah``. (The a keeps consonants apart that
    are one sound when they meet: Abd Hamid has no dh.)
    """
    joined: list[str] = []
    head = ""
    for word in name:
        if word in _WORDS["servant"]:
            head += "abda"
        elif word in _WORDS["father"]:
            head += "abua"
        elif joined and not head and word in _WORDS["religion"]:
            joined[-1] += "din"
        elif joined and not head and word in _WORDS["god"]:
            joined[-1] += "lah"
        else:
            joined.append(head + _rejoined(word))
            head = ""
    return [*joined, head] if head else joined


def _rejoined(word: str) -> str:
    """One word that already holds a compound, in the form that `compounds` gives its halves."""
    word = _SERVANT_JOINED.sub("abda", word, count=1) if word.startswith("abd") else word
    word = _RELIGION_JOINED.sub("din", word)
    return _GOD_JOINED.sub("lah", word)


@lru_cache(1 << 16)
def skeleton(word: str) -> str:
    """Consonants of a folded word, each romanisation of a consonant alike, none doubled; empty for vowels alone.

    ``hussein``, ``husayn``, ``hsyn`` → ``hsn``. Semi-vowels (y, w) and a final h go with the vowels, as Arabic script
    writes long vowels with the same letters.
    """
    for spelling, letter in _CONSONANTS:
        if spelling in word:
            word = word.replace(spelling, letter)
    bare = _DOUBLED.sub(r"\1", word.translate(_ONE_LETTER))
    return bare.removesuffix("h") if len(bare) > 1 else bare
