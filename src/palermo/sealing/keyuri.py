"""Keys by URI: ``file:signing.key`` today, a hardware module's key by the same door.

A provider opens the URIs of one scheme and gives a :class:`~palermo.sealing.keys.Signer`. ``file:`` is built in: a
private key file (:mod:`palermo.sealing.keyfile`), relative to the folder of keys or absolute. A package brings
another, for instance ``pkcs11:`` (RFC 7512), without a change here: it declares the entry point

    [project.entry-points."palermo.key_providers"]
    pkcs11 = "its_package:open_signer"

whose value is a function of the URI and a :class:`KeyPlace`. It raises KeyUriError or KeyFileError, with what to do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote, urlsplit

from palermo.sealing.errors import SealingError
from palermo.sealing.keyfile import read_private
from palermo.sealing.keys import Signer, SigningKey

ENTRY_POINTS = "palermo.key_providers"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,31}")


class KeyUriError(SealingError):
    """A key's URI that names no key which can be opened here."""


@dataclass(frozen=True)
class KeyPlace:
    """Where relative names start, and what unlocks a key: ``passphrase`` (or a module's PIN), None for none."""

    folder: Path
    passphrase: bytes | None = field(default=None, repr=False)


Provider = Callable[[str, KeyPlace], Signer]
"""Opens a key by its whole URI."""


def key_file(uri: str, folder: Path) -> Path | None:
    """The path that a ``file:`` URI names, relative names from ``folder``; None for another scheme.

    Raises KeyUriError for a ``file:`` URI that names a host, a query or nothing.
    """
    return _path(uri, folder) if _scheme(uri) == "file" else None


def open_signer(uri: str, place: KeyPlace) -> Signer:
    """The key that a URI names. Raises KeyUriError (not a URI, no provider for its scheme), KeyFileError."""
    scheme = _scheme(uri)
    provider = _PROVIDERS.get(scheme) or _installed(scheme)
    if provider is None:
        known = ", ".join(f"{name}:" for name in sorted(_PROVIDERS))
        raise KeyUriError(
            "key", f"nothing here opens keys of the scheme {scheme}:. Known: {known}. Install its provider, or mend it."
        )
    return provider(uri, place)


def register(scheme: str, provider: Provider) -> None:
    """Let a provider open the keys of a scheme, from now on in this process. Raises KeyUriError when it is taken."""
    if not _SCHEME.fullmatch(scheme):
        raise KeyUriError("key", f"{scheme[:40]!r} is no scheme of a URI, in lower case")
    if _PROVIDERS.setdefault(scheme, provider) is not provider:
        raise KeyUriError("key", f"the scheme {scheme}: has a provider already")


def _scheme(uri: str) -> str:
    """The scheme, and never more of the URI, in errors too: the rest may hold a PIN (RFC 7512)."""
    scheme, colon, _ = uri.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme.lower()):
        raise KeyUriError("key", "is not named by a URI such as file:signing.key")
    return scheme.lower()


def _installed(scheme: str) -> Provider | None:
    for entry in entry_points(group=ENTRY_POINTS, name=scheme):
        provider: Provider = entry.load()
        register(scheme, provider)
        return provider
    return None


def _path(uri: str, folder: Path) -> Path:
    parts = urlsplit(uri)
    if parts.netloc or parts.query or parts.fragment or not parts.path.strip("/"):
        raise KeyUriError("key", "a file's URI is file:NAME, from the folder of keys, or file:/PATH")
    return folder / unquote(parts.path)


def _open_file(uri: str, place: KeyPlace) -> Signer:
    return SigningKey.from_bytes(read_private(_path(uri, place.folder), place.passphrase))


_PROVIDERS: dict[str, Provider] = {"file": _open_file}
