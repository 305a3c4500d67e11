"""Partners' checkpoints: kept once, and a second history found out."""

import pytest

from palermo.node.ledger import actions, queries
from palermo.node.ledger.models import Witnessed
from palermo.node.office import queries as office
from palermo.node.office.errors import AccessDeniedError, NotFoundError
from palermo.node.office.models import AuditRow
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.errors import SealingError


def partners_checkpoint(network, size: int, root: bytes, code: str = "BB-POL", origin: str = "") -> str:
    return sign_checkpoint(origin or f"palermo/{code}", size, root, network.members[code].signing)


def test_a_checkpoint_is_kept_once(network):
    text = partners_checkpoint(network, 5, b"a" * 32)
    first = actions.witness("BB-POL", text, now=network.now)
    again = partners_checkpoint(network, 5, b"a" * 32)
    assert again != text  # signing is hedged: the same statement in other bytes
    assert actions.witness("BB-POL", again, now=network.now) == first
    assert (first.size, first.root, first.conflicts) == (5, "61" * 32, False)
    assert Witnessed.objects.count() == 1 and queries.size() == 0


def test_a_second_history_is_kept_entered_and_reported(network, make_officer):
    auditor = make_officer("auditor", "auditor")
    actions.witness("BB-POL", partners_checkpoint(network, 5, b"a" * 32), now=network.now)
    second = actions.witness("BB-POL", partners_checkpoint(network, 5, b"b" * 32), now=network.now)
    assert second.conflicts
    assert [row.conflicts for row in queries.witnessed(auditor, "BB-POL")] == [True, False]
    (entry,) = queries.entries(auditor)
    assert (entry.kind, entry.counterparty) == ("witness.second_history", "BB-POL")
    (task,) = office.work_queue(auditor)
    assert "two histories" in task.title
    assert queries.check() == []


def test_two_partners_logs_are_two_logs(network):
    actions.witness("BB-POL", partners_checkpoint(network, 5, b"a" * 32), now=network.now)
    other = actions.witness("CC-FIU", partners_checkpoint(network, 5, b"b" * 32, "CC-FIU"), now=network.now)
    assert not other.conflicts


@pytest.mark.parametrize(
    ("code", "origin"), [("CC-FIU", "palermo/CC-FIU"), ("CC-FIU", "palermo/BB-POL"), ("BB-POL", "palermo/CC-FIU")]
)
def test_anothers_checkpoint_is_refused(network, code, origin):
    with pytest.raises(SealingError):
        actions.witness("BB-POL", partners_checkpoint(network, 5, b"a" * 32, code, origin), now=network.now)
    assert not Witnessed.objects.exists()


def test_who_has_looked_into_a_second_history_takes_it_off_the_queue(network, make_officer):
    auditor = make_officer("auditor", "auditor")
    for root in (b"a", b"b"):
        actions.witness("BB-POL", partners_checkpoint(network, 5, root * 32), now=network.now)
    with pytest.raises(AccessDeniedError):
        actions.acknowledge_second_history(make_officer("i", "investigator"), "BB-POL", now=network.now)
    with pytest.raises(NotFoundError):
        actions.acknowledge_second_history(auditor, "CC-FIU", now=network.now)
    assert len(office.work_queue(auditor)) == 1
    actions.acknowledge_second_history(auditor, "BB-POL", now=network.now)
    assert office.work_queue(auditor) == []
    assert AuditRow.objects.get(verb="ledger.second_history_acknowledged").target == "BB-POL"
    assert [row.conflicts for row in queries.witnessed(auditor, "BB-POL")] == [True, False]
