"""Write the vectors of this folder, once: as soon as a release has sent them, they are history and are not made again.

    .venv/bin/python tests/vectors/wire-v2/make.py FOLDER

The network, its keys and its package are those of ``tests/sealing/conftest.py``, with three founders of whom two sign.
Signatures and encryption are random by nature: what is made anew has other bytes and the same content.
"""

import dataclasses
import hashlib
import importlib.util
import json
import random
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from palermo.sealing import batch, founding
from palermo.sealing.courier import Manifest, Part, write_file
from palermo.sealing.directory import Role, SigningKeyPeriod, sign_directory
from palermo.sealing.envelope import Header, envelope_digest, open_envelope, seal_envelope
from palermo.sealing.keys import SigningKey
from palermo.sealing.letter import Letter, seal_letter
from palermo.sealing.receipt import Receipt, ReceiptStatus, sign_receipt
from palermo.sealing.stage import Stage, StageReceipt, sign_stage
from palermo.sealing.ticket import Collection, Held, Index, Ticket, sign_collection, sign_ticket
from palermo.sealing.trust_root import TrustRoot, sign_root, write_chain

PAYLOAD = "An answer, plainly fictitious: Ünïcödé.\n".encode()
RELAY = "XR-RC"


class Made:
    """The parties, and what each of the vectors needs of the others."""

    def __init__(self, sealing: Any) -> None:
        self.network = sealing.Network.make(2026)
        rng = random.Random(3).randbytes
        self.founders = [self.network.founder, SigningKey.generate(rng), SigningKey.generate(rng)]
        self.relay, self.now = SigningKey.generate(rng), sealing.NOW
        first, second, third = (key.public for key in self.founders)
        self.root = TrustRoot("Palermo trial", (first.to_bytes(), second.to_bytes()), threshold=1)
        self.next_root = founding.next_root(self.root, [first, second, third], 2)
        self.directory = self._directory()
        proof = self.network.prove(self.network.draft().manifest_digest)
        self.checkpoint, self.cosignatures = proof.checkpoint, proof.cosignatures

    def _directory(self) -> bytes:
        relay = dataclasses.replace(
            self.network.directory.entries[1],
            code=RELAY,
            name="Relay of the Invented Seas",
            jurisdiction="XR",
            roles=(Role.REGIONAL_CENTRE, Role.RELAY),
            endpoint="https://relay.example",
            log_origin=f"palermo/{RELAY}",
            signing_keys=(SigningKeyPeriod(self.relay.public.to_bytes(), self.now, self.now + timedelta(days=700)),),
            cosigner_key=b"",
            protocol=2,
        )
        entries = [dataclasses.replace(entry, protocol=2) for entry in self.network.directory.entries]
        entries[0] = dataclasses.replace(entries[0], endpoint="", relay=RELAY)
        listed = dataclasses.replace(
            self.network.directory,
            founders=tuple(key.key_id for key in self.founders),
            entries=(*entries, relay),
            previous_digest=hashlib.sha256(b"version 2").hexdigest(),
            earlier_digests=(hashlib.sha256(b"version 1").hexdigest(),),
            expires_at=self.now + timedelta(days=90),
            recovery_key=self.founders[2].public.to_bytes(),
        )
        return founding.add_founder(sign_directory(listed, self.founders[0]), self.next_root, self.founders[1])

    def trust_roots(self) -> bytes:
        """A root of two founders, and the one of three that followed it, signed by as many as each asks for."""
        signed = sign_root(self.next_root, self.founders[0])
        return write_chain(self.root.to_bytes(), (founding.add_founder(signed, self.root, self.founders[1]),))

    def envelope(self) -> bytes:
        """Borealia to Aurelia."""
        key = self.network.recipient_key.public
        header = Header(
            payload_type="palermo/requests.answer+v1",
            sender="BO-CA",
            recipient="AU-POL",
            recipient_key_id=key.key_id,
            message_id="m-0002",
            sequence=2,
            in_reply_to="m-0001",
            case_reference="AU-CASE-7",
            purpose="Fraud by telephone, invented",
            created_at=self.now,
            not_after=self.now + timedelta(days=7),
            directory_version=3,
            checkpoint=self.checkpoint,
            partner_checkpoint=self.network.prove("", origin="palermo/AU-POL", key=self.network.aurelia).checkpoint,
        )
        return seal_envelope(header, PAYLOAD, self.network.borealia, key)

    def letter(self) -> bytes:
        """Borealia's machine to Aurelia's."""
        key = self.network.recipient_key.public
        letter = Letter(
            kind="test.note+v1",
            letter_id="l-0001",
            sender="BO-CA",
            recipient="AU-POL",
            recipient_key_id=key.key_id,
            created_at=self.now,
            not_after=self.now + timedelta(days=1),
            body=b"a note between machines",
        )
        return seal_letter(letter, self.network.borealia, key)

    def receipt(self, envelope: bytes) -> bytes:
        """Aurelia's."""
        accepted = Receipt(
            envelope_digest=envelope_digest(envelope),
            message_id="m-0002",
            sender="BO-CA",
            recipient="AU-POL",
            status=ReceiptStatus.ACCEPTED,
            received_at=self.now + timedelta(minutes=1),
            ledger_index=5,
        )
        return sign_receipt(accepted, self.network.aurelia)

    def stage(self, envelope: bytes) -> bytes:
        """The relay's word that it gave up."""
        failed = StageReceipt(
            stage=Stage.RELAY_FAILED,
            message_id="",
            envelope_digest=envelope_digest(envelope),
            sender="BO-CA",
            recipient="AU-POL",
            issuer=RELAY,
            at=self.now + timedelta(days=7),
            reason="It was not collected in time.",
        )
        return sign_stage(failed, self.relay)

    def ticket(self, *parcels: bytes) -> bytes:
        """Borealia hands parcels in."""
        digests = tuple(hashlib.sha256(parcel).hexdigest() for parcel in parcels)
        ticket = Ticket(relay=RELAY, member="BO-CA", recipient="AU-POL", at=self.now, nonce="0" * 32, digests=digests)
        return sign_ticket(ticket, self.network.borealia)

    def collection(self, parcel: bytes) -> bytes:
        """Aurelia asks for what waits, and has one parcel already."""
        taken = (hashlib.sha256(parcel).hexdigest(),)
        asked = Collection(relay=RELAY, member="AU-POL", at=self.now, nonce="1" * 32, taken=taken)
        return sign_collection(asked, self.network.aurelia)

    def courier(self, path: Path, *parcels: bytes) -> None:
        """What a courier carries to Aurelia."""
        manifest = Manifest(
            sender="BO-CA",
            recipient="AU-POL",
            made_at=self.now,
            keys_end_at=self.now + timedelta(days=30),
            deliver_before=self.now + timedelta(days=1),
            parts=tuple(Part(hashlib.sha256(parcel).hexdigest(), len(parcel)) for parcel in parcels),
        )
        write_file(path, manifest, parcels, self.network.borealia)

    def keys(self) -> dict[str, str]:
        """The private keys that a reader of the vectors needs, in hex."""
        named = {"AU-POL": self.network.aurelia, "BO-CA": self.network.borealia, RELAY: self.relay}
        named |= {"AU-POL recipient": self.network.recipient_key}
        note = {"note": "Keys of fictitious authorities, for these vectors alone."}
        return note | {name: key.to_bytes().hex() for name, key in named.items()}


def write(folder: Path) -> None:
    """Write every vector. Raises FileExistsError where one is there."""
    made = Made(_sealing())
    envelope, letter = made.envelope(), made.letter()
    recipient = made.network.recipient_key
    opened = open_envelope(envelope, {recipient.key_id: recipient}, lambda _: [made.network.borealia.public])
    files: dict[str, Callable[[], bytes]] = {
        "keys.json": lambda: (json.dumps(made.keys(), indent=1) + "\n").encode(),
        "trust-roots.json": made.trust_roots,
        "directory.dsse": lambda: made.directory,
        "envelope.bin": lambda: envelope,
        "message.dsse": lambda: opened.signed,
        "letter.bin": lambda: letter,
        "batch.bin": lambda: batch.pack([envelope, letter]),
        "receipt-accepted.dsse": lambda: made.receipt(envelope),
        "stage-relay-failed.dsse": lambda: made.stage(envelope),
        "ticket.dsse": lambda: made.ticket(envelope, letter),
        "collection.dsse": lambda: made.collection(letter),
        "index.json": lambda: Index(parcels=(Held(envelope_digest(envelope), "BO-CA"),), more=True).to_bytes(),
        "checkpoint.txt": lambda: (made.checkpoint + "".join(c.lines for c in made.cosignatures)).encode(),
    }
    for name, content in files.items():
        with (folder / name).open("xb") as out:
            out.write(content())
    made.courier(folder / "mail.courier", letter)
    draft = made.network.draft(directory=made.directory, trust_root=made.next_root)
    made.network.seal(folder / "package.palermo.zip", draft)


def _sealing() -> Any:
    """The parties of the tests of this room."""
    path = Path(__file__).parents[2] / "sealing" / "conftest.py"
    spec = importlib.util.spec_from_file_location("sealing_parties", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    write(Path(sys.argv[1]))
