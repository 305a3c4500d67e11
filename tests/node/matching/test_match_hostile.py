"""What a partner may put into the texts of a message: each is taken, or refused with a signed reason; never a fault.

On PostgreSQL a text longer than its column, or one that holds a NUL, is an error of the database: then the sender would
get no receipt and try again for ever. So these tests run there too (``tests/postgres``).
"""

from datetime import UTC, datetime, timedelta

import pytest

from palermo import blind
from palermo.node.directory import own_keys
from palermo.node.exchange import actions as exchange
from palermo.node.exchange.models import Incoming
from palermo.node.matching import handlers
from palermo.node.matching.messages import ANSWER, CONFIRM, EVALUATION, MANIFEST, RUN, ManifestMessage, RunMessage
from palermo.node.matching.models import Epoch, HeldRun, PartnerManifest, Publication, Run
from palermo.sealing import dsse
from palermo.sealing.envelope import Header, seal_envelope
from palermo.sealing.receipt import verify_receipt

pytestmark = pytest.mark.django_db

US, PARTNER = "AA-POL", "BB-POL"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DIGEST = "d" * 64
LONG = "x" * 200
TEXTS = {
    "longest": ("ü" * 200, "p" * 1000, "UNTOC Art. 27", "ö" * 200),
    "case too long": ("c" * 201, "p", "UNTOC Art. 27", "o"),
    "purpose too long": ("c", "p" * 1001, "UNTOC Art. 27", "o"),
    "basis too long": ("c", "p", "b" * 201, "o"),
    "officer too long": ("c", "p", "UNTOC Art. 27", "o" * 201),
    "NUL in the case": ("c\0", "p", "UNTOC Art. 27", "o"),
    "NUL in the purpose": ("c", "p\0", "UNTOC Art. 27", "o"),
    "NUL in the basis": ("c", "p", "UNTOC\0Art. 27", "o"),
    "NUL in the officer": ("c", "p", "UNTOC Art. 27", "o\0"),
}


@pytest.fixture
def published(network, monkeypatch) -> Publication:
    """An epoch of ours with one tier, as rows; matching alone listens to the exchange."""
    from palermo.node.exchange import handlers as exchange_handlers
    from palermo.node.holdings import queries as holdings

    monkeypatch.setattr(exchange_handlers, "_handlers", {})
    for payload_type, handler in handlers.EXCHANGE_HANDLERS.items():
        exchange_handlers.register(payload_type, handler)
    monkeypatch.setattr(holdings, "names_partner", lambda codes, partner: True)
    epoch = Epoch.objects.create(code="E", state="open", valid_from=NOW, valid_until=NOW + timedelta(days=9))
    return Publication.objects.create(
        epoch=epoch,
        tier="t",
        partners=[PARTNER],
        holdings=["h"],
        manifest=b"m",
        manifest_digest=DIGEST,
        counts={"phone": 64},
        published_at=NOW,
    )


def _post(network, payload_type: str, payload: bytes, **header: str):
    """Hand an envelope in as the partner would; returns the receipt."""
    (key,) = own_keys.recipient_keys().values()
    known = Incoming.objects.count()
    fields = {"case_reference": "c", "purpose": "p"} | header
    sealed = seal_envelope(
        Header(
            payload_type=payload_type,
            sender=PARTNER,
            recipient=US,
            recipient_key_id=key.public.key_id,
            message_id=f"m{known}",
            sequence=known + 1,
            created_at=NOW,
            not_after=NOW + timedelta(days=1),
            directory_version=1,
            **fields,
        ),
        payload,
        network.members[PARTNER].signing,
        key.public,
    )
    receipt = exchange.receive(sealed, now=NOW)
    return verify_receipt(receipt, dsse.by_id(own_keys.signing_key().public))


@pytest.mark.parametrize("case", TEXTS)
def test_the_texts_of_a_run(network, published, case):
    reference, purpose, basis, officer = TEXTS[case]
    run = RunMessage("0" * 32, DIGEST, basis, officer, {"phone": 16}, b"x")
    receipt = _post(network, RUN, run.to_bytes(), case_reference=reference, purpose=purpose)
    taken = case == "longest"
    assert receipt.status == ("accepted" if taken else "rejected")
    assert bool(receipt.reason) != taken
    assert HeldRun.objects.count() == taken


@pytest.mark.parametrize(
    ("epoch", "tier", "taken"),
    [(LONG, LONG, True), ("e" * 201, "t", False), ("e", "t" * 201, False), ("e\0", "t", False), ("e", "t\0", False)],
)
def test_the_names_in_a_manifest(network, published, epoch, tier, taken):
    made = blind.publish(
        seed=b"s" * 32,
        holder=PARTNER,
        epoch="EPOCH",
        tier="TIER",
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        items=[blind.Item("phone", "+390669812345", "x")],
        rng=lambda size: b"\x05" * size,
    )
    import json

    names = {"epoch": epoch, "tier": tier}
    altered = json.dumps(json.loads(made.manifest) | names, sort_keys=True, separators=(",", ":")).encode()
    signed = dsse.sign(MANIFEST, altered, network.members[PARTNER].signing)
    receipt = _post(network, MANIFEST, ManifestMessage(signed, made.filters).to_bytes())
    assert receipt.status == ("accepted" if taken else "rejected"), receipt.reason
    assert PartnerManifest.objects.count() == taken


@pytest.mark.parametrize("refusal", ["x" * 2001, "no\\u0000"])
@pytest.mark.parametrize("payload_type", [EVALUATION, ANSWER])
def test_the_refusal_of_a_run_of_ours(network, published, payload_type, refusal):
    shape = {
        EVALUATION: '{"evaluation":"","refusal":"%s","run_id":"%s"}',
        ANSWER: '{"answer":"","disclosures":{},"matches":{},"refusal":"%s","run_id":"%s"}',
    }[payload_type]
    receipt = _post(network, payload_type, (shape % (refusal, "0" * 32)).encode())
    assert (receipt.status, "cannot be read" in receipt.reason) == ("rejected", True)
    assert not Run.objects.exists()


@pytest.mark.parametrize("payload", [b"", b"\0", b'{"confirm":"","run_id":"\\u0000"}'])
def test_what_is_no_confirmation(network, published, payload):
    assert _post(network, CONFIRM, payload).status == "rejected"
