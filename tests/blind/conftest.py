"""A small world for blind matches: two authorities, seeded randomness, an epoch in 2030."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from palermo.blind import (
    Confirmation,
    Hit,
    HolderRun,
    Item,
    Publication,
    Querier,
    confirm,
    evaluate,
    new_seed,
    publish,
)

NOW = datetime(2030, 1, 10, 12, tzinfo=UTC)
HOLDER, QUERIER, TIER = "XB-POL", "XA-POL", "northern-partners"


def seeded(seed: int = 1) -> Callable[[int], bytes]:
    """Repeatable randomness."""
    return random.Random(seed).randbytes


@dataclass
class Match:
    """One run between the two, step by step; every byte that crossed is in ``wire``."""

    held: Iterable[Item]
    asked: Iterable[Item]
    rng: Callable[[int], bytes] = field(default_factory=seeded)
    wire: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seed = new_seed(self.rng)
        self.publication = self.publish()
        self.wire += [self.publication.manifest, *self.publication.filters.values()]

    def publish(self, **changes: object) -> Publication:
        arguments = {
            "seed": self.seed,
            "holder": HOLDER,
            "epoch": "2030-01",
            "tier": TIER,
            "valid_from": NOW - timedelta(days=1),
            "valid_until": NOW + timedelta(days=29),
            "items": self.held,
            "rng": self.rng,
        }
        return publish(**(arguments | changes))

    def start(self, **changes: object) -> tuple[Querier, bytes]:
        arguments = {
            "run_id": "run-1",
            "querier": QUERIER,
            "manifest": self.publication.manifest,
            "filters": self.publication.filters,
            "case_reference": "case-7",
            "legal_basis": "UNTOC 27",
            "items": self.asked,
            "now": NOW,
            "rng": self.rng,
        }
        querier, request = Querier.start(**(arguments | changes))
        self.wire.append(request)
        return querier, request

    def evaluate(self, request: bytes, **changes: object) -> HolderRun:
        arguments = {
            "request": request,
            "seed": self.seed,
            "publication_manifest": self.publication.manifest,
            "querier": QUERIER,
            "now": NOW,
            "authorise": lambda summary: None,
            "rng": self.rng,
        }
        run = evaluate(**(arguments | changes))
        self.wire.append(run.evaluation)
        return run

    def confirm(self, run: HolderRun, locators: bytes) -> Confirmation:
        confirmation = confirm(run_state=run.state, confirm=locators, publication=self.publication)
        self.wire += [locators, confirmation.answer]
        return confirmation

    def finish(self) -> tuple[list[Hit], Confirmation]:
        """All steps in a row."""
        querier, request = self.start()
        run = self.evaluate(request)
        confirmation = self.confirm(run, querier.finalize(run.evaluation))
        return querier.conclude(confirmation.answer), confirmation


def phones(numbers: Iterable[int], owner: str) -> list[Item]:
    """Items of kind phone."""
    return [Item("phone", f"+99955{number:05}", f"{owner}/{number}") for number in numbers]


@pytest.fixture(scope="session")
def world() -> SimpleNamespace:
    """What this file defines, for tests that cannot import it."""
    return SimpleNamespace(
        Match=Match, phones=phones, seeded=seeded, NOW=NOW, HOLDER=HOLDER, QUERIER=QUERIER, TIER=TIER
    )
