"""Private keys at rest: one file a key, readable by its owner alone, wrapped when there is a passphrase.

A wrapped key is AES-256-GCM under a key from Argon2id (RFC 9106, its second recommended setting: 64 MiB, 3 passes, 4
lanes); everything before the ciphertext is authenticated. Without a passphrase the file holds the raw bytes and rests
on its mode alone (0600): for a machine that must start unattended.
"""

import os
import secrets
import stat
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import KeyFileError
from palermo.sealing.keys import Rng

_RAW = b"palermo-private-key/1 raw\n"
_WRAPPED = b"palermo-private-key/1 argon2id aes-256-gcm\n"
_PARAMETERS = struct.Struct(">III16s12s")  # passes, lanes, memory in KiB, salt, nonce
_PASSES, _LANES, _MEMORY_KIB = 3, 4, 65536
_MAX_BYTES = 65536


def write_private(path: Path, secret: bytes, passphrase: bytes | None, *, rng: Rng = os.urandom) -> None:
    """Write a private key to a new file of mode 0600, whole or not at all, and force it to disk.

    Raises KeyFileError when the file exists (a key is never overwritten) or the passphrase is empty.
    """
    content = lock_secret(path, secret, passphrase, rng=rng)
    # A random name beside the target, then a link: unlike a rename it fails when the target exists.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_synced(temporary, content)
        os.link(temporary, path)
        sync_folder(path.parent)
    except FileExistsError as error:
        raise KeyFileError(str(path), "exists already; a key is never overwritten: choose another name") from error
    except OSError as error:
        raise KeyFileError(str(path), f"cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def lock_private(path: Path, passphrase: bytes | None, new: bytes | None, *, rng: Rng = os.urandom) -> None:
    """Put a private key file under another passphrase, in one step; the file it replaces is overwritten.

    ``new`` None leaves it without one. Raises KeyFileError as :func:`read_private` and :func:`write_private` do.
    """
    content = lock_secret(path, read_private(path, passphrase), new, rng=rng)
    old = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_synced(temporary, content)
        os.link(path, old)
        temporary.replace(path)
        sync_folder(path.parent)
        destroy_private(old)
    except OSError as error:
        raise KeyFileError(str(path), f"cannot be written ({error.strerror})") from error
    finally:
        temporary.unlink(missing_ok=True)


def destroy_private(path: Path) -> None:
    """Overwrite a private key file where it lies, then remove its name; both on disk before this returns.

    A file that is not there is no error. What a disk or a file system keeps of overwritten blocks is beyond a program:
    keep the keys on an encrypted disk. Raises KeyFileError when it cannot be removed.
    """
    try:
        with path.open("r+b") as file:
            file.write(bytes(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise KeyFileError(str(path), f"cannot be destroyed ({error.strerror}): see to it by hand") from error


def read_private(path: Path, passphrase: bytes | None) -> bytes:
    """Read a private key. Raises KeyFileError: absent, open to others, damaged, or another passphrase."""
    return unlock_secret(path, _read_guarded(path), passphrase)


def lock_secret(path: Path, secret: bytes, passphrase: bytes | None, *, rng: Rng = os.urandom) -> bytes:
    """A secret as :func:`write_private` writes it, for another file of that name. Raises KeyFileError."""
    if passphrase is None:
        return _RAW + secret
    head = _WRAPPED + _PARAMETERS.pack(_PASSES, _LANES, _MEMORY_KIB, rng(16), rng(12))
    return head + _cipher(head, passphrase, path).encrypt(head[-12:], secret, head)


def unlock_secret(path: Path, content: bytes, passphrase: bytes | None) -> bytes:
    """What :func:`lock_secret` locked; ``path`` names it in errors. Raises KeyFileError."""
    if content.startswith(_RAW):
        return content[len(_RAW) :]
    start = len(_WRAPPED) + _PARAMETERS.size
    if not content.startswith(_WRAPPED) or len(content) < start:
        raise KeyFileError(str(path), "is no private key file of this software")
    if passphrase is None:
        raise KeyFileError(str(path), "is locked: give its passphrase")
    head = content[:start]
    try:
        return _cipher(head, passphrase, path).decrypt(head[-12:], content[start:], head)
    except InvalidTag as error:
        raise KeyFileError(str(path), "does not open: another passphrase, or the file is damaged") from error


def _cipher(head: bytes, passphrase: bytes, path: Path) -> AESGCM:
    """The cipher for a head. Its parameters are ours alone, so that a planted file cannot eat the machine's memory."""
    passes, lanes, memory, salt, _ = _PARAMETERS.unpack(head[len(_WRAPPED) :])
    if (passes, lanes, memory) != (_PASSES, _LANES, _MEMORY_KIB):
        raise KeyFileError(str(path), "names Argon2id settings that this version does not use")
    if not passphrase:
        raise KeyFileError(str(path), "the passphrase is empty: give one, or none at all")
    kdf = Argon2id(salt=salt, length=32, iterations=passes, lanes=lanes, memory_cost=memory)
    return AESGCM(kdf.derive(passphrase))


def _read_guarded(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise KeyFileError(str(path), "is not a plain file")
            if mode & 0o077:
                raise KeyFileError(str(path), f"is open to others (mode {mode & 0o777:04o}): run chmod 600 on it")
            return file.read(_MAX_BYTES)
    except OSError as error:
        raise KeyFileError(str(path), f"cannot be read ({error.strerror})") from error


def _write_synced(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
