"""Whether a request names what a confirmed hit is about: then it rests on that hit, whatever the form says.

A text names a hit's subject if one of its lines has every word of a name of it (folded, in any order), or one of the
selectors that both authorities hold, however it is punctuated. Simple and strict on purpose: a namesake is found too,
and the drafter settles it by citing the hit or by leaving the name out.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from palermo.node.matching.rows import HitRow
from palermo.subjects.entities import Entity
from palermo.subjects.names import words
from palermo.subjects.selectors import selectors_of

_NAME_KIND = "person"
_SHORTEST_VALUE, _SHORTEST_SINGLE_NAME = 5, 4
_PHONE_DIGITS = 8
"""A phone number is also written without its country's prefix: its last digits tell it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells a subject in a text: sets of folded words (one a name), and values without punctuation."""

    names: frozenset[frozenset[str]]
    values: frozenset[str]


def uncited(hits: Sequence[HitRow], cited: Iterable[str], facts: Mapping[str, str]) -> list[HitRow]:
    """The hits that the facts name and the request does not cite.

    What a cited hit names as well is accounted for: a second run finds the same subject again.
    """
    chosen = set(cited)
    covered = [marks(hit) for hit in hits if hit.hit_id in chosen]
    names = {name for mark in covered for name in mark.names}
    values = {value for mark in covered for value in mark.values}
    lines = [line for text in facts.values() for line in text.splitlines()]
    return [hit for hit in hits if hit.hit_id not in chosen and _names(lines, marks(hit), names, values)]


def marks(hit: HitRow) -> Marks:
    """Names and selectors of both sides of a hit, as far as the partner disclosed its own."""
    entities: list[Entity] = [hit.our_entity, *([hit.disclosure.entity] if hit.disclosure.entity else [])]
    texts = [hit.our_caption, *(name for entity in entities for name in entity.names)]
    held = {(selector.kind, selector.value) for entity in entities for selector in selectors_of(entity)}
    held |= {(selector.kind, selector.value) for selector in hit.selectors}
    values = {_value(kind, value) for kind, value in held if kind != _NAME_KIND}
    return Marks(
        frozenset(name for text in texts if _tells(name := frozenset(words(text)))),
        frozenset(value for value in values if len(value) >= _SHORTEST_VALUE),
    )


def _tells(name: frozenset[str]) -> bool:
    return len(name) > 1 or any(len(word) >= _SHORTEST_SINGLE_NAME for word in name)


def _value(kind: str, value: str) -> str:
    """A selector's own number, without the bank, chain, country or register before the colon."""
    bare = _compact(value.rpartition(":")[2])
    return bare[-_PHONE_DIGITS:] if kind == "phone" else bare


def _compact(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).upper()


def _names(lines: Iterable[str], found: Marks, known_names: set[frozenset[str]], known_values: set[str]) -> bool:
    names, values = found.names - known_names, found.values - known_values
    return any(
        any(name <= spoken for name in names) or any(value in written for value in values)
        for spoken, written in ((frozenset(words(line)), _compact(line)) for line in lines)
    )
