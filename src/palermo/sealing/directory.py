"""Who takes part: the signed directory that a founder creates and members import, and the trust root it is checked by.

The *trust root* is a small file handed over in person, its fingerprint read aloud: the network's name and its founders'
keys. The *directory* lists the authorities with their signing keys; a founder signs it. A signer outside the trust
root is refused. Each authority signs its own *recipient keys*, which live at most 30 days, so renewing one needs no
founder.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from cryptography import x509

from palermo.sealing import dsse, records
from palermo.sealing.errors import FormatError, RollbackError, TrustError
from palermo.sealing.keys import RecipientPublicKey, SigningKey, VerifyKey, fingerprint_of

DIRECTORY_TYPE = "application/vnd.palermo.directory.v1"
RECIPIENT_KEY_TYPE = "application/vnd.palermo.recipient-key.v1"
RECIPIENT_KEY_LIFETIME = timedelta(days=30)
MAX_DIRECTORY_BYTES = 16 << 20

MAX_CODE = 20
"""How long an authority's code may be: it is part of every reference that people read, copy and say aloud."""
CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_CODE - 1}}}")
CODE_RULE = f"not 1 to {MAX_CODE} letters, digits, dots, dashes or underscores"

MAX_VERSION = 2**31 - 1
"""The highest version of a directory or trust root: what every database keeps as a whole number."""
MAX_PROTOCOL = 1000
COSIGNER_KEY_BYTES = 32 + 1312

# How long an entry's texts may be, in characters: every node keeps them.
_LONGEST_TEXTS = {"name": 200, "jurisdiction": 64, "endpoint": 300, "contact_point": 300, "log_origin": 200}


class Role(StrEnum):
    """What an authority is competent for; which messages it may send follows from it."""

    POLICE = "police"
    FIU = "fiu"
    CENTRAL_AUTHORITY = "central-authority"
    BORDER = "border"
    CUSTOMS = "customs"
    DRUG_CONTROL = "drug-control"
    REGIONAL_CENTRE = "regional-centre"
    INTERNATIONAL_ORGANISATION = "international-organisation"
    RELAY = "relay"


@dataclass(frozen=True)
class SigningKeyPeriod:
    """An authority's verify key (``VerifyKey.to_bytes``); may sign from ``not_before`` until before ``not_after``."""

    key: bytes
    not_before: datetime
    not_after: datetime

    @property
    def verify_key(self) -> VerifyKey:
        """The key itself. Raises FormatError for bytes that are none."""
        return VerifyKey.from_bytes(self.key)


@dataclass(frozen=True)
class RecipientKeyPeriod:
    """An authority's recipient key and when others may seal to it; the authority signs this itself."""

    authority: str
    key: bytes
    not_before: datetime
    not_after: datetime

    def __post_init__(self) -> None:
        """Refuse a period that is empty or longer than 30 days."""
        if not timedelta(0) < self.not_after - self.not_before <= RECIPIENT_KEY_LIFETIME:
            raise TrustError(f"recipient key of {self.authority[:64]}", "must live for at most 30 days")

    @property
    def recipient_key(self) -> RecipientPublicKey:
        """The key itself. Raises FormatError for bytes that are none."""
        return RecipientPublicKey.from_bytes(self.key)


@dataclass(frozen=True, kw_only=True)
class AuthorityEntry:
    """One authority. ``roles``: what it is competent for, one or several (a police bureau may be its state's central
    authority too). ``jurisdiction`` is an ISO 3166-1 code (or the organisation's own), ``languages`` ISO 639-1 codes,
    ``log_origin`` the first line of its log's checkpoints, ``recipient_keys`` statements of :func:`sign_recipient_key`.

    ``protocol`` is the highest version of the envelope that it reads. ``relay`` is the code of the member that stores
    and forwards for it: it needs no ``endpoint`` then. With neither, post reaches it by courier alone.
    ``cosigner_key`` is the key with which it witnesses others' logs (:mod:`palermo.sealing.cosignature`).
    """

    code: str
    name: str
    jurisdiction: str
    roles: tuple[Role, ...]
    languages: tuple[str, ...]
    endpoint: str
    contact_point: str
    log_origin: str
    signing_keys: tuple[SigningKeyPeriod, ...]
    recipient_keys: tuple[bytes, ...] = ()
    protocol: int = 1
    relay: str = ""
    cosigner_key: bytes = b""

    def __post_init__(self) -> None:
        """Refuse a code that could not stand in a message header, and what a node could not keep."""
        if not CODE.fullmatch(self.code):
            raise FormatError("authority.code", CODE_RULE)
        if self.relay and (not CODE.fullmatch(self.relay) or self.relay == self.code):
            raise FormatError("authority.relay", f"{CODE_RULE}, or the authority itself")
        if not 1 <= self.protocol <= MAX_PROTOCOL:
            raise FormatError("authority.protocol", f"not a version from 1 to {MAX_PROTOCOL}")
        if len(self.cosigner_key) not in (0, COSIGNER_KEY_BYTES):
            raise FormatError("authority.cosigner_key", f"not {COSIGNER_KEY_BYTES} bytes of Ed25519 and ML-DSA-44")
        for name, longest in _LONGEST_TEXTS.items():
            text = getattr(self, name)
            if len(text) > longest or "\0" in text:
                raise FormatError(f"authority.{name}", f"longer than {longest} characters, or holds a NUL")

    def verify_keys(self, at: datetime | None = None) -> tuple[VerifyKey, ...]:
        """The keys that may sign for this authority at a time; all it ever listed when no time is given."""
        periods = (p for p in self.signing_keys if at is None or p.not_before <= at < p.not_after)
        return tuple(period.verify_key for period in periods)

    def recipient_key(self, at: datetime) -> RecipientPublicKey:
        """The newest key to seal to at a time. Raises TrustError when there is none in force."""
        keys = dsse.by_id(*self.verify_keys())
        periods = (open_recipient_key(statement, self.code, keys) for statement in self.recipient_keys)
        current = [period for period in periods if period.not_before <= at < period.not_after]
        if not current:
            raise TrustError(f"authority {self.code}", "has no recipient key in force: ask it to publish a new one")
        return max(current, key=lambda period: period.not_before).recipient_key


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The members of a network, at a version that only rises. ``founders`` are key ids, ``previous_digest`` the
    SHA-256 in hex of the version before this one ("" for the first): see :func:`check_successor`.

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

    def __post_init__(self) -> None:
        """Refuse a directory whose parts do not fit one another: each names members and keys that are there."""
        codes = [entry.code.casefold() for entry in self.entries]
        if len(set(codes)) != len(codes):
            raise FormatError("directory", "names an authority twice")
        if not 1 <= self.version <= MAX_VERSION:
            raise FormatError("directory.version", f"starts at 1 and ends at {MAX_VERSION}")
        if self.expires_at is not None and self.expires_at <= self.created_at:
            raise FormatError("directory.expires_at", "is not after its creation")
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


@dataclass(frozen=True)
class TrustRoot:
    """The network's name and its founders' verify keys (``VerifyKey.to_bytes`` each): all that a member must trust.

    ``threshold`` of the founders sign a directory. ``version`` rises when founders change.
    """

    network: str
    founders: tuple[bytes, ...]
    kind: str = records.always("palermo-trust-root/1")
    threshold: int = 1
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse another kind of file, a root without founders, and a threshold that nobody or everybody meets."""
        if self.kind != "palermo-trust-root/1" or not self.founders:
            raise FormatError("trust root", "of another version, or names no founder")
        if not 1 <= self.threshold <= len(self.founders) <= dsse.MAX_SIGNERS:
            raise FormatError("trust root", f"needs 1 to {dsse.MAX_SIGNERS} founders, and a threshold they can meet")
        if not 1 <= self.version <= MAX_VERSION:
            raise FormatError("trust root.version", f"starts at 1 and ends at {MAX_VERSION}")

    @property
    def keys(self) -> dict[str, VerifyKey]:
        """The founders' keys by id. Raises FormatError for bytes that are no key."""
        return dsse.by_id(*(VerifyKey.from_bytes(data) for data in self.founders))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the file, in groups of eight, to compare aloud."""
        return fingerprint_of(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The file."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the file. Raises FormatError."""
        root = records.from_bytes(cls, data, "trust root")
        if len(root.keys) != len(root.founders):
            raise FormatError("trust root", "names a founder twice")
        return root


def _check_certificate(der: bytes) -> None:
    try:
        x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise FormatError("directory.timestamp_authorities", "holds what is no X.509 certificate in DER") from error


def sign_recipient_key(
    authority: str, public: RecipientPublicKey, not_before: datetime, not_after: datetime, key: SigningKey
) -> bytes:
    """An authority's signed statement of a recipient key. Raises TrustError when it would live longer than 30 days."""
    period = RecipientKeyPeriod(authority, public.to_bytes(), not_before, not_after)
    return dsse.sign(RECIPIENT_KEY_TYPE, records.to_bytes(period), key)


def open_recipient_key(statement: bytes, authority: str, keys: dict[str, VerifyKey]) -> RecipientKeyPeriod:
    """Verify such a statement under the authority's keys, by id.

    Raises FormatError, UnknownKeyError, SignatureError, and TrustError for another authority's statement.
    """
    part = f"recipient key of {authority}"
    verified = dsse.verify(statement, keys, payload_type=RECIPIENT_KEY_TYPE, part=part)
    period = records.from_bytes(RecipientKeyPeriod, verified.payload, part)
    if period.authority != authority:
        raise TrustError(part, f"was signed for {period.authority[:64]!r}")
    return period


def sign_directory(directory: Directory, founder: SigningKey) -> bytes:
    """Sign a directory as one of its founders. Raises TrustError when the key is not among them."""
    if founder.key_id not in directory.founders:
        raise TrustError("directory", "does not name this key as a founder")
    return dsse.sign(DIRECTORY_TYPE, records.to_bytes(directory), founder)


def open_directory(data: bytes, trust_root: TrustRoot) -> Directory:
    """Verify a signed directory under the trust root, with every key in it.

    Raises FormatError, UnknownKeyError (signer is no founder of this root), SignatureError, TrustError (another
    network).
    """
    verified = dsse.verify(data, trust_root.keys, payload_type=DIRECTORY_TYPE, part="directory")
    directory = records.from_bytes(Directory, verified.payload, "directory", max_bytes=MAX_DIRECTORY_BYTES)
    if directory.network != trust_root.network:
        raise TrustError("directory", f"is that of the network {directory.network[:64]!r}, not {trust_root.network!r}")
    if verified.key_id not in directory.founders:
        raise TrustError("directory", "is signed by a founder that it no longer names")
    for entry in directory.entries:
        keys = dsse.by_id(*entry.verify_keys())
        for statement in entry.recipient_keys:
            open_recipient_key(statement, entry.code, keys)
    return directory


def directory_digest(data: bytes) -> str:
    """SHA-256 in hex of a signed directory, for the next version's ``previous_digest``."""
    return hashlib.sha256(data).hexdigest()


def check_successor(current: bytes, current_version: int, new: bytes, new_directory: Directory) -> None:
    """See that a directory may replace the imported one: the same bytes, or a later version that follows from it.

    Raises RollbackError for a lower version, another directory of the same version, or a next version whose
    ``previous_digest`` is not that of the current one.
    """
    if new_directory.version < current_version:
        raise RollbackError(
            "directory", f"version {new_directory.version} is older than {current_version}, held already"
        )
    if new_directory.version == current_version and new != current:
        raise RollbackError("directory", f"there are two versions {current_version}: ask the founders which one holds")
    if new_directory.version == current_version + 1 and new_directory.previous_digest != directory_digest(current):
        raise RollbackError("directory", f"version {new_directory.version} does not follow from the one held here")
