"""The legal bases that this authority recognises for a run: those of the treaty, and the agreements that it lists."""

from palermo.law.bases import Basis, all_bases
from palermo.law.bases import recognise as recognise_basis
from palermo.node import home

LONGEST = 180


def agreements() -> list[str]:
    """Names of the agreements in force that the administrator listed, one a line; none without that file."""
    path = home.agreements_file()
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [name for line in lines if (name := " ".join(line.split())) and len(name.encode()) <= LONGEST]


def offered() -> list[Basis]:
    """Every basis that a run of ours may state."""
    return all_bases(agreements())


def recognise(text: str) -> Basis | None:
    """The basis that a text states; None if this authority recognises none in it."""
    return recognise_basis(text, agreements())


def listed() -> str:
    """What is recognised, as part of a sentence."""
    return "; ".join(basis.name for basis in offered())
