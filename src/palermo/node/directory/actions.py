"""Writes of the directory: importing what the founders signed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from palermo.lake.files import write_whole
from palermo.node.directory import queries
from palermo.node.directory.models import Authority, DirectoryVersion, PublicKey
from palermo.node.directory.queries import DirectoryError
from palermo.node.home import trust_root_file
from palermo.sealing import canonical, dsse
from palermo.sealing import directory as sealed
from palermo.sealing.directory import AuthorityEntry, Directory, TrustRoot


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """What an import did: authority codes. ``version`` is the one now in force."""

    version: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def set_trust_root(data: bytes) -> TrustRoot:
    """Take a trust root, once. Raises ``DirectoryError`` if the node trusts another one already."""
    root = TrustRoot.from_bytes(data)
    path = trust_root_file()
    if path.exists() and path.read_bytes() != data:
        raise DirectoryError("This node trusts another root. A node joins one network; make a new node for another.")
    write_whole(path, data)
    return root


@transaction.atomic
def import_directory(data: bytes, *, now: datetime) -> DirectoryChange:
    """Verify a signed directory under the trust root and take it over.

    Raises ``SealingError`` for an unknown signer, a forged or older directory. Importing it again changes nothing.
    """
    directory = sealed.open_directory(data, queries.trust_root())
    current = DirectoryVersion.objects.select_for_update().order_by("-version").first()
    if current is not None:
        sealed.check_successor(bytes(current.data), current.version, data, directory)
        if current.version == directory.version:
            return DirectoryChange(current.version, (), (), ())
    DirectoryVersion.objects.create(
        version=directory.version,
        digest=hashlib.sha256(data).hexdigest(),
        data=data,
        imported_at=now,
        **services(directory),
    )
    return _take_over(directory)


def _take_over(directory: Directory) -> DirectoryChange:
    known = {row.code: row for row in Authority.objects.all()}
    added, changed = [], []
    for entry in directory.entries:
        before = known.get(entry.code)
        values = description(entry)
        if before is None:
            added.append(entry.code)
        elif differences(before, values):
            changed.append(entry.code)
        authority, _ = Authority.objects.update_or_create(code=entry.code, defaults=values)
        _take_keys(authority, entry)
    present = {entry.code for entry in directory.entries}
    removed = sorted(code for code, row in known.items() if row.is_member and code not in present)
    Authority.objects.filter(code__in=removed).update(is_member=False)
    return DirectoryChange(directory.version, tuple(added), tuple(changed), tuple(removed))


def differences(row: Authority | DirectoryVersion, values: Mapping[str, object]) -> list[str]:
    """The names of the columns that do not hold these values."""
    return [name for name, value in values.items() if _plain(getattr(row, name)) != value]


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value  # PostgreSQL gives binary columns so


def description(entry: AuthorityEntry) -> dict[str, object]:
    """The columns of a member's row, as its entry says."""
    return {
        "name": entry.name,
        "jurisdiction": entry.jurisdiction,
        "roles": [role.value for role in entry.roles],
        "languages": list(entry.languages),
        "endpoint": entry.endpoint.rstrip("/"),
        "contact": entry.contact_point,
        "log_origin": entry.log_origin,
        "is_member": True,
        "protocol": entry.protocol,
        "relay": entry.relay,
        "cosigner_key": entry.cosigner_key,
    }


def services(directory: Directory) -> dict[str, object]:
    """The columns of a version's row that repeat what the file says."""
    return {
        "created_at": directory.created_at,
        "expires_at": directory.expires_at,
        "witnesses": list(directory.witnesses),
        "recovery_key": directory.recovery_key,
        "timestamp_authorities": [canonical.encode_base64(der) for der in directory.timestamp_authorities],
    }


def _take_keys(authority: Authority, entry: AuthorityEntry) -> None:
    for period in entry.signing_keys:
        _take_key(authority, PublicKey.SIGNING, period.verify_key.key_id, period)
    by_id = dsse.by_id(*entry.verify_keys())
    for statement in entry.recipient_keys:
        opened = sealed.open_recipient_key(statement, entry.code, by_id)
        _take_key(authority, PublicKey.RECIPIENT, opened.recipient_key.key_id, opened, statement)


@transaction.atomic
def take_recipient_key(code: str, statement: bytes, *, now: datetime) -> None:
    """Take over an authority's own statement of a new recipient key, signed by its identity.

    Raises ``SealingError`` where it is not signed by a key that may sign for it now, or is another authority's.
    """
    identity = dsse.by_id(*queries.verify_keys(code, now))
    opened = sealed.open_recipient_key(statement, code, identity)
    authority = Authority.objects.get(code=code)
    _take_key(authority, PublicKey.RECIPIENT, opened.recipient_key.key_id, opened, statement)


def _take_key(
    authority: Authority,
    purpose: str,
    key_id: str,
    period: sealed.SigningKeyPeriod | sealed.RecipientKeyPeriod,
    statement: bytes = b"",
) -> None:
    PublicKey.objects.update_or_create(
        authority=authority,
        key_id=key_id,
        defaults={
            "purpose": purpose,
            "statement": statement,
            "public": period.key,
            "valid_from": period.not_before,
            "valid_until": period.not_after,
        },
    )
