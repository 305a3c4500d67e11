"""A partner is evaluated under its own tiers alone, whatever it knows of another's."""

import pytest

from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Incoming, Outgoing
from palermo.node.holdings.models import Holding
from palermo.node.matching.messages import RUN, RunMessage
from palermo.node.matching.models import BudgetUse, HeldRun, Publication

pytestmark = pytest.mark.django_db

HOLDER, STRANGER = "BB-POL", "CC-FIU"


def _ask(sides, sender: str) -> str:
    """Let an authority quote the manifest's digest in a run of its own; returns why it was refused, or ""."""
    publication = Publication.objects.get()
    message = RunMessage(
        run_id="0" * 32,
        manifest_digest=publication.manifest_digest,
        legal_basis="UNTOC Art. 27",
        officer="Someone",
        elements=dict.fromkeys(publication.counts, 16),
        request=b"whatever",
    )
    with sides.at(sender):
        sent = exchange.send(
            recipient=HOLDER,
            payload_type=RUN,
            payload=message.to_bytes(),
            case_reference="CC-1",
            purpose="test",
            now=sides.now,
        )
    with sides.at(HOLDER):
        exchange.receive(bytes(Outgoing.objects.get(message_id=sent.message_id).envelope), now=sides.now)
    return Incoming.objects.get(message_id=sent.message_id).reason


@pytest.mark.parametrize("named_since", [False, True])
def test_another_authority_that_quotes_the_digest_is_refused_and_charged_nothing(sides, offered, named_since):
    if named_since:  # the tier that was published is AA-POL's alone, whoever the holding names today
        Holding.objects.update(partners=["AA-POL", STRANGER])
    assert "not offered to you" in _ask(sides, STRANGER)
    assert (HeldRun.objects.count(), BudgetUse.objects.count()) == (0, 0)


def test_the_tiers_own_partner_is_taken(sides, offered):
    assert _ask(sides, "AA-POL") == ""
    assert HeldRun.objects.count() == 1
