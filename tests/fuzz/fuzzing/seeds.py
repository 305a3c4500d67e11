"""Valid inputs: the vectors of version 1, and what this version writes, with keys made once a process."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from palermo.sealing import batch, courier, dsse, records, ticket
from palermo.sealing.cosignature import CosignerKey, cosign
from palermo.sealing.envelope import Header, seal_envelope
from palermo.sealing.keys import RecipientKey, SigningKey
from palermo.sealing.letter import Letter, seal_letter
from palermo.sealing.parcel import unseal
from palermo.sealing.stage import Stage, StageReceipt, sign_stage

V1 = Path(__file__).parents[2] / "vectors" / "wire-v1"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SENDER, RECIPIENT = "BO-CA", "AU-POL"


def vector(name: str) -> bytes:
    """A vector of version 1."""
    return (V1 / name).read_bytes()


@cache
def signing_key() -> SigningKey:
    """The sender's identity."""
    return SigningKey.generate()


@cache
def recipient_key() -> RecipientKey:
    """What the seeds are sealed to."""
    return RecipientKey.generate()


@cache
def cosigner_key() -> CosignerKey:
    """A witness's key."""
    return CosignerKey.generate()


def bare(signed: bytes) -> bytes:
    """What lies in a signed envelope: a fuzzer would need long to change it within its base64."""
    return dsse.parse_all(signed).payload


def envelopes() -> list[bytes]:
    """Messages of both versions."""
    return [vector("envelope.bin"), _envelope(1), _envelope(2)]


def _envelope(version: int) -> bytes:
    key = recipient_key().public
    header = Header(
        protocol_version=version,
        payload_type="palermo/fuzz+v1",
        sender=SENDER,
        recipient=RECIPIENT,
        recipient_key_id=key.key_id,
        message_id="m-1",
        sequence=1,
        created_at=AT,
        not_after=AT + timedelta(days=7),
        directory_version=1,
    )
    return seal_envelope(header, b"payload", signing_key(), key)


def letters() -> list[bytes]:
    """A letter."""
    key = recipient_key().public
    letter = Letter(
        kind="fuzz.letter+v1",
        letter_id="l-1",
        sender=SENDER,
        recipient=RECIPIENT,
        recipient_key_id=key.key_id,
        created_at=AT,
        not_after=AT + timedelta(days=7),
        body=b"body",
    )
    return [seal_letter(letter, signing_key(), key)]


def within(parcels: list[bytes]) -> list[bytes]:
    """What this version's parcels hold, as it lay inside the encryption."""
    keys = {recipient_key().key_id: recipient_key()}
    return [unseal(parcel, keys).signed for parcel in parcels]


def receipts() -> list[bytes]:
    """Receipts, signed and bare."""
    signed = [vector(f"receipt-{kind}.dsse") for kind in ("accepted", "rejected", "unopened")]
    return signed + [bare(one) for one in signed]


def stages() -> list[bytes]:
    """Statements of stages, signed and bare."""
    made = StageReceipt(
        stage=Stage.RELAY_FAILED,
        message_id="m-1",
        envelope_digest="ab" * 32,
        sender=SENDER,
        recipient=RECIPIENT,
        issuer=SENDER,
        at=AT,
        reason="No room.",
    )
    return [sign_stage(made, signing_key()), records.to_bytes(made)]


def tickets() -> list[bytes]:
    """What a member tells a relay, and the index of its answer."""
    nonce, digests = "0f" * 16, ("ab" * 32, "cd" * 32)
    handed = ticket.Ticket(relay="CC-POL", member=SENDER, recipient=RECIPIENT, at=AT, nonce=nonce, digests=digests)
    asked = ticket.Collection(relay="CC-POL", member=SENDER, at=AT, nonce=nonce, taken=digests, after="ef" * 32)
    index = ticket.Index(failures=1, parcels=(ticket.Held("ab" * 32, SENDER),), more=True)
    signed = [ticket.sign_ticket(handed, signing_key()), ticket.sign_collection(asked, signing_key())]
    return signed + [bare(one) for one in signed] + [index.to_bytes()]


def courier_files() -> list[bytes]:
    """A courier's file of two parts."""
    parts = (b"a part", b"another")
    manifest = courier.Manifest(
        sender=SENDER,
        recipient=RECIPIENT,
        made_at=AT,
        keys_end_at=AT + timedelta(days=20),
        parts=tuple(courier.Part(hashlib.sha256(part).hexdigest(), len(part)) for part in parts),
    )
    stream = io.BytesIO()
    courier.write_stream(stream, manifest, parts, signing_key())
    return [stream.getvalue(), records.to_bytes(manifest)]


def checkpoints() -> list[bytes]:
    """A checkpoint, and one with a witness's lines beneath it."""
    text = vector("checkpoint.txt").decode()
    return [text.encode(), (text + cosign(text, "palermo/CC-POL", cosigner_key(), AT)).encode()]


def batches() -> list[bytes]:
    """Batches of few and of no items."""
    return [batch.pack([]), batch.pack([b"", b"?no", vector("receipt-accepted.dsse")])]
