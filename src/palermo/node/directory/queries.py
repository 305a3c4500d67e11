"""Reads of the directory. It holds nothing secret: what is here, every member of the network has."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from palermo.node.directory.models import Authority, DirectoryVersion, PublicKey, TrustRootVersion
from palermo.node.home import trust_root_file
from palermo.sealing import canonical, dsse
from palermo.sealing.cosignature import CosignerPublicKey
from palermo.sealing.keys import RecipientPublicKey, VerifyKey
from palermo.sealing.trust_root import TrustChain, TrustRoot, follow, write_chain


class DirectoryError(Exception):
    """The directory cannot answer; the message says what to do."""


class UnknownAuthorityError(DirectoryError):
    """No authority of that code. ``code``: what was asked for."""

    def __init__(self, code: str) -> None:
        super().__init__(f"The directory lists no authority {code!r}. Import the newest directory, or check the code.")
        self.code = code


@dataclass(frozen=True, slots=True)
class AuthorityRow:
    """An authority that takes part. ``roles``: codes such as ``police``, ``fiu``, ``central-authority``.

    ``protocol``: the highest version of the envelope it reads; ``relay``: who stores and forwards for it, or "".
    """

    code: str
    name: str
    jurisdiction: str
    roles: tuple[str, ...]
    languages: tuple[str, ...]
    endpoint: str
    contact: str
    is_member: bool
    is_self: bool
    protocol: int = 1
    relay: str = ""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A public key of an authority and when it may be used."""

    purpose: str
    key_id: str
    fingerprint: str
    valid_from: datetime
    valid_until: datetime


def own_code() -> str:
    """This node's authority, from ``node.toml``."""
    code: str = settings.PALERMO_AUTHORITY
    return code


def own_log_origin() -> str:
    """The first line of this node's checkpoints: a name that no other log of the network has."""
    return f"palermo/{own_code()}"


def log_origin(code: str) -> str:
    """The first line of an authority's checkpoints, as the directory states it."""
    found = Authority.objects.filter(code=code).values_list("log_origin", flat=True).first()
    if found is None:
        raise UnknownAuthorityError(code)
    return found


def _row(authority: Authority) -> AuthorityRow:
    return AuthorityRow(
        code=authority.code,
        name=authority.name,
        jurisdiction=authority.jurisdiction,
        roles=tuple(authority.roles),
        languages=tuple(authority.languages),
        endpoint=authority.endpoint,
        contact=authority.contact,
        is_member=authority.is_member,
        is_self=authority.code == own_code(),
        protocol=authority.protocol,
        relay=authority.relay,
    )


def authority(code: str) -> AuthorityRow:
    """One authority. Raises :class:`UnknownAuthorityError`."""
    found = Authority.objects.filter(code=code).first()
    if found is None:
        raise UnknownAuthorityError(code)
    return _row(found)


def own() -> AuthorityRow:
    """This node's own authority, as the directory describes it."""
    return authority(own_code())


def partners() -> list[AuthorityRow]:
    """The other members, by code."""
    return [_row(row) for row in Authority.objects.filter(is_member=True).exclude(code=own_code()).order_by("code")]


def names() -> dict[str, str]:
    """Every known authority's name by code."""
    return dict(Authority.objects.values_list("code", "name"))


def keys(code: str) -> list[KeyRow]:
    """An authority's keys, past ones too, newest first."""
    rows = PublicKey.objects.filter(authority__code=code).order_by("purpose", "-valid_from")
    return [
        KeyRow(
            row.purpose,
            row.key_id,
            VerifyKey.from_bytes(bytes(row.public)).fingerprint if row.purpose == PublicKey.SIGNING else "",
            row.valid_from,
            row.valid_until,
        )
        for row in rows
    ]


# A key that was read keeps what its algorithms made of its bytes: they take as long to parse as a signature to verify.
@lru_cache(maxsize=1024)
def _verify_key(public: bytes) -> VerifyKey:
    return VerifyKey.from_bytes(public)


@lru_cache(maxsize=1024)
def _recipient_public(public: bytes) -> RecipientPublicKey:
    return RecipientPublicKey.from_bytes(public)


def verify_keys(code: str, at: datetime | None = None) -> list[VerifyKey]:
    """The keys with which an authority could sign at a time; every key that it ever had when ``at`` is None."""
    rows = PublicKey.objects.filter(authority__code=code, purpose=PublicKey.SIGNING)
    if at is not None:
        rows = rows.filter(authority__is_member=True, valid_from__lte=at, valid_until__gt=at)
    return [_verify_key(bytes(row.public)) for row in rows.order_by("-valid_from")]


def keys_of_statement(code: str, stated_at: datetime, now: datetime) -> list[VerifyKey]:
    """The keys that prove a statement which a partner keeps and gives again, such as a receipt: those in force now, and
    those in force when it says that it was made. So a receipt holds after its key was changed for another.
    """
    found = verify_keys(code, now)
    if stated_at < now:
        found += [key for key in verify_keys(code, stated_at) if key not in found]
    return found


def cosigner_key(code: str) -> CosignerPublicKey:
    """The key with which an authority witnesses others' logs. Raises ``DirectoryError`` where it lists none."""
    found = Authority.objects.filter(code=code).values_list("cosigner_key", flat=True).first()
    if found is None:
        raise UnknownAuthorityError(code)
    if not found:
        raise DirectoryError(f"{code} lists no cosigner key: it cannot witness until the directory names one.")
    return CosignerPublicKey.from_bytes(bytes(found))


def recipient_key(code: str, at: datetime) -> RecipientPublicKey:
    """The newest key to seal to, by a statement of a signing key that is in force as well.

    Raises :class:`UnknownAuthorityError`, or ``DirectoryError`` when all have run out: whoever holds a revoked signing
    key names no key to seal to.
    """
    if not authority(code).is_member:
        raise UnknownAuthorityError(code)
    rows = PublicKey.objects.filter(
        authority__code=code, purpose=PublicKey.RECIPIENT, valid_from__lte=at, valid_until__gt=at
    )
    signing = {key.key_id for key in verify_keys(code, at)}
    for row in rows.order_by("-valid_from"):
        if dsse.parse(bytes(row.statement)).key_id in signing:
            return _recipient_public(bytes(row.public))
    raise DirectoryError(f"{code} has no recipient key in force: ask it to publish a new one.")


def relay_of(code: str) -> str:
    """The code of the member that stores and forwards for an authority; "" for none."""
    return authority(code).relay


def _in_force(column: str) -> Any:
    """One column of the version in force; None before the first import."""
    return DirectoryVersion.objects.order_by("-version").values_list(column, flat=True).first()


def directory_version() -> int:
    """The version in force; 0 before the first import."""
    return _in_force("version") or 0


def expires_at() -> datetime | None:
    """From when the version in force may no longer be used to send; None where it never ends."""
    at: datetime | None = _in_force("expires_at")
    return at


def witnesses() -> list[str]:
    """The codes of the members that cosign others' logs, without this node's own."""
    return [code for code in _in_force("witnesses") or [] if code != own_code()]


def is_witness() -> bool:
    """Whether this node is listed as a witness of the others' logs."""
    return own_code() in (_in_force("witnesses") or [])


def recovery_key() -> VerifyKey | None:
    """The key that signs a log's new beginning; None where the founders named none."""
    key = bytes(_in_force("recovery_key") or b"")
    return VerifyKey.from_bytes(key) if key else None


def recovery_keys() -> list[VerifyKey]:
    """Every key that was ever listed for it, the newest first: what an earlier one opened stays open."""
    rows = DirectoryVersion.objects.order_by("-version").values_list("recovery_key", flat=True)
    return [_verify_key(key) for key in dict.fromkeys(bytes(row) for row in rows) if key]


def timestamp_authorities() -> list[bytes]:
    """The certificates (DER) that RFC 3161 time stamps may rest on."""
    return [canonical.decode_base64(text, "certificate") for text in _in_force("timestamp_authorities") or []]


def directory_bytes() -> bytes:
    """The signed file in force. Raises ``DirectoryError`` before the first import."""
    data = _in_force("data")
    if data is None:
        raise DirectoryError("This node knows no directory yet: palermo directory import --home HOME FILE")
    return bytes(data)


def trust() -> TrustChain:
    """Every trust root of this network that the node was given, verified, the newest last.

    Raises ``DirectoryError`` when none was given yet, and ``SealingError`` for one that was changed since.
    """
    path = trust_root_file()
    if not path.is_file():
        raise DirectoryError("This node has no trust root: palermo directory import --home HOME FILE --root ROOT")
    return _chain(path.read_bytes(), _successors())


# Each link takes several signatures to verify; what was verified once in this process need not be again.
@lru_cache(maxsize=4)
def _chain(first: bytes, successors: tuple[bytes, ...]) -> TrustChain:
    return TrustChain(follow(TrustRoot.from_bytes(first), successors))


def _successors() -> tuple[bytes, ...]:
    rows = TrustRootVersion.objects.order_by("version").values_list("data", flat=True)
    return tuple(bytes(data) for data in rows)


def trust_root() -> TrustRoot:
    """The newest trust root: what the next directory must be signed under. Raises as :func:`trust`."""
    return trust().roots[-1]


def directory_root() -> TrustRoot:
    """The root under which the directory in force was signed: the newest one, or the one before it for a while."""
    version = _in_force("root_version") or 1
    return next((root for root in trust().roots if root.version == version), trust_root())


def trust_file() -> bytes:
    """A file of all that this node trusts, to check evidence of any year with: a root, or a chain of them."""
    trust()
    first, successors = trust_root_file().read_bytes(), _successors()
    return write_chain(first, successors) if successors else first
