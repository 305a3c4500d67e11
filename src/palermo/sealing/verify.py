"""Check an evidence package in numbered steps, each with a sentence that a court understands.

No node, no network. Hostile input fails a step, never the program. The steps, in :data:`STEPS`, run in order; one that
needs what an earlier one could not establish is not reached. The verdict is

- *proven*: every step holds under the trust root that was given;
- *unproven*: every step holds, but no trust root was given: intact, origin unproven;
- *refused*: a step failed.

What it cannot know offline: that a key was withdrawn after the directory inside was signed, and, beyond the signer's
own word, when it was signed.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from palermo.sealing import bagit, dsse, merkle, package, records
from palermo.sealing.archive import Tree, open_tree
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.directory import AuthorityEntry, Directory, TrustRoot, open_directory
from palermo.sealing.errors import BindingError, FormatError, PackageError, ProofError, SealingError, TrustError
from palermo.sealing.leaf import verify_opened
from palermo.sealing.package import LedgerProof, Manifest, Seal

CLOCK_SKEW = timedelta(minutes=5)
Value = TypeVar("Value")


class Verdict(StrEnum):
    """What all steps together say."""

    PROVEN = "proven"
    UNPROVEN = "unproven"
    REFUSED = "refused"


@dataclass(frozen=True)
class Check:
    """One step: ``ok`` is True (holds), False (fails) or None (not reached, or nothing to check it with)."""

    number: int
    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True)
class Report:
    """All steps and the verdict; ``fingerprint`` is the given trust root's, ``manifest`` as far as it was read."""

    checks: tuple[Check, ...]
    verdict: Verdict
    fingerprint: str | None
    manifest: Manifest | None

    @property
    def first_failure(self) -> Check | None:
        """The first step that fails."""
        return next((check for check in self.checks if check.ok is False), None)


def verify_package(path: Path, trust_root: TrustRoot | None, now: datetime | None = None) -> Report:
    """Check a package file or folder. Never raises for what is in it; a path that cannot be read fails step 1.

    Without ``now`` nothing is said about dates that lie ahead.
    """
    examination = _Examination(path, trust_root, now)
    try:
        checks = tuple(_run(number, name, step, examination) for number, (name, step) in enumerate(STEPS, start=1))
    finally:
        if examination.tree is not None:
            examination.tree.close()
    if any(check.ok is False for check in checks):
        verdict = Verdict.REFUSED
    else:
        verdict = Verdict.UNPROVEN if trust_root is None else Verdict.PROVEN
    return Report(checks, verdict, trust_root.fingerprint if trust_root else None, examination.manifest)


class _NotReachedError(Exception):
    """A step that could not be checked; the message says why."""


def _run(number: int, name: str, step: "Callable[[_Examination], str]", examination: "_Examination") -> Check:
    try:
        return Check(number, name, True, _plain(step(examination)))
    except _NotReachedError as reason:
        return Check(number, name, None, str(reason))
    except SealingError as error:
        return Check(number, name, False, _plain(str(error)))
    except OSError as error:
        return Check(number, name, False, f"cannot be read: {error.strerror}")


def _plain(text: str) -> str:
    """Text on one line without control or direction characters: a package must not write its own report."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:600])


def _have(value: Value | None) -> Value:
    if value is None:
        raise _NotReachedError("not reached: an earlier step failed")
    return value


class _Examination:
    """One package under examination, and what the steps so far have established about it."""

    def __init__(self, path: Path, trust_root: TrustRoot | None, now: datetime | None) -> None:
        self.path = path
        self.trust_root = trust_root
        self.now = now
        self.tree: Tree | None = None
        self.bag: bagit.Bag | None = None
        self.manifest: Manifest | None = None
        self.directory: Directory | None = None
        self.seal: Seal | None = None
        self.proof: LedgerProof | None = None
        self.leaf_hash: bytes | None = None
        self.root: bytes | None = None

    @property
    def provider(self) -> AuthorityEntry:
        """The provider as the directory lists it."""
        return _have(self.directory).entry(_have(self.manifest).provider)

    def file(self, name: str) -> bytes:
        """A file outside the payload."""
        content = _have(self.bag).tags.get(name)
        if content is None:
            raise PackageError(f"file {name!r}", "is missing")
        return content

    def verify_by_provider(self, name: str, payload_type: str, at: datetime) -> bytes:
        """A signed file's payload, verified under the keys that the provider had at a time."""
        keys = dsse.by_id(*self.provider.verify_keys(at))
        return dsse.verify(self.file(name), keys, payload_type=payload_type, part=f"file {name!r}").payload


def _files(it: _Examination) -> str:
    it.tree = open_tree(it.path)
    return f"The package opens and holds {len(it.tree.names)} plainly named files, no links, and nothing between them."


def _bag(it: _Examination) -> str:
    it.bag = bagit.read_bag(_have(it.tree))
    return "Every file is listed with its SHA-256 and SHA-512, and has exactly these digests."


def _contents(it: _Examination) -> str:
    bag = _have(it.bag)
    it.manifest = manifest = package.read_manifest(it.file(package.MANIFEST))
    stated = {item.path: bagit.FileDigest(item.size, item.sha256, item.sha512) for item in manifest.items}
    if stated != bag.payload or len(stated) != len(manifest.items):
        different = sorted(path for path in stated | bag.payload if stated.get(path) != bag.payload.get(path))
        raise PackageError(f"item {(different or ['?'])[0]!r}", "is not what the manifest states")
    if getattr(it.tree, "base", manifest.package_id) != manifest.package_id:
        raise BindingError("package file", "its folder is not named as the manifest says")
    if it.file(bagit.INFO) != package.package_info(manifest, list(bag.payload.values())):
        raise BindingError(f"file {bagit.INFO!r}", "does not say what the manifest says")
    return f"The manifest {manifest.package_id} names exactly the {len(manifest.items)} items that are here."


def _directory(it: _Examination) -> str:
    manifest, data, root = _have(it.manifest), it.file(package.DIRECTORY), it.file(package.TRUST_ROOT)
    for name, content, digest in (
        (package.DIRECTORY, data, manifest.directory_sha256),
        (package.TRUST_ROOT, root, manifest.trust_root_sha256),
    ):
        if hashlib.sha256(content).hexdigest() != digest:
            raise BindingError(f"file {name!r}", "is not the one that the manifest was signed with")
    directory = open_directory(data, TrustRoot.from_bytes(root))
    recipient = directory.entry(manifest.recipient)
    provider = directory.entry(manifest.provider)
    it.directory = directory
    return f"Provider {provider.name} and recipient {recipient.name} are members of the network {directory.network!r}."


def _manifest_signature(it: _Examination) -> str:
    manifest = _have(it.manifest)
    it.verify_by_provider(package.MANIFEST, package.MANIFEST_TYPE, manifest.created_at)
    return f"{it.provider.name} signed the manifest, with Ed25519 and ML-DSA-65, by a key in force on that day."


def _seal(it: _Examination) -> str:
    manifest, bag = _have(it.manifest), _have(it.bag)
    part = f"file {package.SEAL!r}"
    claimed = dsse.parse(it.file(package.SEAL), part).payload
    seal = records.from_bytes(Seal, claimed, part, max_bytes=bagit.MAX_TAG_BYTES)
    it.verify_by_provider(package.SEAL, package.SEAL_TYPE, seal.sealed_at)
    if seal.package_id != manifest.package_id or seal.sealed_at < manifest.created_at:
        raise BindingError(part, "belongs to another package, or is older than its manifest")
    if seal.files != package.sealed_files(dict(bag.digests)):
        raise BindingError(part, "does not cover exactly the files of this package")
    it.seal = seal
    return f"{it.provider.name} sealed all {len(seal.files)} files together; nothing was changed, added or taken since."


def _custody(it: _Examination) -> str:
    manifest = _have(it.manifest)
    for number, item in enumerate(manifest.items, start=1):
        times = [event.at for event in manifest.custody if event.item == number]
        if not times or times != sorted(times) or times[-1] > manifest.created_at:
            raise PackageError(f"custody of item {number}", "is empty, out of order, or goes on after the manifest")
        if any(event.sha256 not in ("", item.sha256) for event in manifest.custody if event.item == number):
            raise PackageError(f"custody of item {number}", "shows that the item was another one before")
    if any(not 1 <= event.item <= len(manifest.items) for event in manifest.custody):
        raise PackageError("custody", "speaks of an item that is not here")
    return (
        f"The custody record has {len(manifest.custody)} events, in order, for every item, with its digest unchanged."
    )


def _ledger_leaf(it: _Examination) -> str:
    manifest = _have(it.manifest)
    part = f"file {package.LEDGER!r}"
    it.proof = records.from_bytes(LedgerProof, it.file(package.LEDGER), part)
    opened = verify_opened(it.proof.leaf, it.proof.opened)
    if opened.get(package.MANIFEST_FIELD) != hashlib.sha256(it.file(package.MANIFEST)).hexdigest():
        raise BindingError(part, "its leaf does not commit to this package's manifest")
    it.leaf_hash = merkle.leaf_hash(it.proof.leaf)
    shown = ", ".join(f"{name} {value}" for name, value in opened.items() if name != package.MANIFEST_FIELD)
    return f"Entry {it.proof.index} of {manifest.provider}'s log commits to this manifest{shown and f' ({shown})'}."


def _checkpoint(it: _Examination) -> str:
    proof, manifest = _have(it.proof), _have(it.manifest)
    provider = it.provider
    keys = provider.verify_keys(manifest.created_at)
    checkpoint = verify_checkpoint(proof.checkpoint, *keys, origin=provider.log_origin)
    if checkpoint.size != proof.size:
        raise ProofError("checkpoint", f"is for {checkpoint.size} entries, the proof for {proof.size}")
    it.root = checkpoint.root
    return f"{provider.name} signed its log {checkpoint.origin} at {checkpoint.size} entries."


def _inclusion(it: _Examination) -> str:
    proof, root, leaf_hash = _have(it.proof), _have(it.root), _have(it.leaf_hash)
    merkle.verify_inclusion(leaf_hash, proof.index, proof.size, proof.hashes, root)
    return "The log at that size holds the entry: the disclosure cannot be denied or dated anew."


def _dates(it: _Examination) -> str:
    seal = _have(it.seal)
    if it.now is None:
        raise _NotReachedError("not checked: the present time was not given")
    if seal.sealed_at > it.now + CLOCK_SKEW:
        raise FormatError("seal", f"is dated {records.format_time(seal.sealed_at)}, which lies ahead")
    return f"It was sealed on {records.format_time(seal.sealed_at)}, by the provider's own clock."


def _origin(it: _Examination) -> str:
    if it.trust_root is None:
        raise _NotReachedError(
            "not checked: no trust root was given, so this proves that it is intact, not who made it"
        )
    try:
        open_directory(it.file(package.DIRECTORY), it.trust_root)
    except SealingError as error:
        raise TrustError("origin", f"not of the network {it.trust_root.network!r} that you trust ({error})") from error
    return f"A founder of the network {it.trust_root.network!r}, which you trust, signed the directory inside."


STEPS: tuple[tuple[str, Callable[[_Examination], str]], ...] = (
    ("files", _files),
    ("bag", _bag),
    ("contents", _contents),
    ("directory", _directory),
    ("manifest signature", _manifest_signature),
    ("seal", _seal),
    ("custody", _custody),
    ("ledger entry", _ledger_leaf),
    ("ledger checkpoint", _checkpoint),
    ("ledger inclusion", _inclusion),
    ("dates", _dates),
    ("origin", _origin),
)
"""The steps, in order, with the name that a report gives them."""
