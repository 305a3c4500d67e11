"""This authority's private keys, in the ``keys`` folder of the node's home.

``signing.key`` is the first identity. The one in use is named by its URI in ``signing.uri`` (:mod:`sealing.keyuri
<palermo.sealing.keyuri>`), so that it may lie in a hardware module; one that the directory is still to list waits in
``next-signing.uri``. ``cosigner.key`` witnesses others' logs. ``recipient-<key id>.key`` opens what partners
seal; ``recipient-<key id>.signed`` is the authority's own statement of when partners may use it, signed once when the
key is made: a key's life is never prolonged. ``custody-<key id>.key`` is one officer's, for the steps of custody that
this officer records (:mod:`palermo.node.evidence.signing`). With ``PALERMO_KEY_PASSPHRASE`` (or
``PALERMO_KEY_PASSPHRASE_FILE``) the private files are locked.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from palermo.lake.files import write_whole
from palermo.node.directory import queries
from palermo.node.home import keys_folder
from palermo.sealing import dsse
from palermo.sealing.cosignature import CosignerKey
from palermo.sealing.directory import (
    RECIPIENT_KEY_LIFETIME,
    RecipientKeyPeriod,
    open_recipient_key,
    sign_recipient_key,
)
from palermo.sealing.keyfile import destroy_private, read_private, write_private
from palermo.sealing.keys import RecipientKey, Signer, SigningKey, VerifyKey
from palermo.sealing.keyuri import KeyPlace, open_signer

RENEW_AFTER = timedelta(days=15)
"""Partners get a new key when the present one's life is half over: one cut off for two weeks still has a key."""

OVERLAP = timedelta(days=31)
"""How long a key opens what was sealed to it in time: as long as a message may be on its way at most."""

FIRST_KEY = "file:signing.key"
_SIGNING = "signing.key"
_IN_USE, _NEXT = "signing.uri", "next-signing.uri"
_COSIGNER = "cosigner.key"


def _passphrase() -> bytes | None:
    passphrase: str = settings.PALERMO_KEY_PASSPHRASE
    return passphrase.encode() or None


# Unlocking a file takes Argon2id's tenth of a second: once a process and file is enough. Keys never change in place.
@lru_cache(maxsize=64)
def _read(path: Path) -> bytes:
    return read_private(path, _passphrase())


def signing_key() -> Signer:
    """The identity of this authority. Raises ``KeyFileError`` or ``KeyUriError`` where it is absent or locked."""
    return _signer(_uri(_IN_USE) or FIRST_KEY, keys_folder())


def next_signing_key() -> Signer | None:
    """The identity that is to follow, once the directory lists it; None where none was prepared."""
    uri = _uri(_NEXT)
    return _signer(uri, keys_folder()) if uri else None


@lru_cache(maxsize=8)
def _signer(uri: str, folder: Path) -> Signer:
    return open_signer(uri, KeyPlace(folder, _passphrase()))


def _uri(name: str) -> str:
    path = keys_folder() / name
    return path.read_text("utf-8").strip() if path.is_file() else ""


def use(uri: str) -> Signer:
    """Name the first identity by its URI, before the directory lists any. Raises as :func:`signing_key`."""
    signer = _signer(uri, keys_folder())
    write_whole(keys_folder() / _IN_USE, uri.encode())
    return signer


def prepare_next(uri: str = "") -> Signer:
    """The identity that is to follow: a new file, or the key that a URI names. The one prepared before, if there is.

    Raises as :func:`signing_key`, and ``DirectoryError`` where it is the one in use.
    """
    prepared = next_signing_key()
    if prepared is not None and not uri:
        return prepared
    if not uri:
        key = SigningKey.generate()
        name = f"signing-{key.key_id}.key"
        write_private(keys_folder() / name, key.to_bytes(), _passphrase())
        uri = f"file:{name}"
    signer = _signer(uri, keys_folder())
    if signer.key_id == signing_key().key_id:
        raise queries.DirectoryError("This is the key in use already. Name another one.")
    write_whole(keys_folder() / _NEXT, uri.encode())
    return signer


def change_over(now: datetime) -> bool:
    """Use the prepared identity as soon as the directory in force says that it may sign; whether it is used now."""
    prepared = next_signing_key()
    if prepared is None:
        return False
    if prepared.key_id not in {key.key_id for key in queries.verify_keys(queries.own_code(), now)}:
        return False
    write_whole(keys_folder() / _IN_USE, _uri(_NEXT).encode())
    (keys_folder() / _NEXT).unlink()  # after a stop in between it is done once more, to the same end
    return True


def own_public_keys() -> dict[str, VerifyKey]:
    """Every identity that this authority has or had, by key id: earlier statements were signed by earlier ones."""
    return dsse.by_id(*queries.verify_keys(queries.own_code()), signing_key().public)


def cosigner_key() -> CosignerKey:
    """The key with which this authority witnesses others' logs. Raises ``KeyFileError`` where it is absent."""
    return CosignerKey.from_bytes(_read(keys_folder() / _COSIGNER))


def custody_key(key_id: str) -> SigningKey:
    """An officer's custody key. Raises ``KeyFileError`` where it is absent, locked or destroyed."""
    return SigningKey.from_bytes(_read(_custody_file(key_id)))


def create_custody_key() -> SigningKey:
    """Make a custody key, on disk before it is used. One that nobody refers to, after a stop, signs nothing."""
    key = SigningKey.generate()
    write_private(_custody_file(key.key_id), key.to_bytes(), _passphrase())
    return key


def destroy_custody_key(key_id: str) -> None:
    """Destroy a custody key whose officer left: what it signed stays verifiable by its certificate."""
    _custody_file(key_id).unlink(missing_ok=True)
    _read.cache_clear()


def _custody_file(key_id: str) -> Path:
    return keys_folder() / f"custody-{key_id}.key"


def recipient_keys() -> Mapping[str, RecipientKey]:
    """Every recipient key that has not been destroyed, by key id."""
    paths = sorted(keys_folder().glob("recipient-*.key"))
    keys = (RecipientKey.from_bytes(_read(path)) for path in paths)
    return {key.key_id: key for key in keys}


def statements() -> Iterator[tuple[RecipientKeyPeriod, bytes]]:
    """The authority's statements of its own recipient keys, opened and as signed."""
    paths = sorted(keys_folder().glob("recipient-*.signed"))
    own = own_public_keys() if paths else {}
    for path in paths:
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
    """Make the next recipient key when the newest is half through its life, or was stated by an earlier identity.

    Returns its statement, or None when there was no need.
    """
    identity = signing_key().key_id
    starts = [period.not_before for period, signed in statements() if dsse.parse(signed).key_id == identity]
    if starts and now < max(starts) + RENEW_AFTER:
        return None
    return create_recipient_key(now)


def destroy_expired(now: datetime) -> list[str]:
    """Destroy the private keys that no message in time can need any more; returns their ids."""
    ended = [period for period, _ in statements() if period.not_after + OVERLAP <= now]
    for period in ended:
        key_id = period.recipient_key.key_id
        destroy_private(keys_folder() / f"recipient-{key_id}.key")
        (keys_folder() / f"recipient-{key_id}.signed").unlink(missing_ok=True)
    if ended:
        _read.cache_clear()
    return [period.recipient_key.key_id for period in ended]


def ensure(now: datetime) -> None:
    """Make what is missing: identity, cosigner key, a recipient key. Safe to repeat after a stop in between."""
    if not (keys_folder() / _SIGNING).exists() and not _uri(_IN_USE):
        write_private(keys_folder() / _SIGNING, SigningKey.generate().to_bytes(), _passphrase())
    if not (keys_folder() / _COSIGNER).exists():
        write_private(keys_folder() / _COSIGNER, CosignerKey.generate().to_bytes(), _passphrase())
    if not any(True for _ in statements()):
        create_recipient_key(now)
