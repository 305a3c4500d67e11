"""What is protected is never published and never asked about, whenever it was protected."""

import pytest

from palermo import blind
from palermo.node.holdings import actions as holdings
from palermo.node.matching import files
from palermo.node.matching.actions import epochs, querier
from palermo.node.matching.models import Epoch, Publication, Run
from palermo.node.matching.states import EpochState
from palermo.subjects.entities import Entity

pytestmark = pytest.mark.django_db

HOLDER = "BB-POL"


def _published(sides, epoch) -> set[str]:
    with sides.at(HOLDER):
        folder = files.publication_folder(epoch.code, Publication.objects.get().tier)
        tables = blind.Publication.load(folder).tables.values()
    return set.union(*(table.references() for table in tables))


@pytest.mark.parametrize("moment", ["publish", "save_publication"])
def test_an_item_protected_while_it_is_tokenised_is_not_published(sides, opened, supervisor, monkeypatch, moment):
    module = blind if moment == "publish" else files
    original, done = getattr(module, moment), []

    def then_protected(*arguments, **named):
        made = original(*arguments, **named)
        if not done:
            done.append(True)
            holdings.protect(supervisor, "register", entity_ids=["bb-1"], reason="witness", now=sides.now)
        return made

    monkeypatch.setattr(module, moment, then_protected)
    sides.work()
    assert _published(sides, opened) == {"register/bb-2", "register/bb-4"}


def test_an_item_protected_between_a_killed_publisher_and_its_second_try_is_not_published(sides, opened, supervisor):
    sides.work()
    Publication.objects.all().delete()
    Epoch.objects.update(state=EpochState.PUBLISHING)
    with sides.at(HOLDER):
        holdings.protect(supervisor, "register", entity_ids=["bb-1"], reason="witness", now=sides.now)
        epochs.publish(opened.code, lambda share: None, sides.now)
    assert _published(sides, opened) == {"register/bb-2", "register/bb-4"}


def test_a_protected_entity_is_not_asked_about_as_a_subject_of_a_case(sides, offered, fill, start, supervisor):
    fill("ours", "AA-POL", [Entity("aa-3", "Person", {"phone": ("+39 06 698 77777",)})])
    holdings.protect(supervisor, "ours", entity_ids=["aa-3"], reason="covert", now=sides.now)
    start()
    with sides.at("AA-POL"):
        asked = {item.ref for item in querier._items(Run.objects.get())}
    assert asked == {"aa-1", "aa-2"}
    sides.settle()
    assert Run.objects.get().counts["phone"] == 2
