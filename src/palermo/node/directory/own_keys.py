"""This authority's private keys, in the ``keys`` folder of the node's home.

``signing.key`` is the identity; ``recipient-<key id>.key`` open what partners seal. With ``PALERMO_KEY_PASSPHRASE`` (or
``PALERMO_KEY_PASSPHRASE_FILE``) the files are locked.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from palermo.node.home import keys_folder
from palermo.sealing.keyfile import read_private, write_private
from palermo.sealing.keys import RecipientKey, SigningKey

_SIGNING = "signing.key"


def _passphrase() -> bytes | None:
    passphrase: str = settings.PALERMO_KEY_PASSPHRASE
    return passphrase.encode() or None


def create_recipient_key() -> RecipientKey:
    """Make one more recipient key; partners learn of it by the next directory."""
    key = RecipientKey.generate()
    write_private(keys_folder() / f"recipient-{key.key_id}.key", key.to_bytes(), _passphrase())
    return key


# Unlocking a file takes Argon2id's tenth of a second: once a process and file is enough. Keys never change in place.
@lru_cache(maxsize=64)
def _read(path: Path) -> bytes:
    return read_private(path, _passphrase())


def signing_key() -> SigningKey:
    """The identity of this authority. Raises ``KeyFileError`` where it is absent or locked."""
    return SigningKey.from_bytes(_read(keys_folder() / _SIGNING))


def recipient_keys() -> Mapping[str, RecipientKey]:
    """Every recipient key that has not been destroyed, by key id."""
    paths = sorted(keys_folder().glob("recipient-*.key"))
    keys = (RecipientKey.from_bytes(_read(path)) for path in paths)
    return {key.key_id: key for key in keys}


def ensure() -> None:
    """Make what is missing: the identity, and a recipient key. Safe to repeat after a stop in between."""
    if not (keys_folder() / _SIGNING).exists():
        write_private(keys_folder() / _SIGNING, SigningKey.generate().to_bytes(), _passphrase())
    if not recipient_keys():
        create_recipient_key()
