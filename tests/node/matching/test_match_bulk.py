"""Limits of what crosses in bulk: filters that no message can carry, manifests without number."""

import pytest

from palermo.node.matching import actions
from palermo.node.matching.steps import Step
from palermo.node.office import queries as office
from palermo.node.office.jobs import GiveUpError
from palermo.node.office.models import Job
from palermo.sealing import envelope

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"


def test_the_filters_that_no_message_can_carry_are_put_before_a_supervisor(sides, opened, supervisor, monkeypatch):
    sides.work()
    monkeypatch.setattr(envelope, "MAX_PAYLOAD_BYTES", 100)
    job = Job.objects.get(kind=Step.OFFER)
    for _ in range(2):
        with pytest.raises(GiveUpError, match="cannot be sent"):
            sides.run(job)
    (task,) = [task for task in office.work_queue(supervisor) if task.link == "/matching/"]
    assert "AA-POL cannot be offered register" in task.title and "Split the holding" in task.title
    with sides.at(HOLDER):
        actions.close_due_epochs(opened.valid_until)
    assert [task for task in office.work_queue(supervisor) if task.link == "/matching/"] == []
