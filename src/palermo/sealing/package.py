"""The evidence package: a sealed bag that a court can check offline, years later.

What lies in it (``docs/reference/evidence-package.md``)::

    data/0001-...              the items, unchanged
    palermo/manifest.dsse      the signed manifest: items with their digests, custody, marks, what it was given for
    palermo/directory.dsse     the network's directory, signed by a founder, with the provider's keys
    palermo/trust-root.json    the network's trust root, as the provider holds it
    palermo/ledger.json        proof that the provider's log holds this disclosure, with the signed checkpoint and the
                               cosignatures of its witnesses
    palermo/custody.jsonld     the custody as a CASE/UCO graph, which the manifest alone gives
    palermo/manifest.tsr       a time stamp over the manifest (RFC 3161), where the provider has such an authority
    palermo/seal.dsse          the provider's signature over the digests of every other file
    bagit.txt, bag-info.txt, manifest-*.txt, tagmanifest-*.txt

It is made in two steps, because the log commits to the manifest and the log's proof goes into the package:
:func:`draft_package` signs the manifest; the ledger then appends a leaf with the field :data:`MANIFEST_FIELD` holding
``draft.manifest_digest``; :func:`seal_package` adds proof, cosignatures and time stamp, and seals. Days may lie in
between: a draft can be rebuilt from its stored parts. Format 1, which is still read, has neither signed steps of
custody nor what the second step adds besides the proof.
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
from palermo.sealing.case_graph import custody_graph
from palermo.sealing.directory import TrustRoot
from palermo.sealing.durable import sync_folder
from palermo.sealing.errors import PackageError
from palermo.sealing.keys import Signer
from palermo.sealing.leaf import OpenedField
from palermo.sealing.manifest import MANIFEST_TYPE, CustodyEvent, Manifest, ManifestItem, Marks, read_manifest
from palermo.sealing.new_log import NewLog
from palermo.sealing.quorum import Cosignature

SUFFIX = ".palermo.zip"
SEAL_TYPE = "application/vnd.palermo.evidence-seal.v1"
MANIFEST_FIELD = "manifest_sha256"
"""Name of the field of the ledger leaf that commits to a package's manifest."""

MANIFEST, DIRECTORY, TRUST_ROOT = "palermo/manifest.dsse", "palermo/directory.dsse", "palermo/trust-root.json"
LEDGER, SEAL = "palermo/ledger.json", "palermo/seal.dsse"
CUSTODY_GRAPH, TIME_STAMP = "palermo/custody.jsonld", "palermo/manifest.tsr"
TAG_MANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
"""The only files outside the seal: they list it, and are written anew from all others when checked."""


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
class LedgerProof:
    """Proof that a leaf stands in the provider's log; ``opened`` shows the fields that say what was disclosed.

    ``index``: its place in that log, from 0. ``new_logs``: where the provider lost a log, the beginnings of those that
    followed, up to the one that holds the leaf (:mod:`palermo.sealing.new_log`).
    """

    leaf: bytes
    opened: tuple[OpenedField, ...]
    index: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    cosignatures: tuple[Cosignature, ...] = ()
    new_logs: tuple[NewLog, ...] = ()


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
    signing_key: Signer,
    created_at: datetime,
    officers: Sequence[bytes] = (),
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
        officers=tuple(officers),
    )
    signed = dsse.sign(MANIFEST_TYPE, records.to_bytes(manifest), signing_key)
    return Draft(signed, tuple(item.content for item in items), directory, root)


def seal_package(
    draft: Draft,
    target: Path,
    *,
    ledger: LedgerProof,
    signing_key: Signer,
    sealed_at: datetime,
    time_stamp: bytes = b"",
) -> str:
    """Write the package to ``target``, whole or not at all, force it to disk, and give the SHA-256 of the file in hex.

    ``time_stamp`` is the answer of a time-stamping authority over ``draft.manifest``, where there is one. Raises
    PackageError when an item is not (any more) what the manifest signed.
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
        CUSTODY_GRAPH: custody_graph(manifest),
        bagit.INFO: package_info(manifest, list(digests.values())),
    }
    if time_stamp:
        tags[TIME_STAMP] = time_stamp
    unsealed = bagit.make_bag(payload, digests, tags)
    sealed = {name: digests.get(name) or bagit.digest_of(content) for name, content in unsealed.items()}
    seal = Seal(manifest.package_id, sealed_at, sealed_files(sealed))
    tags[SEAL] = dsse.sign(SEAL_TYPE, records.to_bytes(seal), signing_key)
    return _write(target, manifest.package_id, bagit.make_bag(payload, digests, tags))


def package_info(manifest: Manifest, payload: Sequence[bagit.FileDigest]) -> bytes:
    """``bag-info.txt`` as a manifest gives it."""
    tags = {
        "Source-Organization": manifest.provider,
        "External-Identifier": manifest.package_id,
        "Bagging-Date": manifest.created_at.astimezone(UTC).date().isoformat(),
        "Bag-Software-Agent": manifest.format,
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
