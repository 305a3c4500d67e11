"""``palermo node check`` goes on to its end whatever it meets."""

import pytest

from palermo.config import checks
from palermo.node.holdings import queries as holdings


def test_a_check_that_cannot_go_on_is_a_fault_and_the_others_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks() -> list[str]:
        raise ValueError("what damage does to a row")

    monkeypatch.setattr(checks, "CHECKS", {"first": breaks, "second": list})
    (_, faults), second = checks.run()
    assert faults == ["could not be read to the end: ValueError: what damage does to a row"]
    assert second == ("second", [])


@pytest.mark.django_db
@pytest.mark.usefixtures("home")
def test_a_holding_that_nothing_was_loaded_into_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "codes", lambda: ["just-made"])
    assert checks.CHECKS["holdings"]() == []
    monkeypatch.setattr(holdings, "was_loaded", lambda code: True)
    assert checks.CHECKS["holdings"]() == ["holding just-made: CURRENT is not what was loaded"]
