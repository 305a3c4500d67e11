"""Reads of evidence. The officer comes first; without need to know there is nothing."""

from pathlib import Path

from palermo.node.evidence.rows import ConsentRow, Fault, ItemRow, PackageRow
from palermo.node.office.policy import Actor


def items(officer: Actor, case: str) -> list[ItemRow]:
    """The items of a case."""
    raise NotImplementedError


def item(officer: Actor, reference: str) -> ItemRow:
    """One item with its custody."""
    raise NotImplementedError


def content(officer: Actor, reference: str) -> Path:
    """Where an item's bytes lie, hashes checked first."""
    raise NotImplementedError


def packages(officer: Actor, case: str) -> list[PackageRow]:
    """The packages of a case, in and out."""
    raise NotImplementedError


def package(officer: Actor, reference: str) -> PackageRow:
    """One package with its items."""
    raise NotImplementedError


def package_path(officer: Actor, reference: str) -> Path:
    """The package's file, to download."""
    raise NotImplementedError


def consents(officer: Actor, item: str) -> list[ConsentRow]:
    """Recorded consents to use an item elsewhere."""
    raise NotImplementedError


def check() -> list[Fault]:
    """Every blob and package file whose bytes changed or are gone."""
    raise NotImplementedError
