"""The directory in force on one page: for ``palermo directory show`` and for administrators."""

from dataclasses import dataclass
from datetime import datetime

from palermo.node.directory import currency, queries
from palermo.node.directory.currency import Currency
from palermo.node.directory.queries import KeyRow
from palermo.sealing import directory as sealed
from palermo.sealing.records import format_time


@dataclass(frozen=True, slots=True)
class Member:
    """A member with its keys; a key whose ``valid_until`` has passed is history."""

    code: str
    name: str
    keys: tuple[KeyRow, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """``content_digest`` names what the founders signed, to compare with another member's."""

    network: str
    version: int
    content_digest: str
    created_at: datetime | None
    expires_at: datetime | None
    currency: Currency
    root_version: int
    root_fingerprint: str
    threshold: int
    founders: tuple[str, ...]
    witnesses: tuple[str, ...]
    recovery_key: str
    members: tuple[Member, ...]


def overview(now: datetime) -> Overview:
    """What is in force. Raises ``DirectoryError`` before the first import."""
    standing, root = currency.standing(now), queries.trust_root()
    recovery = queries.recovery_key()
    rows = sorted([*queries.partners(), queries.own()], key=lambda row: row.code)
    return Overview(
        network=root.network,
        version=standing.version,
        content_digest=sealed.content_digest(queries.directory_bytes()),
        created_at=standing.created_at,
        expires_at=standing.expires_at,
        currency=standing.currency,
        root_version=root.version,
        root_fingerprint=root.fingerprint,
        threshold=root.threshold,
        founders=tuple(root.keys),
        witnesses=tuple(queries.witnesses()),
        recovery_key=recovery.key_id if recovery else "",
        members=tuple(Member(row.code, row.name, tuple(queries.keys(row.code))) for row in rows),
    )


def lines(seen: Overview) -> list[str]:
    """The same for people."""
    until = "never ends" if seen.expires_at is None else f"ends {format_time(seen.expires_at)}"
    warning = {
        Currency.ENDING: ["It ends soon: get the newest version from a founder and import it."],
        Currency.EXPIRED: ["IT HAS ENDED: nothing new is sent. Get the newest version from a founder and import it."],
    }
    return [
        f"Directory version {seen.version} of {seen.network}, {until}",
        *warning.get(seen.currency, []),
        f"Content {_groups(seen.content_digest)}",
        f"Trust root {seen.root_version}, fingerprint {seen.root_fingerprint}",
        f"{seen.threshold} of {len(seen.founders)} founders sign: {', '.join(seen.founders)}",
        f"Witnesses: {', '.join(seen.witnesses) or 'none'}",
        f"Recovery key: {seen.recovery_key or 'none'}",
        *(line for member in seen.members for line in _member_lines(member)),
    ]


def _groups(digest: str) -> str:
    return " ".join(digest[start : start + 8] for start in range(0, len(digest), 8))


def _member_lines(member: Member) -> list[str]:
    keys = [
        f"    {key.purpose:<9}  {key.key_id}  {format_time(key.valid_from)} to {format_time(key.valid_until)}"
        for key in member.keys
    ]
    return [f"{member.code}  {member.name}", *keys]
