"""The receipt: the recipient's signed word that it took a message in, or did not, and where its log says so."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from palermo.sealing import dsse, records
from palermo.sealing.envelope import Header
from palermo.sealing.errors import BindingError
from palermo.sealing.keys import Signer, VerifyKey

RECEIPT_TYPE = "application/vnd.palermo.receipt.v1"


class ReceiptStatus(StrEnum):
    """What became of the message at the recipient."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is signed. ``sender`` and ``recipient`` are those of the message: the recipient signs.

    ``ledger_index`` (from 0) is the recipient's ledger entry for the message, None where a rejection made none;
    ``ledger_checkpoint`` its signed checkpoint that covers the entry, "" where it is not yet made.
    """

    envelope_digest: str
    message_id: str
    sender: str
    recipient: str
    status: ReceiptStatus
    received_at: datetime
    reason: str = ""
    ledger_index: int | None = None
    ledger_checkpoint: str = ""

    def check_answers(self, header: Header, envelope_digest: str) -> None:
        """See that the receipt is for that message. Raises BindingError, naming the field that differs."""
        for name, expected in (
            ("envelope_digest", envelope_digest),
            ("message_id", header.message_id),
            ("sender", header.sender),
            ("recipient", header.recipient),
        ):
            if getattr(self, name) != expected:
                raise BindingError(f"receipt.{name}", "is that of another message")


def sign_receipt(receipt: Receipt, key: Signer) -> bytes:
    """Sign a receipt with the recipient's key."""
    return dsse.sign(RECEIPT_TYPE, records.to_bytes(receipt), key)


def parse_receipt(data: bytes) -> Receipt:
    """Read a receipt without verifying it, to learn whose keys to look up. Raises FormatError."""
    return records.from_bytes(Receipt, dsse.parse(data, "receipt").payload, "receipt")


def verify_receipt(
    data: bytes, keys: Mapping[str, VerifyKey] | Callable[[Receipt], Mapping[str, VerifyKey]]
) -> Receipt:
    """Read and verify a receipt under the recipient's keys, by key id.

    ``keys`` may depend on what the receipt claims, such as its time: then it is called with the receipt before anything
    of that is proven. Raises FormatError, UnknownKeyError, SignatureError.
    """
    parsed = dsse.parse(data, "receipt")
    receipt = records.from_bytes(Receipt, parsed.payload, "receipt")
    known = keys(receipt) if callable(keys) else keys
    dsse.verify_parsed(parsed, known, payload_type=RECEIPT_TYPE, part="receipt")
    return receipt
