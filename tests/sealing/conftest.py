"""A small network for the tests of this room: a founder, fictitious authorities, and a package between two of them."""

import dataclasses
import hashlib
import importlib.util
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from palermo.sealing import merkle
from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.cosignature import CosignerKey, cosign
from palermo.sealing.custody import Certificate, Step, Verb, sign_certificate, sign_step, step_digest
from palermo.sealing.directory import (
    AuthorityEntry,
    Directory,
    Role,
    SigningKeyPeriod,
    TrustRoot,
    sign_directory,
    sign_recipient_key,
)
from palermo.sealing.keys import RecipientKey, SigningKey
from palermo.sealing.leaf import leaf_bytes, open_fields, salt_fields
from palermo.sealing.package import (
    MANIFEST_FIELD,
    CustodyEvent,
    Draft,
    LedgerProof,
    Marks,
    PackageItem,
    draft_package,
    seal_package,
)
from palermo.sealing.quorum import Cosignature

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MARKS = Marks(
    tlp="amber", handling_code="H1", source_grade="A", information_grade="1", use_limit="Case AU-CASE-7 alone"
)
CONTENTS = (b"account;amount\nXB00 0001;100\n", b"a letter, plainly fictitious\n")
WITNESSES = ("AU-POL", "BO-CA", "DA-FIU", "EO-CUS")
Changes = Mapping[int, Mapping[str, Any]]
OFFICER, UNIT = "Ines Example", "Evidence desk"


@dataclass(frozen=True)
class Network:
    """Keys, directory and trust root: Aurelia's police, Borealia's central authority, and two more that witness logs.

    ``officer`` is the custody key of Borealia's one officer.
    """

    founder: SigningKey
    aurelia: SigningKey
    borealia: SigningKey
    officer: SigningKey
    cosigners: dict[str, CosignerKey]
    recipient_key: RecipientKey
    directory: Directory
    directory_bytes: bytes
    trust_root: TrustRoot
    now: datetime = NOW

    @classmethod
    def make(cls, seed: int) -> "Network":
        rng = random.Random(seed).randbytes
        founder, aurelia, borealia = (SigningKey.generate(rng) for _ in range(3))
        recipient, officer = RecipientKey.generate(rng), SigningKey.generate(rng)
        cosigners = {code: CosignerKey.generate(rng) for code in WITNESSES}
        directory = Directory(
            network="Palermo trial",
            version=3,
            created_at=NOW,
            founders=(founder.key_id,),
            entries=(
                _entry("AU-POL", "Aurelia Police", aurelia, cosigners, recipient),
                _entry("BO-CA", "Borealia", borealia, cosigners),
                _entry("DA-FIU", "Dalmora Financial Intelligence", SigningKey.generate(rng), cosigners),
                _entry("EO-CUS", "Eosia Customs", SigningKey.generate(rng), cosigners),
            ),
            witnesses=WITNESSES,
        )
        root = TrustRoot(directory.network, (founder.public.to_bytes(),))
        signed = sign_directory(directory, founder)
        return cls(founder, aurelia, borealia, officer, cosigners, recipient, directory, signed, root)

    def certificate(self, **changes: Any) -> bytes:
        """Borealia's word that the custody key is its officer's."""
        arguments: dict[str, Any] = {
            "authority": "BO-CA",
            "officer": OFFICER,
            "unit": UNIT,
            "key": self.officer.public.to_bytes(),
            "not_before": NOW - timedelta(hours=20),
            "issued_at": NOW - timedelta(hours=20),
        }
        return sign_certificate(Certificate(**(arguments | changes)), self.borealia)

    def custody(
        self, changes: Changes = MappingProxyType({}), signed: Changes = MappingProxyType({}), **to_all: Any
    ) -> list[CustodyEvent]:
        """Two signed steps for each of the two items, in a row.

        ``to_all`` changes every step, ``changes`` some of them by their place in the row, before they are signed;
        ``signed`` changes what is signed and not what the manifest repeats (``key`` is the key to sign with).
        """
        events = []
        for place, (item, number) in enumerate([(1, 0), (1, 1), (2, 0), (2, 1)]):
            verb, at = (Verb.COLLECTED, Verb.SEALED)[number], NOW - timedelta(hours=2 - number)
            previous = step_digest(events[-1].signed) if number else ""
            step = self.step(item, verb, at, CONTENTS[item - 1], previous)
            step = dataclasses.replace(step, **to_all, **changes.get(place, {}))
            other = dict(signed.get(place, {}))
            key = other.pop("key", self.officer)
            events.append(event_of(item, step, sign_step(dataclasses.replace(step, **other), key)))
        return events

    def step(self, item: int, verb: Verb, at: datetime, content: bytes, previous: str) -> Step:
        """One step as Borealia's officer states it."""
        return Step(
            verb=verb,
            by=OFFICER,
            at=at,
            sha256=hashlib.sha256(content).hexdigest(),
            sha512=hashlib.sha512(content).hexdigest(),
            authority="BO-CA",
            officer=OFFICER,
            recorded_at=at,
            reference=f"BO-ITEM-{item}",
            where="Nordhavn",
            previous=previous,
        )

    def items(self) -> list[PackageItem]:
        names = (("Kontoauszüge (März).csv", "text/csv"), ("letter.txt", "text/plain"))
        return [
            PackageItem(content=content, name=name, description=f"Item {name}", media_type=media_type, marks=MARKS)
            for content, (name, media_type) in zip(CONTENTS, names, strict=True)
        ]

    def draft(self, **changes: Any) -> Draft:
        """Borealia's answer to Aurelia: two items."""
        arguments: dict[str, Any] = {
            "package_id": "BO-PKG-2026-000001",
            "items": self.items(),
            "custody": self.custody(),
            "marks": MARKS,
            "provider": "BO-CA",
            "recipient": "AU-POL",
            "case_reference": "AU-CASE-7",
            "request_reference": "AU-REQ-9",
            "directory": self.directory_bytes,
            "trust_root": self.trust_root,
            "signing_key": self.borealia,
            "created_at": NOW,
            "officers": [self.certificate()],
        }
        return draft_package(**(arguments | changes))

    def prove(
        self,
        manifest_digest: str,
        *,
        origin: str = "palermo/BO-CA",
        key: SigningKey | None = None,
        witnesses: tuple[str, ...] = ("AU-POL", "DA-FIU"),
    ) -> LedgerProof:
        """A log of nine entries in which the sixth is this disclosure; two of its three witnesses cosigned it."""
        fields = salt_fields(
            [
                ("kind", "evidence.sealed"),
                ("counterparty", "AU-POL"),
                ("case", "BO-3"),
                (MANIFEST_FIELD, manifest_digest),
            ],
            random.Random(7).randbytes,
        )
        leaf = leaf_bytes(fields)
        leaves = [merkle.leaf_hash(bytes([number])) for number in range(9)]
        leaves[5] = merkle.leaf_hash(leaf)
        checkpoint = sign_checkpoint(origin, 9, merkle.root(leaves), key or self.borealia)
        return LedgerProof(
            leaf=leaf,
            opened=open_fields(fields, ["kind", "counterparty", MANIFEST_FIELD]),
            index=5,
            size=9,
            hashes=merkle.inclusion_proof(merkle.nodes(leaves), 5, 9),
            checkpoint=checkpoint,
            cosignatures=tuple(self.cosign(checkpoint, code) for code in witnesses),
        )

    def cosign(self, checkpoint: str, code: str, at: datetime = NOW) -> Cosignature:
        """A witness's cosignature."""
        return Cosignature(code, cosign(checkpoint, f"palermo/{code}", self.cosigners[code], at))

    def seal(self, path: Path, draft: Draft | None = None, ledger: LedgerProof | None = None, **changes: Any) -> Path:
        """A package, in which anything can be replaced by something signed as well but wrong."""
        draft = draft or self.draft()
        arguments: dict[str, Any] = {"signing_key": self.borealia, "sealed_at": NOW}
        seal_package(draft, path, ledger=ledger or self.prove(draft.manifest_digest), **(arguments | changes))
        return path

    def signed_directory(self, **changes: Any) -> bytes:
        """The directory with changes, signed anew by the founder."""
        return sign_directory(dataclasses.replace(self.directory, **changes), self.founder)


def event_of(item: int, step: Step, signed: bytes) -> CustodyEvent:
    """A signed step as a manifest repeats it."""
    return CustodyEvent(
        item=item,
        verb=step.verb,
        by=step.by,
        at=step.at,
        where=step.where,
        how=step.how,
        sha256=step.sha256,
        signed=signed,
    )


def _entry(
    code: str, name: str, key: SigningKey, cosigners: dict[str, CosignerKey], recipient: RecipientKey | None = None
) -> AuthorityEntry:
    statements: tuple[bytes, ...] = ()
    if recipient is not None:
        statements = (sign_recipient_key(code, recipient.public, NOW, NOW + timedelta(days=30), key),)
    return AuthorityEntry(
        code=code,
        name=name,
        jurisdiction=code[:2],
        roles=(Role.POLICE, Role.CENTRAL_AUTHORITY),
        languages=("en",),
        endpoint=f"https://{code.lower()}.example",
        contact_point="duty officer",
        log_origin=f"palermo/{code}",
        signing_keys=(SigningKeyPeriod(key.public.to_bytes(), NOW - timedelta(days=1), NOW + timedelta(days=700)),),
        recipient_keys=statements,
        cosigner_key=cosigners[code].public.to_bytes(),
    )


@pytest.fixture(scope="session")
def network() -> Network:
    return Network.make(1)


@pytest.fixture(scope="session")
def other_network() -> Network:
    return Network.make(2)


@pytest.fixture(scope="session")
def package_file(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One good package, shared by all tests that only read it."""
    return network.seal(tmp_path_factory.mktemp("package") / "answer.palermo.zip")


@pytest.fixture(scope="session")
def stamper(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A time-stamping authority; it stamps by this machine's clock."""
    spec = importlib.util.spec_from_file_location("timestamping", Path(__file__).parents[1] / "timestamping.py")
    assert spec is not None
    assert spec.loader is not None
    timestamping = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = timestamping
    spec.loader.exec_module(timestamping)
    return timestamping.TimeStamper(tmp_path_factory.mktemp("stamper"))
