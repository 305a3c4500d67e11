"""One authority, as the directory lists it: who it is, where its post goes, and the keys it is known by.

Its *signing keys* are vouched for by the founders, who sign the directory. Each authority signs its own *recipient
keys*, which live at most 30 days, so renewing one needs no founder.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from palermo.sealing import dsse, records
from palermo.sealing.errors import FormatError, TrustError
from palermo.sealing.keys import RecipientPublicKey, Signer, VerifyKey

RECIPIENT_KEY_TYPE = "application/vnd.palermo.recipient-key.v1"
RECIPIENT_KEY_LIFETIME = timedelta(days=30)

MAX_CODE = 20
"""How long an authority's code may be: it is part of every reference that people read, copy and say aloud."""
CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_CODE - 1}}}")
CODE_RULE = f"not 1 to {MAX_CODE} letters, digits, dots, dashes or underscores"

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

    def __post_init__(self) -> None:
        """Refuse an empty period."""
        if not self.not_before < self.not_after:
            raise FormatError("signing key", "ends before it begins")

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
        """The newest key to seal to at a time, by a statement of a signing key that is in force then as well.

        Raises TrustError when there is none: whoever holds a revoked signing key names no key to seal to.
        """
        keys = dsse.by_id(*self.verify_keys(at))
        known = (statement for statement in self.recipient_keys if dsse.parse(statement).key_id in keys)
        periods = (open_recipient_key(statement, self.code, keys) for statement in known)
        current = [period for period in periods if period.not_before <= at < period.not_after]
        if not current:
            raise TrustError(f"authority {self.code}", "has no recipient key in force: ask it to publish a new one")
        return max(current, key=lambda period: period.not_before).recipient_key


def sign_recipient_key(
    authority: str, public: RecipientPublicKey, not_before: datetime, not_after: datetime, key: Signer
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
