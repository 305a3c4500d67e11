"""A whole holding against a whole holding: ten thousand entities and sixty thousand selectors at each side."""

import pytest

from palermo.node.matching import actions, queries
from palermo.node.matching.models import HeldHit
from palermo.node.matching.states import RunState
from palermo.node.office.models import Job
from palermo.subjects.entities import Entity

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

ENTITIES, COMMON = 10_000, 3_000


def _invented(prefix: str, first: int) -> list[Entity]:
    """People with five e-mail addresses each and a name; the address tells who is common to both."""
    return [
        Entity(
            f"{prefix}-{number}",
            "Person",
            {
                "name": (_name(prefix, number),),
                "email": tuple(f"p{number}.{i}@example.org" for i in range(5)),
            },
        )
        for number in range(first, first + ENTITIES)
    ]


def _name(prefix: str, number: int) -> str:
    """Two words that no other number has: each decimal digit is a syllable."""
    syllables = [("ba", "co", "du", "fe", "gi", "lo", "mu", "na", "pe", "ri")[int(digit)] for digit in f"{number:06d}"]
    return f"{prefix}{''.join(syllables[:3])} {''.join(syllables[3:])}"


def test_all_in_common_is_found_in_bulk(sides, fill, start, investigator, supervisor, django_assert_max_num_queries):
    fill("ours", "AA-POL", _invented("aa", 0))
    fill("theirs", "BB-POL", _invented("bb", ENTITIES - COMMON), hit_reveals="data")
    with sides.at("BB-POL"):
        actions.open_epoch(supervisor, now=sides.now)

    def settle() -> None:
        while True:
            job = Job.objects.filter(state=Job.State.QUEUED).order_by("pk").first()
            if job is not None:
                sides.run(job)
                Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
            elif not sides.post():
                return

    settle()
    run = start(inputs="ours", kinds=None)
    with django_assert_max_num_queries(1_000):  # in bulk: hits by the hundred, never one by one
        settle()
    ended = queries.run(investigator, run.run_id)
    assert (ended.state, ended.failure, ended.hits) == (RunState.DONE, "", COMMON)
    assert sum(ended.counts.values()) == 60_000
    assert HeldHit.objects.count() == COMMON
    assert sum(1 for _ in queries.compare_report(investigator, run.run_id)) == COMMON
