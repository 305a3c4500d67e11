"""Both parties of a run in one process, for trials: the same steps and bytes as between two nodes, measured.

Ours is the querier, theirs the holder.
"""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from palermo.blind.group import Random
from palermo.blind.holder import Matched, RunSummary, confirm, evaluate
from palermo.blind.items import Item
from palermo.blind.keys import new_seed
from palermo.blind.publication import Progress, Publication, publish
from palermo.blind.querier import Hit, Querier

OURS, THEIRS = "ours", "theirs"
_TRIAL = "trial"


class Step(NamedTuple):
    """One step of a run: who took it, over how many selectors (``evaluate``: with padding), how many bytes crossed."""

    name: str
    party: str
    selectors: int
    seconds: float
    bytes: int


class Common(NamedTuple):
    """A selector kind by which an entity of ours and one of theirs are joined."""

    kind: str
    our_id: str
    their_id: str


class Comparison(NamedTuple):
    """The entities that share a selector, sorted, and the steps that found them."""

    common: list[Common]
    steps: list[Step]


def items_of(path: str | os.PathLike[str]) -> Iterator[Item]:
    """The selectors of the entities in a file of FollowTheMoney JSON lines; each refers to its entity's id."""
    from palermo.subjects import read_entities
    from palermo.subjects.selectors import selectors_of

    for entity in read_entities(path):
        for selector in selectors_of(entity):
            yield Item(selector.kind, selector.value, entity.id)


def compare(
    ours: Sequence[Item],
    theirs: Sequence[Item],
    *,
    now: datetime,
    rng: Random,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Comparison:
    """Run the whole protocol over the two parties' items. ``now`` has a time zone. Raises :class:`BlindError`."""
    timer = _Timer(clock)
    seed = new_seed(rng)
    published = _publish(seed, theirs, now, rng, progress)
    selectors = sum(len(table) for table in published.tables.values())
    timer.step("publish", THEIRS, selectors, len(published.manifest) + sum(map(len, published.filters.values())))
    querier, request = _start(ours, published, now, rng)
    timer.step("request", OURS, len({(item.kind, item.value) for item in ours}), len(request))
    run = evaluate(
        request=request,
        seed=seed,
        publication_manifest=published.manifest,
        querier=OURS,
        now=now,
        authorise=_allow,
        rng=rng,
    )
    timer.step("evaluate", THEIRS, run.summary.total_elements, len(run.evaluation))
    locators = querier.finalize(run.evaluation)
    timer.step("finalize", OURS, len(querier.positives), len(locators))
    confirmation = confirm(run_state=run.state, confirm=locators, publication=published)
    timer.step("confirm", THEIRS, len({one.locator for one in confirmation.matched}), len(confirmation.answer))
    hits = querier.conclude(confirmation.answer)
    timer.step("conclude", OURS, len({hit.locator for hit in hits}), 0)
    return Comparison(_join(hits, confirmation.matched), timer.steps)


def _publish(seed: bytes, theirs: Sequence[Item], now: datetime, rng: Random, progress: Progress | None) -> Publication:
    valid_from = now.replace(microsecond=0)
    return publish(
        seed=seed,
        holder=THEIRS,
        epoch=_TRIAL,
        tier=_TRIAL,
        valid_from=valid_from,
        valid_until=valid_from + timedelta(days=1),
        items=theirs,
        rng=rng,
        progress=progress,
    )


def _start(ours: Sequence[Item], published: Publication, now: datetime, rng: Random) -> tuple[Querier, bytes]:
    return Querier.start(
        run_id=_TRIAL,
        querier=OURS,
        manifest=published.manifest,
        filters=published.filters,
        case_reference=_TRIAL,
        legal_basis=_TRIAL,
        items=ours,
        now=now,
        rng=rng,
    )


def _allow(summary: RunSummary) -> None:
    """One's own trial needs nobody's leave."""


def _join(hits: Sequence[Hit], matched: Sequence[Matched]) -> list[Common]:
    """Both sides' references by locator, each pair of a kind once."""
    their_ids = defaultdict(list)
    for one in matched:
        their_ids[one.locator].append(one.ref)
    return sorted({Common(hit.kind, hit.ref, their_id) for hit in hits for their_id in their_ids[hit.locator]})


class _Timer:
    """Notes the steps of one comparison; each lasts from the end of the one before."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = clock()
        self.steps: list[Step] = []

    def step(self, name: str, party: str, selectors: int, size: int) -> None:
        now = self._clock()
        self.steps.append(Step(name, party, selectors, now - self._last, size))
        self._last = now
