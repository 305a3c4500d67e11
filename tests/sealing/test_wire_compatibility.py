"""What earlier versions of the protocol wrote is read by this one; those versions made the vectors themselves."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from palermo.sealing import dsse
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.directory import TrustRoot, open_directory, open_recipient_key
from palermo.sealing.envelope import envelope_digest, open_envelope, verify_message
from palermo.sealing.keys import RecipientKey, SigningKey
from palermo.sealing.receipt import ReceiptStatus, verify_receipt
from palermo.sealing.verify import Verdict, verify_package

V1 = Path(__file__).parents[1] / "vectors" / "wire-v1"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys():
    return {
        name: bytes.fromhex(value)
        for name, value in json.loads((V1 / "keys.json").read_text()).items()
        if name != "note"
    }


@pytest.fixture(scope="module")
def root():
    return TrustRoot.from_bytes((V1 / "trust-root.json").read_bytes())


def test_the_directory_of_version_1_opens_and_its_keys_verify(root, keys):
    directory = open_directory((V1 / "directory.dsse").read_bytes(), root)
    assert [entry.code for entry in directory.entries] == ["AU-POL", "BO-CA"]
    identity = SigningKey.from_bytes(keys["AU-POL"]).public
    assert directory.entry("AU-POL").verify_keys(AT) == (identity,)
    statement = (V1 / "recipient-key.dsse").read_bytes()
    period = open_recipient_key(statement, "AU-POL", dsse.by_id(identity))
    assert period.recipient_key == RecipientKey.from_bytes(keys["AU-POL recipient"]).public


def test_an_envelope_of_version_1_opens_and_says_what_was_sent(keys):
    recipient = RecipientKey.from_bytes(keys["AU-POL recipient"])
    sender = SigningKey.from_bytes(keys["BO-CA"]).public
    opened = open_envelope((V1 / "envelope.bin").read_bytes(), {recipient.key_id: recipient}, lambda _: [sender])
    assert opened.payload.decode() == "A request, plainly fictitious: Ünïcödé.\n"
    header = opened.header
    assert (header.protocol_version, header.message_id, header.sequence) == (1, "m-0001", 1)
    assert (header.sender, header.recipient, header.not_after) == ("BO-CA", "AU-POL", AT + timedelta(days=7))
    assert verify_checkpoint(header.checkpoint, sender, origin="palermo/BO-CA").size == 9
    assert opened.signed == (V1 / "message.dsse").read_bytes()
    assert verify_message(opened.signed, [sender]).payload == opened.payload


@pytest.mark.parametrize(
    "name, status, message_id, index",
    [
        ("accepted", ReceiptStatus.ACCEPTED, "m-0001", 4),
        ("rejected", ReceiptStatus.REJECTED, "m-0001", None),
        ("unopened", ReceiptStatus.REJECTED, "", None),
    ],
)
def test_a_receipt_of_version_1_verifies(keys, name, status, message_id, index):
    signer = SigningKey.from_bytes(keys["AU-POL"]).public
    receipt = verify_receipt((V1 / f"receipt-{name}.dsse").read_bytes(), dsse.by_id(signer))
    assert (receipt.status, receipt.message_id, receipt.ledger_index) == (status, message_id, index)
    assert receipt.envelope_digest == envelope_digest((V1 / "envelope.bin").read_bytes())


def test_a_checkpoint_of_version_1_verifies(keys):
    signer = SigningKey.from_bytes(keys["BO-CA"]).public
    assert verify_checkpoint((V1 / "checkpoint.txt").read_text(), signer, origin="palermo/BO-CA").size == 9


def test_a_package_of_version_1_is_not_refused(root):
    report = verify_package(V1 / "package.palermo.zip", root, AT + timedelta(days=400))
    assert report.first_failure is None
    assert report.verdict in (Verdict.PROVEN, Verdict.UNPROVEN)  # later versions ask for more than version 1 holds
