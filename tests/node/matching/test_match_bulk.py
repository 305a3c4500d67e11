"""Limits of what crosses in bulk: filters that no message can carry, manifests without number."""

from datetime import timedelta

import pytest

from palermo import blind
from palermo.node import home
from palermo.node.exchange.handlers import Received, RefusedError
from palermo.node.matching import actions, budgets, handlers
from palermo.node.matching.messages import MANIFEST, ManifestMessage
from palermo.node.matching.models import PartnerManifest
from palermo.node.matching.steps import Step
from palermo.node.office import queries as office
from palermo.node.office.jobs import GiveUpError
from palermo.node.office.models import Job
from palermo.sealing import dsse, envelope

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


@pytest.fixture
def offer(sides):
    """Hand a manifest of BB-POL's, of the epoch and tier named, to AA-POL."""

    def hand_in(number: int, tier: str = "tier") -> None:
        made = blind.publish(
            seed=bytes([number]) * 32,
            holder=HOLDER,
            epoch=f"EPOCH-{number}",
            tier=tier,
            valid_from=sides.now + timedelta(seconds=number),
            valid_until=sides.now + timedelta(days=20),
            items=[blind.Item("phone", "+390669812345", "x")],
            rng=lambda size: b"\x05" * size,
        )
        signed = dsse.sign(MANIFEST, made.manifest, sides.network.members[HOLDER].signing)
        payload = ManifestMessage(signed, made.filters).to_bytes()
        received = Received(HOLDER, f"m{number}", MANIFEST, payload, "E", "p", "", 0, sides.now)
        with sides.at("AA-POL"):
            handlers.receive_manifest(received, now=sides.now)

    return hand_in


def _live(sides) -> list[str]:
    live = PartnerManifest.objects.filter(valid_until__gt=sides.now).order_by("pk")
    return list(live.values_list("epoch", flat=True))


def test_the_oldest_manifests_of_a_tier_are_replaced_and_their_filters_go(sides, offer):
    for number in range(7):
        offer(number)
    assert _live(sides) == [f"EPOCH-{number}" for number in range(3, 7)]
    with sides.at("AA-POL"):
        actions.close_due_epochs(sides.now)
        assert len(list((home.publications_folder() / "received").iterdir())) == budgets.LIVE_MANIFESTS.number


def test_one_that_a_run_needs_stays(sides, offer, start):
    offer(0)
    start(kinds=["phone"])
    for number in range(1, 6):
        offer(number)
    assert _live(sides) == ["EPOCH-0", "EPOCH-3", "EPOCH-4", "EPOCH-5"]


def test_a_partner_cannot_invent_tiers_without_end(sides, offer):
    for number in range(budgets.LIVE_TIERS.number):
        offer(number, tier=f"tier-{number}")
    with pytest.raises(RefusedError, match="the most we take"):
        offer(99, tier="another")
    offer(98, tier="tier-3")


def test_the_same_manifest_again_replaces_nothing(sides, offer):
    for _ in range(3):
        for number in range(budgets.LIVE_MANIFESTS.number):
            offer(number)
    assert len(_live(sides)) == budgets.LIVE_MANIFESTS.number
