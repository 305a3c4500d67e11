"""Selectors: values that identify a person or thing well enough for two authorities to find they hold the same.

One file a kind; a new kind is a new file here that holds a `Kind` named ``KIND``. The laws every kind keeps are in
``tests/laws/test_selector_laws.py``.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import NamedTuple

from palermo.subjects.entities import Entity, SubjectsError
from palermo.subjects.selectors.kind import Example, Kind

__all__ = ["KINDS", "Example", "Kind", "Selector", "UnknownKindError", "parse", "selectors_of"]


class Selector(NamedTuple):
    """A value in canonical form and the code of its kind."""

    kind: str
    value: str


class UnknownKindError(SubjectsError):
    """No kind has this code; the codes there are stand in `KINDS`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"no selector kind {code!r}; there are {', '.join(KINDS)}")


def _registered() -> dict[str, Kind]:
    """Every ``KIND`` in this folder by its code, in the order of the codes."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    kinds = sorted((module.KIND for module in modules if hasattr(module, "KIND")), key=lambda kind: kind.code)
    return {kind.code: kind for kind in kinds}


KINDS: Mapping[str, Kind] = MappingProxyType(_registered())
"""All kinds by code, in alphabetical order."""


def parse(kind: str, text: str, *, country: str | None = None) -> str | None:
    """Canonical form of a text as a value of this kind, or None; raises `UnknownKindError` for no such kind."""
    try:
        rule = KINDS[kind]
    except KeyError:
        raise UnknownKindError(kind) from None
    return rule.parse(text, country=country)


def selectors_of(entity: Entity) -> Iterator[Selector]:
    """Every selector an entity carries, each once, by kind and then value."""
    for code, kind in KINDS.items():
        for value in sorted(set(kind.of_entity(entity))):
            yield Selector(code, value)
