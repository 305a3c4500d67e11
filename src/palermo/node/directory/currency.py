"""How far the directory in force can be relied upon: founders give each version an end, so that a freeze is noticed.

Whoever holds newer versions back keeps a revoked key alive at this node. So some days before the end people are told,
and from the end on nothing new is sent; what partners send is still taken, and its receipts go out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from palermo.node.directory.models import DirectoryVersion
from palermo.node.directory.queries import DirectoryError, directory_version, expires_at
from palermo.sealing.records import format_time

WARN_BEFORE = timedelta(days=14)
"""How long before its end a directory is named as ending."""


class ExpiredDirectoryError(DirectoryError):
    """The version in force has ended. ``version``, and ``expired_at``."""

    def __init__(self, version: int, expired_at: datetime) -> None:
        super().__init__(
            f"Version {version} of the directory ended at {format_time(expired_at)}, so that nothing new is sent: "
            "somebody may be holding newer versions back. Ask a founder for the newest one and import it."
        )
        self.version, self.expired_at = version, expired_at


class Currency(StrEnum):
    """How far the version in force can be relied upon."""

    NONE = "none"
    CURRENT = "current"
    ENDING = "ending"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """The directory in force; ``version`` and ``root_version`` are 0 before the first import."""

    version: int
    root_version: int
    created_at: datetime | None
    expires_at: datetime | None
    currency: Currency


def require_current(now: datetime) -> None:
    """Raises :class:`ExpiredDirectoryError` once the version in force has ended: nothing new is sent by it."""
    until = expires_at()
    if until is not None and until <= now:
        raise ExpiredDirectoryError(directory_version(), until)


def standing(now: datetime) -> Standing:
    """Which version is in force, under which root, and whether it ends soon."""
    row = DirectoryVersion.objects.defer("data").order_by("-version").first()
    if row is None:
        return Standing(0, 0, None, None, Currency.NONE)
    currency = Currency.CURRENT
    if row.expires_at is not None and row.expires_at <= now + WARN_BEFORE:
        currency = Currency.EXPIRED if row.expires_at <= now else Currency.ENDING
    return Standing(row.version, row.root_version, row.created_at, row.expires_at, currency)


def replaced_versions() -> list[int]:
    """The last versions that had an end and were followed by another one."""
    rows = DirectoryVersion.objects.exclude(expires_at=None).order_by("-version").values_list("version", flat=True)
    return [version for version in rows[:5] if version != directory_version()]
