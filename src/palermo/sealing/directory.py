"""The signed directory: who takes part, at a version that only rises.

A threshold of the network's founders signs it, by the trust root (:mod:`palermo.sealing.trust_root`) that each member
was handed in person. A signer outside the trust root is refused, so is a version older than the one held, and one that
has expired is not taken (rollback and freeze, as The Update Framework calls them). What an entry holds:
:mod:`palermo.sealing.authority`.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from palermo.sealing import dsse, records
from palermo.sealing.authority import (
    CODE,
    CODE_RULE,
    MAX_CODE,
    RECIPIENT_KEY_LIFETIME,
    RECIPIENT_KEY_TYPE,
    AuthorityEntry,
    RecipientKeyPeriod,
    Role,
    SigningKeyPeriod,
    open_recipient_key,
    sign_recipient_key,
)
from palermo.sealing.errors import FormatError, RollbackError, TrustError, UnknownKeyError
from palermo.sealing.keys import Signer, VerifyKey
from palermo.sealing.trust_root import MAX_VERSION, Trust, TrustRoot

__all__ = [  # an entry, its keys and the trust root are parts of a directory: readers of one find all of it here
    "CODE",
    "CODE_RULE",
    "DIRECTORY_TYPE",
    "MAX_CODE",
    "MAX_DIRECTORY_BYTES",
    "RECIPIENT_KEY_LIFETIME",
    "RECIPIENT_KEY_TYPE",
    "AuthorityEntry",
    "Directory",
    "RecipientKeyPeriod",
    "Role",
    "SigningKeyPeriod",
    "TrustRoot",
    "check_not_expired",
    "check_successor",
    "content_digest",
    "directory_digest",
    "next_digests",
    "open_directory",
    "open_recipient_key",
    "read_directory",
    "sign_directory",
    "sign_recipient_key",
]

DIRECTORY_TYPE = "application/vnd.palermo.directory.v1"
MAX_DIRECTORY_BYTES = 16 << 20
MAX_EARLIER_DIGESTS = 200
"""How many versions a member may have missed and still take the newest one at once."""


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The members of a network, at a version that only rises. ``founders`` are key ids, ``previous_digest`` the
    SHA-256 in hex of the version before this one ("" for the first): see :func:`check_successor`.

    ``earlier_digests`` are those of the versions before, newest first: a member that missed some still sees that what
    it holds is part of this history.

    From ``expires_at`` on it is no longer imported, and nothing new is sent by it: founders that fall silent, or
    whose new versions are held back, are noticed. ``witnesses`` are the codes of the members that cosign the others'
    logs, ``recovery_key`` the verify key that signs a log's new beginning, ``timestamp_authorities`` the certificates
    (DER) that RFC 3161 time stamps may rest on.
    """

    network: str
    version: int
    created_at: datetime
    founders: tuple[str, ...]
    entries: tuple[AuthorityEntry, ...]
    previous_digest: str = ""
    expires_at: datetime | None = None
    witnesses: tuple[str, ...] = ()
    recovery_key: bytes = b""
    timestamp_authorities: tuple[bytes, ...] = ()
    earlier_digests: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a directory whose parts do not fit one another: each names members and keys that are there."""
        codes = [entry.code.casefold() for entry in self.entries]
        if len(set(codes)) != len(codes):
            raise FormatError("directory", "names an authority twice")
        if not 1 <= self.version <= MAX_VERSION:
            raise FormatError("directory.version", f"starts at 1 and ends at {MAX_VERSION}")
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise FormatError("directory.expires_at", "is not after its creation")
        if len(self.earlier_digests) > MAX_EARLIER_DIGESTS:
            raise FormatError("directory.earlier_digests", f"are more than {MAX_EARLIER_DIGESTS}")
        self._check_services()
        if self.recovery_key:
            VerifyKey.from_bytes(self.recovery_key)
        for certificate in self.timestamp_authorities:
            _check_certificate(certificate)

    def _check_services(self) -> None:
        """Relays and witnesses are members that can do it, and nobody is relayed by one that is relayed itself."""
        by_code = {entry.code: entry for entry in self.entries}
        for entry in self.entries:
            relay = by_code.get(entry.relay)
            if entry.relay and (relay is None or Role.RELAY not in relay.roles or not relay.endpoint or relay.relay):
                raise FormatError(f"relay of {entry.code}", "is no member with the role relay and an endpoint")
        if len(set(self.witnesses)) != len(self.witnesses):
            raise FormatError("directory.witnesses", "names a witness twice")
        for code in self.witnesses:
            if code not in by_code or not by_code[code].cosigner_key:
                raise FormatError("directory.witnesses", f"{code[:MAX_CODE]!r} is no member with a cosigner key")

    def entry(self, code: str) -> AuthorityEntry:
        """The authority of that code. Raises TrustError when it is not a member."""
        for entry in self.entries:
            if entry.code == code:
                return entry
        raise TrustError("directory", f"lists no authority {code[:64]!r}")


def _check_certificate(der: bytes) -> None:
    try:
        x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise FormatError("directory.timestamp_authorities", "holds what is no X.509 certificate in DER") from error


def sign_directory(directory: Directory, founder: Signer) -> bytes:
    """Sign a directory as one of its founders. Raises TrustError when the key is not among them.

    Where the trust root asks for more, the others add theirs with :func:`palermo.sealing.dsse.add_signature`.
    """
    if founder.key_id not in directory.founders:
        raise TrustError("directory", "does not name this key as a founder")
    return dsse.sign(DIRECTORY_TYPE, records.to_bytes(directory), founder)


def read_directory(data: bytes, trust_root: TrustRoot) -> tuple[Directory, tuple[str, ...]]:
    """A directory with every key in it, and the ids of the founders whose signatures verify: perhaps still too few.

    Raises FormatError, UnknownKeyError (a signer is no founder of this root), SignatureError, TrustError (another
    network).
    """
    verified = dsse.verify_all(data, trust_root.keys, payload_type=DIRECTORY_TYPE, part="directory")
    directory = _parse(verified.payload)
    if directory.network != trust_root.network:
        raise TrustError("directory", f"is that of the network {directory.network[:64]!r}, not {trust_root.network!r}")
    if not set(verified.key_ids) <= set(directory.founders):
        raise TrustError("directory", "is signed by a founder that it no longer names")
    for entry in directory.entries:
        keys = dsse.by_id(*entry.verify_keys())
        for statement in entry.recipient_keys:
            open_recipient_key(statement, entry.code, keys)
    return directory, verified.key_ids


def open_directory(data: bytes, trust: Trust) -> Directory:
    """Verify a signed directory under a trust root, or under one of a chain: exactly its threshold of founders signed.

    Exactly, so that nobody can take a signature away or add one and have another file of the same version. Whether it
    has expired is the caller's to ask. Raises what :func:`read_directory` raises, and TrustError for another number of
    founders.
    """
    *earlier, newest = trust.roots
    for root in earlier:
        try:
            return _open(data, root)
        except (UnknownKeyError, TrustError):
            continue  # signed under another root of the chain
    return _open(data, newest)


def _open(data: bytes, trust_root: TrustRoot) -> Directory:
    directory, key_ids = read_directory(data, trust_root)
    if len(key_ids) != trust_root.threshold:
        raise TrustError(
            "directory", f"is signed by {len(key_ids)} founders; exactly {trust_root.threshold} of them must sign"
        )
    return directory


def directory_digest(data: bytes) -> str:
    """SHA-256 in hex of a signed directory: what names this file."""
    return hashlib.sha256(data).hexdigest()


def content_digest(data: bytes) -> str:
    """SHA-256 in hex of what the founders signed, for the next version's ``previous_digest``.

    It is the same whichever of the founders signed. Raises FormatError.
    """
    return hashlib.sha256(dsse.parse_all(data, "directory").payload).hexdigest()


def check_not_expired(directory: Directory, now: datetime) -> None:
    """Raises TrustError from ``expires_at`` on: somebody may be holding newer versions back (a freeze)."""
    if directory.expires_at is not None and directory.expires_at <= now:
        ended = records.format_time(directory.expires_at)
        raise TrustError("directory", f"version {directory.version} ended at {ended}: ask a founder for the newest one")


def next_digests(data: bytes, directory: Directory) -> tuple[str, tuple[str, ...]]:
    """``previous_digest`` and ``earlier_digests`` of the version that is to follow this one."""
    earlier = (directory.previous_digest, *directory.earlier_digests) if directory.previous_digest else ()
    return content_digest(data), earlier[:MAX_EARLIER_DIGESTS]


def check_successor(current: bytes, current_version: int, new: bytes, new_directory: Directory) -> None:
    """See that a directory may replace the imported one: the same content, or a later version that follows from it.

    Founders of one network may sign the same content in different numbers of two: that is one directory. The first
    networks cited the signed file's digest, which holds as well.

    Raises RollbackError for a lower version, other content of the same version, a later version in whose history the
    current one does not stand, and for one in which a signing key that had ended lives on.
    """
    version = new_directory.version
    if version < current_version:
        raise RollbackError("directory", f"version {version} is older than {current_version}, held already")
    if version == current_version:
        if content_digest(new) != content_digest(current):
            raise RollbackError("directory", f"there are two versions {version}: ask the founders which one holds")
        return
    history = (new_directory.previous_digest, *new_directory.earlier_digests)
    missed = version - current_version - 1
    if missed >= len(history):
        raise RollbackError("directory", f"import version {version - len(history)} first: {version} reaches no further")
    if history[missed] not in (content_digest(current), directory_digest(current)):
        raise RollbackError("directory", f"version {version} does not follow from the {current_version} held here")
    _check_ended_keys(_parse(dsse.parse_all(current, "directory").payload), new_directory)


def _check_ended_keys(current: Directory, new: Directory) -> None:
    """A key that had ended when the new version was made stays so: nobody brings back what was revoked."""
    ended = {
        (entry.code, period.key): period.not_after
        for entry in current.entries
        for period in entry.signing_keys
        if period.not_after <= new.created_at
    }
    for entry in new.entries:
        for period in entry.signing_keys:
            if period.not_after > ended.get((entry.code, period.key), period.not_after):
                raise RollbackError(
                    "directory", f"a signing key of {entry.code} that had ended lives on: make a new one"
                )


def _parse(payload: bytes) -> Directory:
    return records.from_bytes(Directory, payload, "directory", max_bytes=MAX_DIRECTORY_BYTES)
