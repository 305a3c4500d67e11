"""An epoch that ends while it is being published leaves no seed and no token on disk, and offers nothing."""

from datetime import timedelta

import pytest

from palermo import blind
from palermo.node import home
from palermo.node.exchange.models import Outgoing
from palermo.node.holdings import queries as holdings
from palermo.node.matching import actions, files
from palermo.node.matching.actions import epochs
from palermo.node.matching.models import Epoch, Publication
from palermo.node.matching.states import EpochState

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"


def _left_on_disk(sides) -> list[str]:
    with sides.at(HOLDER):
        folders = (home.epoch_seeds_folder(), home.publications_folder() / "own")
        return [path.name for folder in folders if folder.is_dir() for path in folder.rglob("*")]


def _end(sides, epoch) -> None:
    with sides.at(HOLDER):
        assert actions.close_due_epochs(epoch.valid_until) == 1


def _at(monkeypatch, module, name, act) -> None:
    """Let ``act`` happen right after a function, once, as another thread could."""
    original, done = getattr(module, name), []

    def wrapped(*arguments, **named):
        result = original(*arguments, **named)
        if not done:
            done.append(True)
            act()
        return result

    monkeypatch.setattr(module, name, wrapped)


@pytest.mark.parametrize(
    ("module", "name"),
    [(holdings, "tiers"), (blind, "publish"), (files, "save_publication"), (files, "read_seed")],
)
def test_the_clock_ends_it_at_any_moment_of_the_work(sides, opened, monkeypatch, module, name):
    _at(monkeypatch, module, name, lambda: _end(sides, opened))
    try:
        sides.work()
    except (files.SeedGoneError, FileNotFoundError):
        sides.work()  # the job runs again, as after every failure
    assert _left_on_disk(sides) == []
    assert Epoch.objects.get().state == EpochState.CLOSED
    assert (Publication.objects.count(), Outgoing.objects.count()) == (0, 0)


def test_a_job_that_starts_late_makes_no_seed(sides, opened):
    sides.now = opened.valid_until
    sides.work()
    assert _left_on_disk(sides) == []
    assert Publication.objects.count() == 0


def test_a_job_that_runs_again_after_the_end_removes_what_a_killed_one_left(sides, opened):
    _end(sides, opened)
    with sides.at(HOLDER):
        files.write_seed(opened.code, b"s" * 32)
    sides.work()
    assert _left_on_disk(sides) == []


def test_the_clock_sweeps_what_was_written_after_the_end(sides, offered):
    _end(sides, offered)
    with sides.at(HOLDER):
        files.write_seed(offered.code, b"s" * 32)
        files.publication_folder(offered.code, "tier").mkdir(parents=True)
        assert actions.close_due_epochs(offered.valid_until + timedelta(minutes=1)) == 0
    assert _left_on_disk(sides) == []


def test_the_sweep_leaves_a_running_epoch_alone(sides, offered):
    before = _left_on_disk(sides)
    with sides.at(HOLDER):
        actions.close_due_epochs(sides.now)
    assert before and _left_on_disk(sides) == before


def test_publishing_again_an_epoch_that_is_open_destroys_nothing(sides, offered):
    before = _left_on_disk(sides)
    with sides.at(HOLDER):
        epochs.publish(offered.code, lambda share: None, sides.now)
    assert _left_on_disk(sides) == before
