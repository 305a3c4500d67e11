"""The evidence package: a sealed bag that a court can check offline, years later.

What lies in it (``docs/reference/evidence-package.md``)::

    data/0001-...              the items, unchanged
    palermo/manifest.dsse      the signed manifest: items with their digests, custody, marks, what it was given for
    palermo/directory.dsse     the network's directory, signed by a founder, with the provider's keys
    palermo/trust-root.json    the network's trust root, as the provider holds it
    palermo/ledger.json        proof that the provider's log holds this disclosure, with the signed checkpoint
    palermo/seal.dsse          the provider's signature over the digests of every other file
    bagit.txt, bag-info.txt, manifest-*.txt, tagmanifest-*.txt

It is made in two steps, because the log commits to the manifest and the log's proof goes into the package:
:func:`draft_package` signs the manifest; the ledger then appends a leaf with the field :data:`MANIFEST_FIELD` holding
``draft.manifest_digest``; :func:`seal_package` adds the proof and seals. A draft can be rebuilt from its stored parts.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from palermo.sealing import bagit, dsse, records
from palermo.sealing.archive import Content, write_zip
from palermo.sealing.directory import TrustRoot
from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import FormatError, PackageError
from palermo.sealing.keys import SigningKey
from palermo.sealing.leaf import OpenedField

FORMAT = "palermo-evidence/1"
SUFFIX = ".palermo.zip"
MANIFEST_TYPE = "application/vnd.palermo.evidence-manifest.v1"
SEAL_TYPE = "application/vnd.palermo.evidence-seal.v1"
MANIFEST_FIELD = "manifest_sha256"
"""Name of the field of the ledger leaf that commits to a package's manifest."""

MANIFEST, DIRECTORY, TRUST_ROOT = "palermo/manifest.dsse", "palermo/directory.dsse", "palermo/trust-root.json"
LEDGER, SEAL = "palermo/ledger.json", "palermo/seal.dsse"
TAG_MANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
"""The only files outside the seal: they list it, and are written anew from all others when checked."""

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
    """

    item: int
    verb: str
    by: str
    at: datetime
    where: str = ""
    how: str = ""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class PackageItem:
    """An item to be put in a package. ``reference`` is the provider's own."""

    content: Content
    name: str
    description: str
    media_type: str
    marks: Marks
    reference: str = ""


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
    """What the provider signs: the items, their custody, and on whose request and for which case they were given."""

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

    def __post_init__(self) -> None:
        """Refuse another format, an id that cannot name a folder, and a package without items."""
        if self.format != FORMAT or not _PACKAGE_ID.fullmatch(self.package_id) or not self.items:
            raise FormatError("manifest", f"not {FORMAT} with a plain package id and at least one item")


@dataclass(frozen=True, kw_only=True)
class LedgerProof:
    """Proof that a leaf stands in the provider's log; ``opened`` shows the fields that say what was disclosed."""

    leaf: bytes
    opened: tuple[OpenedField, ...]
    index: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True)
class SealedFile:
    """One file under the seal."""

    name: str
    size: int
    sha256: str
    sha512: str


@dataclass(frozen=True)
class Seal:
    """What the seal signs: every file of the package but itself and :data:`TAG_MANIFESTS`, sorted by name."""

    package_id: str
    sealed_at: datetime
    files: tuple[SealedFile, ...]


@dataclass(frozen=True)
class Draft:
    """A package before its ledger proof. Keep ``manifest`` verbatim: the log commits to these bytes."""

    manifest: bytes
    contents: tuple[Content, ...] = field(repr=False)
    directory: bytes = field(repr=False)
    trust_root: bytes = field(repr=False)

    @property
    def manifest_digest(self) -> str:
        """SHA-256 in hex of the signed manifest: the value of the leaf's field :data:`MANIFEST_FIELD`."""
        return hashlib.sha256(self.manifest).hexdigest()


def draft_package(
    *,
    package_id: str,
    items: Sequence[PackageItem],
    custody: Sequence[CustodyEvent],
    marks: Marks,
    provider: str,
    recipient: str,
    case_reference: str,
    request_reference: str,
    directory: bytes,
    trust_root: TrustRoot,
    signing_key: SigningKey,
    created_at: datetime,
) -> Draft:
    """Sign the manifest over the items' digests. ``directory`` is the signed directory in force, verbatim.

    Raises FormatError for an id that is not plain, or without items; OSError when an item cannot be read.
    """
    root = trust_root.to_bytes()
    manifest = Manifest(
        package_id=package_id,
        created_at=created_at,
        provider=provider,
        recipient=recipient,
        case_reference=case_reference,
        request_reference=request_reference,
        marks=marks,
        items=tuple(_state(number, item) for number, item in enumerate(items, start=1)),
        custody=tuple(custody),
        directory_sha256=hashlib.sha256(directory).hexdigest(),
        trust_root_sha256=hashlib.sha256(root).hexdigest(),
    )
    signed = dsse.sign(MANIFEST_TYPE, records.to_bytes(manifest), signing_key)
    return Draft(signed, tuple(item.content for item in items), directory, root)


def seal_package(
    draft: Draft, target: Path, *, ledger: LedgerProof, signing_key: SigningKey, sealed_at: datetime
) -> str:
    """Write the package to ``target``, whole or not at all, force it to disk, and give the SHA-256 of the file in hex.

    Raises PackageError when an item is not (any more) what the manifest signed.
    """
    manifest = read_manifest(draft.manifest)
    if len(draft.contents) != len(manifest.items):
        raise PackageError("draft", "has not one content for each item of its manifest")
    payload = {item.path: content for item, content in zip(manifest.items, draft.contents, strict=True)}
    digests = {path: bagit.digest_of(content) for path, content in payload.items()}
    for item in manifest.items:
        if digests[item.path].sha512 != item.sha512:
            raise PackageError(f"item {item.path!r}", "changed since its manifest was signed: draft the package again")
    tags = {
        MANIFEST: draft.manifest,
        DIRECTORY: draft.directory,
        TRUST_ROOT: draft.trust_root,
        LEDGER: records.to_bytes(ledger),
        bagit.INFO: package_info(manifest, list(digests.values())),
    }
    unsealed = bagit.make_bag(payload, digests, tags)
    sealed = {name: digests.get(name) or bagit.digest_of(content) for name, content in unsealed.items()}
    seal = Seal(manifest.package_id, sealed_at, sealed_files(sealed))
    tags[SEAL] = dsse.sign(SEAL_TYPE, records.to_bytes(seal), signing_key)
    return _write(target, manifest.package_id, bagit.make_bag(payload, digests, tags))


def read_manifest(signed: bytes) -> Manifest:
    """The manifest in its envelope, its signature not verified. Raises FormatError."""
    payload = dsse.parse(signed, "manifest").payload
    return records.from_bytes(Manifest, payload, "manifest", max_bytes=bagit.MAX_TAG_BYTES)


def package_info(manifest: Manifest, payload: Sequence[bagit.FileDigest]) -> bytes:
    """``bag-info.txt`` as a manifest gives it."""
    tags = {
        "Source-Organization": manifest.provider,
        "External-Identifier": manifest.package_id,
        "Bagging-Date": manifest.created_at.astimezone(UTC).date().isoformat(),
        "Bag-Software-Agent": FORMAT,
    }
    return bagit.bag_info(tags, payload)


def sealed_files(digests: dict[str, bagit.FileDigest]) -> tuple[SealedFile, ...]:
    """What a seal over these files lists."""
    names = sorted(name for name in digests if name != SEAL and name not in TAG_MANIFESTS)
    return tuple(SealedFile(name, **vars(digests[name])) for name in names)


def item_path(number: int, name: str) -> str:
    """Where an item lies: its number, then what is left of its name when reduced to plain characters."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-80:].strip(".-_")
    return f"{bagit.PAYLOAD}{number:04d}-{plain or 'item'}"


def _state(number: int, item: PackageItem) -> ManifestItem:
    return ManifestItem(
        path=item_path(number, item.name),
        name=item.name,
        description=item.description,
        media_type=item.media_type,
        marks=item.marks,
        reference=item.reference,
        **vars(bagit.digest_of(item.content)),
    )


def _write(target: Path, base: str, files: dict[str, Content]) -> str:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            write_zip(file, base, files)
            file.flush()
            os.fsync(file.fileno())
        digest = bagit.digest_of(temporary).sha256
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return digest
