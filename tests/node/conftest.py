"""A small network for the tests of node apps: this node (AA-POL) and two partners, all with real keys."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys, queries
from palermo.node.office.models import Officer
from palermo.sealing import directory as sealed
from palermo.sealing.cosignature import CosignerKey
from palermo.sealing.keys import RecipientKey, SigningKey

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OWN, PARTNER, OTHER = "AA-POL", "BB-POL", "CC-FIU"


@dataclass
class Member:
    """One authority with its private keys in a home of its own."""

    code: str
    home: Path
    signing: SigningKey
    recipient: RecipientKey
    cosigner: CosignerKey | None = None

    def entry(self, now: datetime, protocol: int = 1) -> sealed.AuthorityEntry:
        statement = sealed.sign_recipient_key(
            self.code, self.recipient.public, now - timedelta(days=1), now + timedelta(days=29), self.signing
        )
        roles = (sealed.Role.FIU,) if self.code.endswith("FIU") else (sealed.Role.POLICE, sealed.Role.CENTRAL_AUTHORITY)
        return sealed.AuthorityEntry(
            code=self.code,
            name=f"Bureau of {self.code[:2]}",
            jurisdiction=self.code[:2],
            roles=roles,
            languages=("en",),
            endpoint=f"http://{self.code.lower()}.invalid",
            contact_point=f"duty desk of {self.code}",
            log_origin=f"palermo/{self.code}",
            signing_keys=(
                sealed.SigningKeyPeriod(
                    self.signing.public.to_bytes(), now - timedelta(days=1), now + timedelta(days=1000)
                ),
            ),
            recipient_keys=(statement,),
            protocol=protocol,
            cosigner_key=self.cosigner.public.to_bytes() if self.cosigner else b"",
        )


@dataclass
class Network:
    """The founder, the members, and the signed directory that this node imported."""

    now: datetime
    settings: object
    founder: SigningKey
    members: dict[str, Member] = field(default_factory=dict)
    directory: bytes = b""

    def sign_directory(
        self,
        version: int = 1,
        codes: tuple[str, ...] = (OWN, PARTNER, OTHER),
        previous: str = "",
        witnesses: tuple[str, ...] = (),
        protocol: int = 1,
    ) -> bytes:
        return sealed.sign_directory(
            sealed.Directory(
                network="test network",
                version=version,
                created_at=self.now,
                founders=(self.founder.key_id,),
                entries=tuple(self.members[code].entry(self.now, protocol) for code in codes),
                previous_digest=previous,
                witnesses=witnesses,
            ),
            self.founder,
        )

    @contextmanager
    def as_authority(self, code: str) -> Iterator[Member]:
        """Act as another member: its code, home and keys. The database stays the same."""
        before = (self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME)
        self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = code, self.members[code].home
        try:
            yield self.members[code]
        finally:
            self.settings.PALERMO_AUTHORITY, self.settings.PALERMO_HOME = before


@pytest.fixture
def network(db, settings, tmp_path) -> Network:
    """This node as AA-POL with keys and an imported directory; partners BB-POL and CC-FIU with keys of their own."""
    made = Network(now=NOW, settings=settings, founder=SigningKey.generate())
    for code in (OWN, PARTNER, OTHER):
        settings.PALERMO_HOME = tmp_path / code
        settings.PALERMO_HOME.mkdir()
        own_keys.ensure(NOW - timedelta(days=1))
        (recipient,) = own_keys.recipient_keys().values()
        cosigner = own_keys.cosigner_key()
        made.members[code] = Member(code, settings.PALERMO_HOME, own_keys.signing_key(), recipient, cosigner)
    settings.PALERMO_AUTHORITY, settings.PALERMO_HOME = OWN, made.members[OWN].home
    root = sealed.TrustRoot("test network", (made.founder.public.to_bytes(),))
    for member in made.members.values():
        (member.home / "trust-root.json").write_bytes(root.to_bytes())
    made.directory = made.sign_directory()
    directory_actions.import_directory(made.directory, now=NOW)
    assert queries.own().code == OWN
    return made


@pytest.fixture
def witnessed_network(network) -> Network:
    """The network with a directory by which all three speak version 2 and witness one another's logs."""
    network.directory = network.sign_directory(
        2, previous=sealed.content_digest(network.directory), witnesses=(OWN, PARTNER, OTHER), protocol=2
    )
    directory_actions.import_directory(network.directory, now=NOW)
    return network


@pytest.fixture
def make_officer(db):
    """Make an officer with roles: ``make_officer("rossi", "investigator")``."""

    def make(username: str, *roles: str) -> Officer:
        return Officer.objects.create(
            username=username, first_name="Officer", last_name=username.title(), roles=sorted(roles), created_at=NOW
        )

    return make
