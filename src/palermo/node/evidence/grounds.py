"""Grounds on which a holder may lawfully keep what its provider recalls: an open set, stored by code.

To add a ground, add a row; nothing else changes. Each asks for the article of domestic law, or the order, and reasons.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ground:
    """``source``: where the ground comes from; ``asks``: what the officer has to name with it."""

    code: str
    says: str
    source: str
    asks: str


_ALL = (
    Ground(
        "court_file",
        "It is part of a court's file already: the court alone disposes of it.",
        "domestic law of procedure",
        "the court, its file number and the provision",
    ),
    Ground(
        "court_order",
        "A court has ordered that it be preserved.",
        "order of a court",
        "the court, the date of the order and its number",
    ),
    Ground(
        "exculpatory",
        "It is exculpatory to an accused person, to whom it must remain available.",
        "UNTOC Art. 18(19), second sentence; Art. 18(5)",
        "the proceedings, and the notice given to the provider",
    ),
    Ground(
        "appeal",
        "A judgment rests on it that is not final, or that is under review.",
        "domestic law of procedure",
        "the judgment and the remedy that is open",
    ),
    Ground(
        "archive_law",
        "The law binds this authority to keep the file for a stated time.",
        "domestic law of archives",
        "the provision and the date on which the duty ends",
    ),
    Ground("other", "Another provision of law forbids its deletion.", "domestic law", "the provision, in full"),
)


def all_grounds() -> dict[str, Ground]:
    """Every ground by code, in the order shown."""
    return {ground.code: ground for ground in _ALL}
