"""What founders do together: the next version of the directory or trust root, who has signed it, and who still has to.

One founder drafts and signs; the file goes from hand to hand until a threshold has signed. All of it is done offline,
on files.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from palermo.sealing import dsse, records
from palermo.sealing.authority import AuthorityEntry, SigningKeyPeriod
from palermo.sealing.directory import DIRECTORY_TYPE, Directory, next_digests, open_directory, read_directory
from palermo.sealing.errors import FormatError, TrustError
from palermo.sealing.keys import Signer, VerifyKey
from palermo.sealing.trust_root import TRUST_ROOT_TYPE, Trust, TrustRoot, read_successor

MAX_KEY_FILE_BYTES = 1 << 14


@dataclass(frozen=True)
class PublicKeyFile:
    """A public key as a file, for a founder to hand to the others: ``key`` is ``VerifyKey.to_bytes``."""

    key: bytes
    kind: str = records.always("palermo-public-key/1")

    def __post_init__(self) -> None:
        """Refuse another kind of file, and bytes that are no key."""
        if self.kind != "palermo-public-key/1":
            raise FormatError("public key", "is no public key file of this software")
        VerifyKey.from_bytes(self.key)

    @classmethod
    def read(cls, data: bytes) -> VerifyKey:
        """The key in such a file. Raises FormatError."""
        return records.from_bytes(cls, data, "public key", max_bytes=MAX_KEY_FILE_BYTES).verify_key

    @property
    def verify_key(self) -> VerifyKey:
        """The key itself."""
        return VerifyKey.from_bytes(self.key)


@dataclass(frozen=True)
class Need:
    """How many founders of a root still have to sign: ``missing`` of ``may_sign`` (key ids). ``whose``: which root."""

    whose: str
    threshold: int
    missing: int
    may_sign: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A directory, or a trust root, on its way between founders. ``signed``: key ids whose signatures verify."""

    kind: str
    version: int
    content: Directory | TrustRoot
    signed: tuple[str, ...]
    needs: tuple[Need, ...]

    @property
    def complete(self) -> bool:
        """Whether members take it: as many founders signed as must."""
        return not any(need.missing for need in self.needs)


def read_draft(data: bytes, root: TrustRoot) -> Draft:
    """What founders have signed so far, under the present trust root.

    Raises FormatError, UnknownKeyError, SignatureError, TrustError and RollbackError as
    :func:`palermo.sealing.directory.read_directory` and :func:`palermo.sealing.trust_root.read_successor` do.
    """
    kind = dsse.parse_all(data, "draft").payload_type
    if kind == DIRECTORY_TYPE:
        directory, signed = read_directory(data, root)
        needs: tuple[Need, ...] = (_need("the trust root", root, signed, directory.founders),)
        return Draft("directory", directory.version, directory, signed, needs)
    if kind == TRUST_ROOT_TYPE:
        new, signed = read_successor(data, root)
        needs = (_need(f"trust root {root.version}", root, signed), _need(f"trust root {new.version}", new, signed))
        return Draft("trust root", new.version, new, signed, needs)
    raise FormatError("draft", f"is of type {kind[:80]!r}: neither a directory nor a trust root")


def _need(whose: str, root: TrustRoot, signed: Collection[str], named: Iterable[str] | None = None) -> Need:
    may = root.keys.keys() - set(signed)
    return Need(whose, root.threshold, root.missing(signed), tuple(sorted(may if named is None else may & set(named))))


def add_founder(data: bytes, root: TrustRoot, key: Signer) -> bytes:
    """Add a founder's signature. Raises TrustError for a key that need not, or may not, sign; and as above."""
    draft = read_draft(data, root)
    if draft.complete:
        raise TrustError(draft.kind, "is complete: one more signature would make another file of it")
    if not any(need.missing and key.key_id in need.may_sign for need in draft.needs):
        raise TrustError(draft.kind, f"the key {key.key_id} signed it already, or is no founder's whose turn it is")
    return dsse.add_signature(data, key, draft.kind)


def next_root(current: TrustRoot, founders: Iterable[VerifyKey], threshold: int) -> TrustRoot:
    """The trust root that is to follow. Raises FormatError for a threshold that cannot be met."""
    return TrustRoot(
        network=current.network,
        founders=tuple(key.to_bytes() for key in founders),
        threshold=threshold,
        version=current.version + 1,
        previous_digest=current.digest,
    )


def next_directory(data: bytes | None, trust: Trust, *, at: datetime) -> Directory:
    """The next version, with the members and services of the one before; ``data`` None begins with nobody.

    The one before may have been signed under an earlier root of a chain. Raises as
    :func:`palermo.sealing.directory.open_directory` does.
    """
    founders = tuple(trust.roots[-1].keys)
    if data is None:
        return Directory(network=trust.network, version=1, created_at=at, founders=founders, entries=())
    current = open_directory(data, trust)
    previous, earlier = next_digests(data, current)
    return replace(
        current,
        version=current.version + 1,
        created_at=at,
        founders=founders,
        previous_digest=previous,
        earlier_digests=earlier,
        expires_at=None,
    )


def revoke(directory: Directory, key_id: str, at: datetime) -> Directory:
    """End a signing key at a time. Raises TrustError when no member lists it, or it ended before."""
    for entry in directory.entries:
        for period in entry.signing_keys:
            if period.verify_key.key_id == key_id:
                return with_entries(directory, (replace(entry, signing_keys=_ended(entry, period, at)),))
    raise TrustError("directory", f"no member lists a signing key {key_id[:40]!r}: see `palermo directory show`")


def _ended(entry: AuthorityEntry, ending: SigningKeyPeriod, at: datetime) -> tuple[SigningKeyPeriod, ...]:
    if ending.not_after <= at:
        raise TrustError("directory", f"this key of {entry.code} ended already")
    if at <= ending.not_before:
        return tuple(period for period in entry.signing_keys if period is not ending)  # it never was in force
    return tuple(replace(period, not_after=at) if period is ending else period for period in entry.signing_keys)


def with_entries(directory: Directory, entries: Iterable[AuthorityEntry]) -> Directory:
    """The directory with these entries in the place of the members' own, and new ones at the end."""
    given = {entry.code: entry for entry in entries}
    kept = [given.pop(entry.code, entry) for entry in directory.entries]
    return replace(directory, entries=(*kept, *given.values()))


def without(directory: Directory, codes: Collection[str]) -> Directory:
    """The directory without these members. Raises TrustError for one that it does not list."""
    for code in codes:
        directory.entry(code)
    left = tuple(entry for entry in directory.entries if entry.code not in codes)
    witnesses = tuple(code for code in directory.witnesses if code not in codes)
    return replace(directory, entries=left, witnesses=witnesses)


def changes(before: Directory | None, after: Directory) -> list[str]:
    """What a founder must know before signing: each change, in a sentence."""
    old = {entry.code: entry for entry in before.entries} if before else {}
    new = {entry.code: entry for entry in after.entries}
    found = [f"{code} joins: {new[code].name}" for code in new if code not in old]
    found += [f"{code} leaves" for code in old if code not in new]
    for code in old.keys() & new.keys():
        found += [f"{code}: {change}" for change in _entry_changes(old[code], new[code])]
    for name in ("witnesses", "recovery_key", "timestamp_authorities", "founders"):
        if before is not None and getattr(before, name) != getattr(after, name):
            found.append(f"other {name.replace('_', ' ')}")
    return sorted(found)


def _entry_changes(before: AuthorityEntry, after: AuthorityEntry) -> Iterable[str]:
    old = {period.verify_key.key_id: period for period in before.signing_keys}
    new = {period.verify_key.key_id: period for period in after.signing_keys}
    for key_id in sorted(old.keys() | new.keys()):
        if key_id not in new:
            yield f"signing key {key_id} is left out, which ends it"
        elif key_id not in old:
            yield f"signing key {key_id} begins at {records.format_time(new[key_id].not_before)}"
        elif old[key_id].not_after != new[key_id].not_after:
            yield f"signing key {key_id} ends at {records.format_time(new[key_id].not_after)}"
    for name in ("name", "jurisdiction", "roles", "endpoint", "contact_point", "log_origin", "relay", "cosigner_key"):
        if getattr(before, name) != getattr(after, name):
            yield f"its {name.replace('_', ' ')} changes"
