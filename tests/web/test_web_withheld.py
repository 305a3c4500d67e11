"""Who reads the post or the log but may see no case is shown none, on no page."""

import pytest

from palermo.node.matching.models import Epoch, HeldRun, Publication
from palermo.sealing.leaf import LeafField

PURPOSE, THEIR_CASE = "Investigate an unheard-of fraud", "BB-POL-CASE-2026-000042"


@pytest.fixture
def asked(node):
    """A partner's run at us, and a message of a case of ours whose purpose stands nowhere else."""
    from palermo.node.exchange import actions as exchange

    epoch = Epoch.objects.create(code="E-1", state="open", valid_from=node.now, valid_until=node.now)
    publication = Publication.objects.create(
        epoch=epoch,
        tier="t",
        partners=["BB-POL"],
        holdings=[],
        manifest=b"m",
        manifest_digest="d" * 64,
        counts={},
        published_at=node.now,
    )
    HeldRun.objects.create(
        run_id="r" * 32,
        partner="BB-POL",
        publication=publication,
        case_reference=THEIR_CASE,
        purpose=PURPOSE,
        legal_basis="UNTOC Art. 27",
        asked_by="Officer Nosey",
        request_message="m",
        ledger_index=0,
        received_at=node.now,
    )
    return exchange.send(
        recipient="BB-POL",
        payload_type="palermo/test+v1",
        payload=b"y",
        case_reference=node["case"],
        purpose=PURPOSE,
        legal_basis="UNTOC Art. 27",
        now=node.now,
    )


def pages_of(message) -> list[str]:
    return ["/messages/", f"/messages/{message.message_id}/", "/matching/", f"/ledger/{message.ledger_index}/"]


@pytest.mark.parametrize("role", ["administrator", "auditor"])
def test_no_page_of_the_post_or_the_log_names_a_case(node, browser, asked, role):
    client = browser(role)
    for address in pages_of(asked):
        page = client.get(address).content.decode()
        for secret in (node["case"], THEIR_CASE, PURPOSE, "Officer Nosey"):
            assert secret not in page, (address, secret)
    read = client.get(f"/messages/{asked.message_id}/").content.decode()
    assert "palermo/test+v1" in read and "Bureau of BB" in read


def test_the_supervisor_sees_which_case_a_message_belongs_to(node, browser, asked):
    client = browser("supervisor")
    seen = {address: client.get(address).content.decode() for address in pages_of(asked)}
    assert node["case"] in seen[f"/messages/{asked.message_id}/"] and THEIR_CASE in seen["/matching/"]
    assert PURPOSE in seen[f"/ledger/{asked.ledger_index}/"]


def test_the_auditor_is_shown_the_commitment_that_stands_in_the_leaf(node, browser, asked):
    from palermo.node.ledger import queries as ledger

    row = ledger.entry(node.officers["auditor"], asked.ledger_index)
    fields = {field.name: field for field in ledger.opened(asked.ledger_index)}
    shown = dict(row.fields)
    assert {name for name in shown if name not in row.withheld} == {"kind", "counterparty", "recorded_at", "message"}
    assert all(shown[name] == fields[name].commitment.hex() for name in row.withheld) and "case" in row.withheld
    assert isinstance(fields["case"], LeafField) and shown["message"] == asked.message_id
    page = browser("auditor").get(f"/ledger/{asked.ledger_index}/").content.decode()
    assert shown["purpose"] in page
