"""How many elements of a kind a partner may have evaluated in one day (UTC), and why so many.

A partner that could ask without end could try every phone number of a country. The budget makes that take years
while an ordinary case, even one that asks with a whole holding of ten thousand entities, fits. What is counted are
the blinded elements of a request, its padding included: the holder cannot tell them apart.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from palermo.node.matching.models import BudgetUse


class Budget(NamedTuple):
    """Elements a day, and the reason for that number."""

    elements: int
    reason: str


BUDGETS: dict[str, Budget] = {
    "phone": Budget(100_000, "a country's 10^9 numbers would take 27 years"),
    "email": Budget(100_000, "addresses are too many to enumerate; the limit is that of a large holding"),
    "iban": Budget(100_000, "account numbers of one bank (10^10) would take 270 years"),
    "account": Budget(100_000, "account numbers of one bank (10^10) would take 270 years"),
    "wallet": Budget(100_000, "addresses are too many to enumerate; the limit is that of a large holding"),
    "passport": Budget(50_000, "a country's 10^8 numbers would take 5 years"),
    "national_id": Budget(50_000, "the birth dates and serials of a country (10^8) would take 5 years"),
    "imei": Budget(50_000, "the serials of one model (10^6) would take 20 days, all models 10^5 times that"),
    "vehicle": Budget(50_000, "the serials of one model year (10^6) would take 20 days, all models 10^5 times that"),
    "vessel": Budget(5_000, "there are but 10^6 IMO numbers: enough for every vessel of the sanctions lists, no more"),
    "domain": Budget(50_000, "the 3.5 * 10^8 registered domains would take 20 years"),
    "company": Budget(50_000, "a register's 10^8 numbers would take 5 years"),
    "person": Budget(500_000, "each name gives several keys; names with birth years are too many to enumerate"),
}
OTHER = Budget(50_000, "a kind without a row of its own: the limit of the kinds that can be enumerated in years")


class Most(NamedTuple):
    """How many a partner may have live at once, and the reason for that number."""

    number: int
    reason: str


LIVE_MANIFESTS = Most(
    4, "a tier: the present epoch, the next, and two opened early for new data; older ones are replaced"
)
LIVE_TIERS = Most(16, "a partner: its holdings fall into a handful of circles that we are in")


class OverBudgetError(Exception):
    """A request would exceed a partner's budget of the day; `kind`, `left` and `asked` say by how much."""

    def __init__(self, kind: str, left: int, asked: int) -> None:
        self.kind = kind
        self.left = left
        self.asked = asked
        super().__init__(
            f"your budget for {kind} leaves {left} elements today (UTC) and this run asks for {asked}:"
            " ask with fewer inputs, or tomorrow"
        )


def budget(kind: str) -> Budget:
    """The budget of a kind."""
    return BUDGETS.get(kind, OTHER)


def charge(partner: str, elements: Mapping[str, int], day_date: date) -> None:
    """Count a request against the day's budgets, or raise `OverBudgetError`. Call inside a transaction."""
    spent = left_over(partner, day_date)
    for kind, asked in sorted(elements.items()):
        left = spent.get(kind, budget(kind).elements)
        if asked > left:
            raise OverBudgetError(kind, left, asked)
    for kind, asked in sorted(elements.items()):
        use, _ = BudgetUse.objects.select_for_update().get_or_create(partner=partner, kind=kind, day_date=day_date)
        use.spent += asked
        use.save(update_fields=["spent"])


def left_over(partner: str, day_date: date) -> dict[str, int]:
    """What is left today, by each kind that was asked."""
    used = BudgetUse.objects.select_for_update().filter(partner=partner, day_date=day_date)
    return {use.kind: max(budget(use.kind).elements - use.spent, 0) for use in used}
