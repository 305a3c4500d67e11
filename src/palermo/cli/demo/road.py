"""The whole road, step by step, as its officers walk it. Each step says what each party learned, and is verified.

Every press of a button goes through :meth:`Person.ensure`: it looks for the effect first, so that the road can go on
after a node was killed at any moment, with nothing lost and nothing doubled.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from palermo.cli.demo import asking, finding, gathering, proving
from palermo.cli.demo.lists import Comparison, comparisons
from palermo.cli.demo.nodes import DemoError
from palermo.cli.demo.stage import ASKER, HOLDER, Outcome, Stage


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the road: its name in reports, what a person calls it, and how it is walked."""

    name: str
    title: str
    walk: Callable[[Stage], Outcome]


@dataclass(frozen=True, slots=True)
class Walked:
    """A step that was walked, and how long it took. ``failure``: "" where it was verified."""

    step: Step
    seconds: float
    outcome: Outcome
    failure: str = ""

    @property
    def ok(self) -> bool:
        """Whether the step was verified."""
        return not self.failure


def steps(lists: Path | None = None) -> list[Step]:
    """All steps in order; with a folder of lists, those are matched too (:class:`DemoError` if one is absent)."""
    compared = comparisons(lists) if lists else []
    on_lists = [_comparing(lists, item) for item in compared] if lists else []
    loading = [Step("lists", "Each authority loads a real list", partial(gathering.real_lists, compared=compared))]
    return [
        Step("people", "Officers join with password and second factor", gathering.people),
        Step("holdings", "Each authority loads what it knows", gathering.holdings),
        *(loading if compared else []),
        Step("publish", "Each authority publishes sealed filters for its partners", gathering.publish),
        *on_lists,
        Step("match", f"{ASKER} finds what {HOLDER} holds too", finding.match),
        Step("judge", "A person judges hits", finding.judge),
        Step("confirm", "Police confirm a hit, and consent to its use", asking.confirm),
        Step("request", "The central authority asks for bank records", asking.request),
        Step("answer", "The requested authority executes, with sealed evidence", asking.answer),
        Step("verify", "The package verifies offline, and only under its own trust root", proving.verify),
        Step("ledgers", "Every disclosure stands in both ledgers", proving.ledgers),
    ]


def _comparing(lists: Path, item: Comparison) -> Step:
    title = f"Blind match of {item.ours.name} with {item.theirs.name}"
    return Step(f"match-{item.name}", title, partial(finding.compare, folder=lists, item=item))


def walk(stage: Stage, road: list[Step], before: Callable[[Step], None] = lambda step: None) -> Iterator[Walked]:
    """Walk the steps, stopping at the first that fails. ``before`` is called as each begins."""
    for step in road:
        before(step)
        start = time.monotonic()
        outcome, failure = Outcome({}), ""
        try:
            outcome = step.walk(stage)
        except DemoError as error:
            failure = str(error)
        yield Walked(step, time.monotonic() - start, outcome, failure)
        if failure:
            return
