"""The manifest of an evidence package: what its provider signs. Which files lie around it: ``sealing.package``."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from palermo.sealing import bagit, dsse, records
from palermo.sealing.errors import FormatError

FORMAT_1, FORMAT = "palermo-evidence/1", "palermo-evidence/2"
MANIFEST_TYPE = "application/vnd.palermo.evidence-manifest.v1"

_PACKAGE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class Marks:
    """How far evidence may go: TLP 2.0, Europol handling code, source and information grades, legal use limit in words.

    Separate fields, none of which stands for another; of several, the strictest wins.
    """

    tlp: str
    handling_code: str
    source_grade: str
    information_grade: str
    use_limit: str


@dataclass(frozen=True, kw_only=True)
class CustodyEvent:
    """One step in an item's life: what was done (collected, imaged, transferred ...), by whom, when, where, how.

    ``item`` is the item's number in the package, from 1; ``sha256`` the digest seen then, "" where none was taken.
    ``signed`` is the step as its officer signed it (:mod:`palermo.sealing.custody`), verbatim; b"" for one that was
    recorded before steps were signed, for which the manifest's signature alone vouches.
    """

    item: int
    verb: str
    by: str
    at: datetime
    where: str = ""
    how: str = ""
    sha256: str = ""
    signed: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class ManifestItem:
    """An item as the manifest states it; ``path`` is where it lies in the bag, ``name`` what it was called."""

    path: str
    name: str
    description: str
    media_type: str
    marks: Marks
    size: int
    sha256: str
    sha512: str
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the provider signs: the items, their custody, and on whose request and for which case they were given.

    ``officers`` are the signed certificates of the officers whose signatures the custody holds.
    """

    package_id: str
    created_at: datetime
    provider: str
    recipient: str
    case_reference: str
    request_reference: str
    marks: Marks
    items: tuple[ManifestItem, ...]
    custody: tuple[CustodyEvent, ...]
    directory_sha256: str
    trust_root_sha256: str
    format: str = records.always(FORMAT)
    officers: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Refuse another format, an id that cannot name a folder, and a package without items."""
        if self.format not in (FORMAT_1, FORMAT) or not _PACKAGE_ID.fullmatch(self.package_id) or not self.items:
            raise FormatError("manifest", f"not {FORMAT} or 1 with a plain package id and at least one item")


def read_manifest(signed: bytes) -> Manifest:
    """The manifest in its envelope, its signature not verified. Raises FormatError."""
    payload = dsse.parse(signed, "manifest").payload
    return records.from_bytes(Manifest, payload, "manifest", max_bytes=bagit.MAX_TAG_BYTES)
