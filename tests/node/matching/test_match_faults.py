"""A worker killed at any step of a match: what was not committed is done again, what was committed is not doubled."""

from collections import Counter

import pytest

from palermo.node.cases.models import Case, CaseSubject
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Outgoing
from palermo.node.ledger.models import Entry
from palermo.node.matching import files
from palermo.node.matching.actions import epochs, querier
from palermo.node.matching.models import BudgetUse, Epoch, HeldHit, HeldRun, Hit, PartnerManifest, Publication, Run
from palermo.node.matching.states import EpochState, HeldRunState, RunState
from palermo.node.matching.steps import Step
from palermo.node.office.models import Job, Task

pytestmark = pytest.mark.django_db


class KilledError(BaseException):
    """Stands for kill -9: nothing may catch it."""


def _then_killed(function):
    def done_then_killed(*arguments, **named):
        function(*arguments, **named)
        raise KilledError

    return done_then_killed


# Of each step, the last thing that happens before its transaction commits, or after it wrote a file.
LAST_WORDS = [
    (Step.PUBLISH, files, "write_seed"),
    (Step.PUBLISH, files, "save_publication"),
    (Step.PUBLISH, epochs, "enqueue"),
    (Step.OFFER, exchange, "send"),
    (Step.PREPARE, exchange, "send"),
    (Step.EVALUATE, exchange, "send"),
    (Step.FINALIZE, exchange, "send"),
    (Step.CONFIRM, exchange, "send"),
    (Step.CONCLUDE, querier, "_announce"),
]


@pytest.mark.parametrize(("step", "module", "name"), LAST_WORDS, ids=[f"{step}-{name}" for step, _, name in LAST_WORDS])
def test_a_step_killed_before_its_commit_and_run_again_twice_acts_once(
    sides, opened, start, monkeypatch, step, module, name
):
    def kill_once(job: Job) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, _then_killed(getattr(module, name)))
            with pytest.raises(KilledError):
                sides.run(job)
        sides.run(job)
        sides.run(job)
        Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)

    def settle() -> None:
        while True:
            job = Job.objects.filter(state=Job.State.QUEUED).order_by("pk").first()
            if job is not None and job.kind == step and not killed:
                killed.append(step)
                kill_once(job)
            elif job is not None:
                sides.run(job)
                Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
            elif not sides.post():
                return

    killed: list[str] = []
    settle()
    start()
    settle()
    assert killed == [step]
    _require_one_of_everything()


def _require_one_of_everything() -> None:
    sent = Counter(Outgoing.objects.values_list("payload_type", flat=True))
    assert set(sent.values()) == {1}
    assert len(sent) == 5
    kinds = Counter(Entry.objects.values_list("kind", flat=True))
    assert set(kinds.values()) == {1}
    counts = {model: model.objects.count() for model in (Epoch, Publication, PartnerManifest, Run, HeldRun)}
    assert set(counts.values()) == {1}
    assert (Epoch.objects.get().state, Run.objects.get().state) == (EpochState.OPEN, RunState.DONE)
    assert HeldRun.objects.get().state == HeldRunState.ANSWERED
    assert (Hit.objects.count(), HeldHit.objects.count()) == (2, 2)
    assert Case.objects.exclude(partner="").count() == 1
    assert CaseSubject.objects.filter(case__partner="AA-POL").count() == 2
    assert Task.objects.filter(key__startswith="run:").count() == 1
    assert sorted(BudgetUse.objects.values_list("spent", flat=True)) == [16, 16, 16]
