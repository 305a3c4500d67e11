"""This authority's private keys, in the ``keys`` folder of the node's home.

``signing.key`` is the identity, ``cosigner.key`` witnesses others' logs. ``recipient-<key id>.key`` opens what partners
seal; ``recipient-<key id>.signed`` is the authority's own statement of when partners may use it, signed once when the
key is made: a key's life is never prolonged. With ``PALERMO_KEY_PASSPHRASE`` (or ``PALERMO_KEY_PASSPHRASE_FILE``) the
private files are locked.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from palermo.lake.files import write_whole
from palermo.node.home import keys_folder
from palermo.sealing import dsse
from palermo.sealing.cosignature import CosignerKey
from palermo.sealing.directory import (
    RECIPIENT_KEY_LIFETIME,
    RecipientKeyPeriod,
    open_recipient_key,
    sign_recipient_key,
)
from palermo.sealing.keyfile import read_private, write_private
from palermo.sealing.keys import RecipientKey, SigningKey

RENEW_AFTER = timedelta(days=15)
"""Partners get a new key when the present one's life is half over: one cut off for two weeks still has a key."""

OVERLAP = timedelta(days=31)
"""How long a key opens what was sealed to it in time: as long as a message may be on its way at most."""

_SIGNING = "signing.key"
_COSIGNER = "cosigner.key"


def _passphrase() -> bytes | None:
    passphrase: str = settings.PALERMO_KEY_PASSPHRASE
    return passphrase.encode() or None


# Unlocking a file takes Argon2id's tenth of a second: once a process and file is enough. Keys never change in place.
@lru_cache(maxsize=64)
def _read(path: Path) -> bytes:
    return read_private(path, _passphrase())


def signing_key() -> SigningKey:
    """The identity of this authority. Raises ``KeyFileError`` where it is absent or locked."""
    return SigningKey.from_bytes(_read(keys_folder() / _SIGNING))


def cosigner_key() -> CosignerKey:
    """The key with which this authority witnesses others' logs. Raises ``KeyFileError`` where it is absent."""
    return CosignerKey.from_bytes(_read(keys_folder() / _COSIGNER))


def recipient_keys() -> Mapping[str, RecipientKey]:
    """Every recipient key that has not been destroyed, by key id."""
    paths = sorted(keys_folder().glob("recipient-*.key"))
    keys = (RecipientKey.from_bytes(_read(path)) for path in paths)
    return {key.key_id: key for key in keys}


def statements() -> Iterator[tuple[RecipientKeyPeriod, bytes]]:
    """The authority's statements of its own recipient keys, opened and as signed."""
    own = dsse.by_id(signing_key().public)
    for path in sorted(keys_folder().glob("recipient-*.signed")):
        signed = path.read_bytes()
        yield open_recipient_key(signed, settings.PALERMO_AUTHORITY, own), signed


def create_recipient_key(now: datetime) -> bytes:
    """Make a recipient key for the next 30 days; returns the signed statement that partners need."""
    key, start = RecipientKey.generate(), now.replace(microsecond=0)
    end = start + RECIPIENT_KEY_LIFETIME
    signed = sign_recipient_key(settings.PALERMO_AUTHORITY, key.public, start, end, signing_key())
    write_private(keys_folder() / f"recipient-{key.key_id}.key", key.to_bytes(), _passphrase())
    # The statement comes last: a key without one was never offered to anybody, and is made anew.
    write_whole(keys_folder() / f"recipient-{key.key_id}.signed", signed)
    return signed


def renew(now: datetime) -> bytes | None:
    """Make the next recipient key when the newest is half through its life; its statement, or None before that."""
    starts = [period.not_before for period, _ in statements()]
    if starts and now < max(starts) + RENEW_AFTER:
        return None
    return create_recipient_key(now)


def destroy_expired(now: datetime) -> list[str]:
    """Destroy the private keys that no message in time can need any more; returns their ids."""
    ended = [period for period, _ in statements() if period.not_after + OVERLAP <= now]
    for period in ended:
        key_id = period.recipient_key.key_id
        for ending in ("key", "signed"):
            (keys_folder() / f"recipient-{key_id}.{ending}").unlink(missing_ok=True)
    if ended:
        _read.cache_clear()
    return [period.recipient_key.key_id for period in ended]


def ensure(now: datetime) -> None:
    """Make what is missing: identity, cosigner key, a recipient key. Safe to repeat after a stop in between."""
    if not (keys_folder() / _SIGNING).exists():
        write_private(keys_folder() / _SIGNING, SigningKey.generate().to_bytes(), _passphrase())
    if not (keys_folder() / _COSIGNER).exists():
        write_private(keys_folder() / _COSIGNER, CosignerKey.generate().to_bytes(), _passphrase())
    if not any(True for _ in statements()):
        create_recipient_key(now)
