"""Names as lists write them: inverted, several in one cell, with remarks and other scripts in brackets."""

import re
from dataclasses import dataclass
from typing import Literal

NameProperty = Literal["alias", "previousName", "weakAlias"]

_BRACKET = re.compile(r"\(([^()]*)\)?")
_LISTED = re.compile(r"\b(?:previously|formerly)\s+(?:listed|known)\b", re.IGNORECASE)
_REMARK = re.compile(
    r"^(?:prominently|nom de guerre|combat name|birth name|initials|false|original script$|translation|third$|the\s"
    r"|in\s|dpob|nationality)|\b(?:previously|formerly)\s+(?:listed|known)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:original script|russian script|sub-unit name|transliterations?|in arabic(?: script)?)\s*:\s*"
    r"|\s+- sub-unit name$",
    re.IGNORECASE,
)
_LIFE = re.compile(r",?\s*\bborn\s+(?:(?:on|in|circa)\s|\d).*$", re.IGNORECASE | re.DOTALL)
_KIN = re.compile(r"\s+son of\s+.*$", re.IGNORECASE | re.DOTALL)
_SCRIPT_IN_NOTE = re.compile(r"(?:original script|russian script|in arabic(?: script)?)\s*:\s*([^.;]+)", re.IGNORECASE)
_SUFFIX = re.compile(r"(?:jr|sr|i{1,3}|iv)\.?", re.IGNORECASE)
_ACRONYM = re.compile(r"[A-Z][A-Z0-9.&/-]{1,11}")
_REFERENCE = re.compile(r"[A-Z]{2}[ei]\.\d+", re.IGNORECASE)


MAX_BRACKETS = 20
"""A cell with more brackets than this is prose, not names, and stays as it is."""


@dataclass(frozen=True, slots=True)
class ListedName:
    """A name and the FollowTheMoney property it belongs to."""

    text: str
    property: NameProperty


def natural_order(name: str) -> str:
    """A person's name in spoken order: "VILLA, Jorge" gives "Jorge VILLA", "REYES, Ana, Jr." gives "Ana REYES Jr."."""
    family, *rest = (piece.strip() for piece in name.strip().strip('"').split(","))
    suffix = [rest.pop()] if rest and _SUFFIX.fullmatch(rest[-1]) else []
    return " ".join(" ".join([*rest, family, *suffix]).split())


def is_latin(text: str) -> bool:
    """Whether every letter is of the Latin script (all Latin letters stand before U+0250, or in the U+1E00 block)."""
    return all(not c.isalpha() or c < "\u02b0" or "\u1e00" <= c <= "\u1eff" for c in text)


def listed_names(text: str, *, person: bool, weak: bool = False) -> list[ListedName]:
    """The names in an alias cell.

    Semicolons part names; a bracket holds a remark ("previously listed as"), a name in another script, or an acronym.
    For a person, what follows "born" or "son of" is no part of the name, and "MAKENGA, Sultani" is turned round.
    """
    squashed = " ".join(text.replace("\ufffd", "'").split())
    brackets = _BRACKET.findall(squashed)
    if len(brackets) > MAX_BRACKETS:
        return [ListedName(squashed, "weakAlias")]
    outside = _BRACKET.sub(" ", squashed).replace(")", " ") if _brackets_leave(squashed, person) else squashed
    kind: NameProperty = "weakAlias" if weak else "alias"
    if _LISTED.search(squashed):
        kind = "previousName"
    found = [ListedName(name, kind) for piece in outside.split(";") if (name := _whole(piece, person))]
    for content in brackets:
        found += _bracketed(content, found, person, kind)
    return list(dict.fromkeys(found))


def _brackets_leave(text: str, person: bool) -> bool:
    """A company keeps "(Hong Kong)" in its name; remarks, acronyms and other scripts always go."""
    contents = _BRACKET.findall(text)
    base = _BRACKET.sub(" ", text)
    return person or any(
        _REMARK.search(c) or _LABEL.search(c) or ";" in c or is_latin(c) != is_latin(base) or _REFERENCE.fullmatch(c)
        for c in contents
    )


def _bracketed(content: str, found: list[ListedName], person: bool, kind: NameProperty) -> list[ListedName]:
    text = _LABEL.sub("", content.strip())
    if not text or _REMARK.search(text) or _REFERENCE.fullmatch(text):
        return []
    base = found[0].text if found else ""
    if ";" in text or is_latin(text) != is_latin(base):
        pieces = (_whole(piece, person) for piece in text.split(";") if not _REMARK.search(piece.strip()))
        return [ListedName(name, kind) for name in pieces if name]
    if not person and _ACRONYM.fullmatch(text) and " " in base:
        without = " ".join(_BRACKET.sub(" ", base).split())
        return [ListedName(without, kind), ListedName(text, "weakAlias")]
    return []


def _whole(piece: str, person: bool) -> str:
    """One name without what lists add to it; empty if nothing is left."""
    name = piece.strip(" ,;").strip('"').strip()
    if not person:
        return name
    name = _KIN.sub("", _LIFE.sub("", name)).strip(' ,.;"“”')
    name = natural_order(name) if "," in name else name
    return name if any(character.isalpha() for character in name) else ""


def names_in_note(note: str) -> list[str]:
    """Names that a remark on an alias gives: the original script, or transliterations of it parted by semicolons."""
    text = " ".join(note.split())
    names = [match.strip() for match in _SCRIPT_IN_NOTE.findall(text)]
    inner = [part for part in _BRACKET.findall(text) if ";" in part] or (
        [text] if ";" in text and ":" not in text else []
    )
    for part in inner:
        names += [name for piece in _LABEL.sub("", part).split(";") if (name := _whole(piece, True))]
    return names


def referred_names(text: str, *, person: bool) -> list[str]:
    """Names in "Also referred to as Bilal, Dimon and Tinet." (the UK list keeps low-quality aliases in its remarks).

    An organisation's name may hold an "and", so there only commas part names.
    """
    match = re.search(r"\balso (?:referred to|known)(?: as?)?:?\s+([^.]+)", text.replace("\ufffd", "'"), re.IGNORECASE)
    if match is None:
        return []
    phrase = re.sub(r"\([^()]*\)", " ", match[1])
    parted = re.split(r",\s*|\s+and\s+|\s+or\s+|;" if person else r",\s*|;", phrase)
    pieces = (piece.strip(" '\"‘’“”)") for piece in parted)
    return [" ".join(piece.split()) for piece in pieces if piece and not piece[0].islower() and len(piece) <= 60]
