"""Writes of the directory: importing what the founders signed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from palermo.node.directory import queries
from palermo.node.directory.models import Authority, DirectoryVersion, PublicKey
from palermo.sealing import canonical, dsse
from palermo.sealing import directory as sealed
from palermo.sealing.directory import AuthorityEntry, Directory
from palermo.sealing.errors import RollbackError


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """What an import did: authority codes. ``version`` is the one now in force."""

    version: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


@transaction.atomic
def import_directory(data: bytes, *, now: datetime) -> DirectoryChange:
    """Verify a signed directory under the newest trust root and take it over. The one in force again changes nothing.

    Raises ``SealingError``: an unknown signer or too few founders, forged, older or of another history than the one in
    force, or past its end.
    """
    current = DirectoryVersion.objects.select_for_update().order_by("-version").first()
    if current is not None and bytes(current.data) == data:
        return DirectoryChange(current.version, (), (), ())
    root = queries.trust_root()
    directory = sealed.open_directory(data, root)
    if current is not None:
        sealed.check_successor(bytes(current.data), current.version, data, directory)
        if current.version == directory.version:
            return DirectoryChange(current.version, (), (), ())
    sealed.check_not_expired(directory, now)
    DirectoryVersion.objects.create(
        version=directory.version,
        digest=hashlib.sha256(data).hexdigest(),
        data=data,
        root_version=root.version,
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
        _take_keys(authority, entry, directory.created_at)
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


def _take_keys(authority: Authority, entry: AuthorityEntry, at: datetime) -> None:
    """Take an entry's keys. ``at``: when the directory was made; a signing key that it leaves out ended then."""
    signing = PublicKey.objects.filter(authority=authority, purpose=PublicKey.SIGNING)
    ended = {row.key_id: row.valid_until for row in signing.filter(valid_until__lte=at)}
    listed = {period.verify_key.key_id: period for period in entry.signing_keys}
    for key_id, period in listed.items():
        if period.not_after > ended.get(key_id, period.not_after):
            raise RollbackError("directory", f"a signing key of {entry.code} that had ended lives on: make a new one")
        _take_key(authority, PublicKey.SIGNING, key_id, period)
    left_out = signing.exclude(key_id__in=listed)
    left_out.filter(valid_from__gte=at).delete()  # it never was in force
    left_out.filter(valid_until__gt=at).update(valid_until=at)
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
