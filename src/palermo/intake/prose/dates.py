"""Dates as lists write them, to FollowTheMoney's partial dates (`1965`, `1965-03`, `1965-03-14`)."""

import re
from datetime import date

MAX_SPAN_YEARS = 10
"""A range up to this long names each of its years, so that any of them can match; a longer one only its ends."""

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_VAGUE = re.compile(r"^(?:circa|approximately|approx\.?|about|around|between|ca?\.)\s*", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ][\d:.]+)?(?:Z|[+-]\d\d:?\d\d)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_NAMED = re.compile(r"(?:(\d{1,2})\s+)?([A-Za-z]{3,9})\.?\s*(\d{4})")
_RANGE = re.compile(r"\s+(?:to|and)\s+|(?<=\d{4})\s*[-/–]\s*(?=\d{4}$)")

Parts = tuple[int, int, int]
"""Year, month, day; a month or day of 0 is unknown."""


def partial_dates(text: str) -> tuple[str, ...]:
    """Every partial date that a date phrase allows, earliest first; nothing if it is no date phrase.

    "13 May 1965", "Sep. 1958", "circa 1951", "00/07/1980" (unknown day), "1977/1978", "01 Jan 1961 to 31 Dec 1962".
    """
    phrase = _VAGUE.sub("", " ".join(text.split())).strip(" .,;")
    parts = [_parsed(piece.strip(" .")) for piece in _RANGE.split(phrase)]
    if len(parts) == 1 and parts[0] is not None:
        return (_written(parts[0]),)
    if len(parts) == 2 and parts[0] is not None and parts[1] is not None:
        return _range(parts[0], parts[1])
    return ()


def year_range(first: str, last: str) -> tuple[str, ...]:
    """The years from `first` to `last`; nothing if either is no year or they stand the wrong way round."""
    if not (re.fullmatch(r"\d{4}", first) and re.fullmatch(r"\d{4}", last)):
        return ()
    return _range((int(first), 0, 0), (int(last), 0, 0))


def _parsed(text: str) -> Parts | None:
    if match := _ISO.fullmatch(text):
        year, month, day = (int(part or 0) for part in match.groups())
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = (int(part) for part in match.groups())
    elif match := _NAMED.fullmatch(text):
        month = _MONTHS.get(match[2][:3].lower(), 13)
        day, year = int(match[1] or 0), int(match[3])
    else:
        return None
    return (year, month, day) if _possible(year, month, day) else None


def _possible(year: int, month: int, day: int) -> bool:
    if day and not month:
        return False
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return False
    return year >= 1000


def _written(parts: Parts) -> str:
    year, month, day = parts
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")


def _range(first: Parts, last: Parts) -> tuple[str, ...]:
    if first[0] > last[0]:
        return ()
    if first[0] == last[0]:
        same_month = first[1] == last[1]
        return (_written((first[0], first[1] if same_month else 0, 0)),)
    years = range(first[0], last[0] + 1)
    chosen = years if len(years) <= MAX_SPAN_YEARS else (first[0], last[0])
    return tuple(f"{year:04}" for year in chosen)
