"""A small network for the tests of this room: a founder, two fictitious authorities, and a package between them."""

import dataclasses
import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from palermo.sealing import merkle
from palermo.sealing.checkpoint import sign_checkpoint
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

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MARKS = Marks(
    tlp="amber", handling_code="H1", source_grade="A", information_grade="1", use_limit="Case AU-CASE-7 alone"
)
CONTENTS = (b"account;amount\nXB00 0001;100\n", b"a letter, plainly fictitious\n")


@dataclass(frozen=True)
class Network:
    """Keys, directory and trust root of a network of two: Aurelia's police and Borealia's central authority."""

    founder: SigningKey
    aurelia: SigningKey
    borealia: SigningKey
    recipient_key: RecipientKey
    directory: Directory
    directory_bytes: bytes
    trust_root: TrustRoot
    now: datetime = NOW

    @classmethod
    def make(cls, seed: int) -> "Network":
        rng = random.Random(seed).randbytes
        founder, aurelia, borealia = (SigningKey.generate(rng) for _ in range(3))
        recipient = RecipientKey.generate(rng)
        directory = Directory(
            network="Palermo trial",
            version=3,
            created_at=NOW,
            founders=(founder.key_id,),
            entries=(
                _entry("AU-POL", "Aurelia Police", aurelia, recipient),
                _entry("BO-CA", "Borealia", borealia, None),
            ),
        )
        root = TrustRoot(directory.network, (founder.public.to_bytes(),))
        return cls(founder, aurelia, borealia, recipient, directory, sign_directory(directory, founder), root)

    def custody(self) -> list[CustodyEvent]:
        """Two events for each of the two items."""
        return [
            CustodyEvent(
                item=item,
                verb=verb,
                by="Officer Example",
                at=NOW - timedelta(hours=2 - step),
                where="Nordhavn",
                sha256=hashlib.sha256(CONTENTS[item - 1]).hexdigest(),
            )
            for item in (1, 2)
            for step, verb in enumerate(("collected", "sealed"))
        ]

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
        }
        return draft_package(**(arguments | changes))

    def prove(
        self, manifest_digest: str, *, origin: str = "palermo/BO-CA", key: SigningKey | None = None
    ) -> LedgerProof:
        """A log of nine entries in which the sixth is this disclosure."""
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
        return LedgerProof(
            leaf=leaf,
            opened=open_fields(fields, ["kind", "counterparty", MANIFEST_FIELD]),
            index=5,
            size=9,
            hashes=merkle.inclusion_proof(merkle.nodes(leaves), 5, 9),
            checkpoint=sign_checkpoint(origin, 9, merkle.root(leaves), key or self.borealia),
        )

    def seal(self, path: Path, draft: Draft | None = None, ledger: LedgerProof | None = None, **changes: Any) -> Path:
        """A package, in which anything can be replaced by something signed as well but wrong."""
        draft = draft or self.draft()
        arguments: dict[str, Any] = {"signing_key": self.borealia, "sealed_at": NOW}
        seal_package(draft, path, ledger=ledger or self.prove(draft.manifest_digest), **(arguments | changes))
        return path

    def signed_directory(self, **changes: Any) -> bytes:
        """The directory with changes, signed anew by the founder."""
        return sign_directory(dataclasses.replace(self.directory, **changes), self.founder)


def _entry(code: str, name: str, key: SigningKey, recipient: RecipientKey | None) -> AuthorityEntry:
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
