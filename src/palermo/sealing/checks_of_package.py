"""Steps that check a package's files, its manifest and its seal, and of what network it is."""

import hashlib

from palermo.sealing import bagit, dsse, package, records
from palermo.sealing.archive import open_tree
from palermo.sealing.directory import TrustRoot, open_directory
from palermo.sealing.errors import BindingError, FormatError, PackageError, SealingError, TrustError
from palermo.sealing.examination import CLOCK_SKEW, Examination, NotReachedError, have
from palermo.sealing.manifest import MANIFEST_TYPE, read_manifest
from palermo.sealing.package import Seal

_TAG_FILES = {
    "bagit.txt",
    bagit.INFO,
    *(f"{kind}-{algorithm}.txt" for kind in ("manifest", "tagmanifest") for algorithm in ("sha256", "sha512")),
    *(package.MANIFEST, package.DIRECTORY, package.TRUST_ROOT, package.LEDGER, package.SEAL),
    *(package.CUSTODY_GRAPH, package.TIME_STAMP),
}
"""All that may lie outside the payload: a package carries nothing that no step looks at."""


def files(it: Examination) -> str:
    """The package opens as a tree of plain files."""
    it.tree = open_tree(it.path)
    return f"The package opens and holds {len(it.tree.names)} plainly named files, no links, and nothing between them."


def bag(it: Examination) -> str:
    """Its manifests hold."""
    it.bag = bagit.read_bag(have(it.tree))
    return "Every file is listed with its SHA-256 and SHA-512, and has exactly these digests."


def contents(it: Examination) -> str:
    """The signed manifest names what is there."""
    bag = have(it.bag)
    it.manifest = manifest = read_manifest(it.file(package.MANIFEST))
    stated = {item.path: bagit.FileDigest(item.size, item.sha256, item.sha512) for item in manifest.items}
    if stated != bag.payload or len(stated) != len(manifest.items):
        different = sorted(path for path in stated | bag.payload if stated.get(path) != bag.payload.get(path))
        raise PackageError(f"item {(different or ['?'])[0]!r}", "is not what the manifest states")
    if extra := bag.tags.keys() - _TAG_FILES:
        raise PackageError(f"file {min(extra)!r}", "has no place in a package")
    if getattr(it.tree, "base", manifest.package_id) != manifest.package_id:
        raise BindingError("package file", "its folder is not named as the manifest says")
    if it.file(bagit.INFO) != package.package_info(manifest, list(bag.payload.values())):
        raise BindingError(f"file {bagit.INFO!r}", "does not say what the manifest says")
    return f"The manifest {manifest.package_id} names exactly the {len(manifest.items)} items that are here."


def directory(it: Examination) -> str:
    """Provider and recipient are members of the network inside."""
    manifest, data, root = have(it.manifest), it.file(package.DIRECTORY), it.file(package.TRUST_ROOT)
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


def manifest_signature(it: Examination) -> str:
    """The provider signed the manifest."""
    manifest = have(it.manifest)
    it.verify_by_provider(package.MANIFEST, MANIFEST_TYPE, manifest.created_at)
    return f"{it.provider.name} signed the manifest, with Ed25519 and ML-DSA-65, by a key in force on that day."


def seal(it: Examination) -> str:
    """The provider sealed every file."""
    manifest, bag = have(it.manifest), have(it.bag)
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


def dates(it: Examination) -> str:
    """Nothing is dated ahead of now."""
    seal = have(it.seal)
    if it.now is None:
        raise NotReachedError("not checked: the present time was not given")
    if seal.sealed_at > it.now + CLOCK_SKEW:
        raise FormatError("seal", f"is dated {records.format_time(seal.sealed_at)}, which lies ahead")
    return f"It was sealed on {records.format_time(seal.sealed_at)}, by the provider's own clock."


def origin(it: Examination) -> str:
    """The network is the one that is trusted."""
    if it.trust_root is None:
        raise NotReachedError(
            "not checked: no trust root was given, so this proves that it is intact, not who made it", lacking=True
        )
    try:
        open_directory(it.file(package.DIRECTORY), it.trust_root)
    except SealingError as error:
        raise TrustError("origin", f"not of the network {it.trust_root.network!r} that you trust ({error})") from error
    return f"A founder of the network {it.trust_root.network!r}, which you trust, signed the directory inside."
