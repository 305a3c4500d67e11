"""A network on disk: homes with keys, migrated databases, an imported directory; made once, copied for each world."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from palermo.config import node_file
from palermo.node.directory import actions as directory_actions
from palermo.node.directory import own_keys, roots
from palermo.sealing import directory as sealed
from palermo.sealing.envelope import PROTOCOL_VERSION
from palermo.sealing.keys import SigningKey
from simulation.disk import DATABASE, copy_home
from simulation.member import Member, TrueTime
from simulation.notes import TABLES

BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NETWORK = "simulated network"


def codes(count: int) -> list[str]:
    """Names of so many authorities, each of another state: AA-POL, BB-POL …, then AB-POL, BC-POL …"""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    pairs = (letters[place] + letters[(place + shift) % 26] for shift in range(26) for place in range(26))
    return [f"{pair}-POL" for pair, _ in zip(pairs, range(count), strict=False)]


def found(folder: Path, authorities: Sequence[str]) -> Path:
    """Make the network of these authorities below a folder, all at :data:`BEGINNING`; returns the folder."""
    time = TrueTime(BEGINNING)
    members = [_join(folder, code, time) for code in authorities]
    with members[0].acting():
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            for statement in TABLES:
                cursor.execute(statement)
    members[0].database.close()
    migrated = (members[0].home / DATABASE).read_bytes()
    for member in members[1:]:
        (member.home / DATABASE).write_bytes(migrated)
    founder = SigningKey.generate()
    directory = _directory(members, founder)
    root = sealed.TrustRoot(NETWORK, (founder.public.to_bytes(),)).to_bytes()
    for member in members:
        with member.acting():
            roots.take_trust(root, now=BEGINNING)
            directory_actions.import_directory(directory, now=BEGINNING)
        member.database.close()
    return folder


def copy(founded: Path, folder: Path) -> list[str]:
    """The homes of a founded network once more; returns its codes."""
    authorities = sorted(path.name for path in founded.iterdir())
    for code in authorities:
        copy_home(founded / code / "life-1", folder / code / "life-1")
    return authorities


def _join(folder: Path, code: str, time: TrueTime) -> Member:
    member = Member(code, folder / code, time)
    node_file.create(member.home, node_file.NodeFile(authority=code, https=False, hosts=(member.host,)))
    with member.acting():
        own_keys.ensure(BEGINNING - timedelta(days=1))
    return member


def _directory(members: Sequence[Member], founder: SigningKey) -> bytes:
    listing = sealed.Directory(
        network=NETWORK,
        version=1,
        created_at=BEGINNING,
        founders=(founder.key_id,),
        entries=tuple(_entry(member, _protocol(place)) for place, member in enumerate(members)),
    )
    return sealed.sign_directory(listing, founder)


def _protocol(place: int) -> int:
    """Every third member still speaks version 1 alone."""
    return 1 if place % 3 == 2 else PROTOCOL_VERSION


def _entry(member: Member, protocol: int) -> sealed.AuthorityEntry:
    with member.acting():
        identity = own_keys.signing_key().public
        statements = tuple(signed for _, signed in own_keys.statements())
    since, until = BEGINNING - timedelta(days=1), BEGINNING + timedelta(days=1000)
    return sealed.AuthorityEntry(
        code=member.code,
        name=f"Bureau of {member.code[:2]}",
        jurisdiction=member.code[:2],
        roles=(sealed.Role.POLICE,),
        languages=("en",),
        endpoint=f"http://{member.host}",
        contact_point=f"duty desk of {member.code}",
        log_origin=f"palermo/{member.code}",
        signing_keys=(sealed.SigningKeyPeriod(identity.to_bytes(), since, until),),
        recipient_keys=statements,
        protocol=protocol,
    )
