"""The keys with which members witness others' logs, those of earlier versions of the directory too.

A witness that changes its key keeps what it signed: the versions of the directory, which are kept as they were signed,
say which keys it had. New cosignatures are taken under the key in force alone (``queries.cosigner_key``).
"""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from palermo.node.directory import queries
from palermo.node.directory.models import DirectoryVersion
from palermo.sealing import dsse, records
from palermo.sealing.cosignature import CosignerPublicKey, verify_cosignature
from palermo.sealing.directory import MAX_DIRECTORY_BYTES, Directory
from palermo.sealing.errors import UnknownKeyError


def verify_kept(code: str, checkpoint_text: str, lines: str) -> datetime:
    """Verify a member's cosignature that may be of an earlier year; the time that it states.

    Raises ``SealingError`` where it is under none of the keys that the member ever had, and ``DirectoryError`` where it
    had none.
    """
    name = queries.log_origin(code)
    refused: UnknownKeyError | None = None
    for key in keys_ever(code):
        try:
            return verify_cosignature(checkpoint_text, lines, name, key)
        except UnknownKeyError as error:
            refused = refused or error
    if refused is None:
        raise queries.DirectoryError(f"{code} never listed a cosigner key: it cannot have witnessed.")
    raise refused


def keys_ever(code: str) -> Iterator[CosignerPublicKey]:
    """The key in force, then those of earlier versions of the directory, the newest first, each once."""
    seen: set[bytes] = set()
    try:
        newest = queries.cosigner_key(code)
    except queries.UnknownAuthorityError:
        raise
    except queries.DirectoryError:
        pass  # it lists none any more
    else:
        seen.add(newest.to_bytes())
        yield newest
    for version, digest in DirectoryVersion.objects.order_by("-version").values_list("version", "digest"):
        key = _listed(version, digest).get(code, b"")
        if key and key not in seen:
            seen.add(key)
            yield CosignerPublicKey.from_bytes(key)


# A version never changes; it is read again only where its digest does, and then its signatures are others' to check.
@lru_cache(maxsize=256)
def _listed(version: int, digest: str) -> dict[str, bytes]:
    data = bytes(DirectoryVersion.objects.values_list("data", flat=True).get(version=version, digest=digest))
    payload = dsse.parse_all(data, "directory").payload
    directory = records.from_bytes(Directory, payload, "directory", max_bytes=MAX_DIRECTORY_BYTES)
    return {entry.code: entry.cosigner_key for entry in directory.entries if entry.cosigner_key}
