"""The manifest of an epoch: the only place from which a querier takes a holder's keys.

Canonical JSON (sorted keys, no spaces, ASCII), byte-equal for all partners of a tier. The holder signs it, enters it
in its ledger and sends it to the tier's partners; the bytes are kept verbatim, and their SHA-256 names the manifest
ever after.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from palermo.blind import filters, group
from palermo.blind.errors import GroupError, InputError, MalformedError, ManifestError
from palermo.blind.group import Point
from palermo.blind.items import is_kind, require_names

FORMAT = "palermo-blind-manifest"
VERSION = 1
MAX_VALIDITY = timedelta(days=30)
MAX_BYTES = 2**16
DIGEST_BYTES = 32

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_FIELDS = {
    "commitment_root", "epoch", "format", "holder", "kinds", "tier", "valid_from", "valid_until", "version",
}  # fmt: skip
_KIND_FIELDS = {"count", "filter_sha256", "kind", "public_key"}


@dataclass(frozen=True)
class KindEntry:
    """One selector kind: its public key, the padded number of items, and the SHA-256 of its filter."""

    kind: str
    public_key: Point
    count: int
    filter_digest: bytes


@dataclass(frozen=True)
class Manifest:
    """A parsed manifest; ``kinds`` sorted by kind, times in UTC to the second."""

    holder: str
    epoch: str
    tier: str
    valid_from: datetime
    valid_until: datetime
    commitment_root: bytes
    kinds: tuple[KindEntry, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly: size bounded, known version, exact fields, canonical. Raises :class:`MalformedError`."""
        if len(data) > MAX_BYTES:
            raise MalformedError("manifest", f"{len(data)} bytes are more than the {MAX_BYTES} allowed")
        try:
            parsed = cls._from_json(json.loads(data))
        except (ValueError, TypeError, KeyError, RecursionError, InputError, GroupError) as error:
            raise MalformedError("manifest", str(error)) from error
        if parsed.to_bytes() != data:
            raise MalformedError("manifest", "its encoding is not canonical")
        return parsed

    @classmethod
    def _from_json(cls, content: Any) -> Self:
        if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
            raise ValueError(f"it is no {FORMAT} of version {VERSION}")
        if content.keys() != _FIELDS:
            raise ValueError("it has fields missing or unknown")
        manifest = cls(
            holder=_text(content["holder"]),
            epoch=_text(content["epoch"]),
            tier=_text(content["tier"]),
            valid_from=datetime.strptime(content["valid_from"], _TIME).replace(tzinfo=UTC),
            valid_until=datetime.strptime(content["valid_until"], _TIME).replace(tzinfo=UTC),
            commitment_root=_digest(content["commitment_root"]),
            kinds=tuple(_kind_from_json(entry) for entry in content["kinds"]),
        )
        manifest.require_sound()
        return manifest

    def require_sound(self) -> None:
        """Raise :class:`InputError` unless names, validity and kinds are what a manifest may hold."""
        require_names({"holder": self.holder, "epoch": self.epoch, "tier": self.tier})
        if not self.valid_from < self.valid_until <= self.valid_from + MAX_VALIDITY:
            raise InputError(
                f"an epoch lasts longer than nothing and at most {MAX_VALIDITY.days} days; choose other dates"
            )
        kinds = [entry.kind for entry in self.kinds]
        if kinds != sorted(set(kinds)):
            raise InputError("the kinds are not sorted and distinct")

    def to_bytes(self) -> bytes:
        """The canonical bytes: what is signed, and what :attr:`digest` is of."""
        content = {
            "commitment_root": self.commitment_root.hex(),
            "epoch": self.epoch,
            "format": FORMAT,
            "holder": self.holder,
            "kinds": [
                {
                    "count": entry.count,
                    "filter_sha256": entry.filter_digest.hex(),
                    "kind": entry.kind,
                    "public_key": entry.public_key.hex(),
                }
                for entry in self.kinds
            ],
            "tier": self.tier,
            "valid_from": self.valid_from.strftime(_TIME),
            "valid_until": self.valid_until.strftime(_TIME),
            "version": VERSION,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical bytes: the manifest's name in every message."""
        return hashlib.sha256(self.to_bytes()).digest()

    def entry(self, kind: str) -> KindEntry:
        """The entry of ``kind``. Raises :class:`ManifestError` if it is not published."""
        for entry in self.kinds:
            if entry.kind == kind:
                return entry
        raise ManifestError(f"the manifest of {self.holder} for {self.epoch} publishes no {kind}")

    def require_current(self, now: datetime) -> None:
        """Raise :class:`ManifestError` unless ``now`` (with a time zone) lies in the epoch."""
        if not self.valid_from <= now < self.valid_until:
            raise ManifestError(
                f"the manifest of {self.holder} for {self.epoch} holds from {self.valid_from:{_TIME}} to"
                f" {self.valid_until:{_TIME}}; ask for the current one"
            )


def _kind_from_json(content: Any) -> KindEntry:
    if not isinstance(content, dict) or content.keys() != _KIND_FIELDS:
        raise ValueError("a kind has fields missing or unknown")
    kind, count = _text(content["kind"]), content["count"]
    if not is_kind(kind):
        raise ValueError("a kind has no usable name")
    if type(count) is not int or not 0 < count <= filters.MAX_ITEMS or filters.padded_count(count) != count:
        raise ValueError(f"the count of {kind} is no padded count")
    [public_key] = group.require_points([bytes.fromhex(content["public_key"])])
    return KindEntry(kind, public_key, count, _digest(content["filter_sha256"]))


def _text(content: Any) -> str:
    if not isinstance(content, str):
        raise ValueError(f"{content!r} is no text")
    return content


def _digest(text: str) -> bytes:
    digest = bytes.fromhex(text)
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest is {DIGEST_BYTES} bytes")
    return digest
