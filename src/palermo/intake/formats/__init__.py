"""The formats that can be read: one file or folder each, found by being here.

A format module defines ``FORMAT``, and its `Format.read` is a pure function of the files: entities come out in the
order of the input, faulty rows go to `on_reject`, and what makes the whole input unusable raises `IntakeError`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from palermo.intake.errors import IntakeError, Reject
from palermo.subjects.entities import Entity


class Read(Protocol):
    """Reads files of one format."""

    def __call__(
        self,
        paths: Sequence[Path],
        on_reject: Callable[[Reject], None],
        on_progress: Callable[[int], None] = ...,
    ) -> Iterator[Entity]:
        """Yield the entities of `paths`; `on_progress` gets the number of bytes read since it was last called."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the code that names it, what it is, who publishes it, which files it wants, and its reader."""

    code: str
    title: str
    source: str
    files: str
    read: Read


@cache
def formats() -> dict[str, Format]:
    """Every format by its code, in alphabetical order."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found: dict[str, Format] = {module.FORMAT.code: module.FORMAT for module in modules}
    return dict(sorted(found.items()))


def format_of(code: str) -> Format:
    """The format of that code. Raises `IntakeError` that names those there are."""
    known = formats()
    if code not in known:
        raise IntakeError(f"unknown format {code!r}: choose one of {', '.join(known)}")
    return known[code]
