"""BagIt bags (RFC 8493), the strict form that we write: any BagIt tool validates it, and ours accepts nothing looser.

Both SHA-256 and SHA-512 manifests, for payload and tag files; sorted; two spaces between digest and name. The reader
computes every digest, writes all manifests again and compares them as bytes, so a file that is missing, unlisted or
changed is named, and white space has no room to differ.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from palermo.sealing.archive import Content, Tree, content_chunks
from palermo.sealing.errors import PackageError

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD = "data/"
INFO = "bag-info.txt"
MAX_TAG_BYTES = 48 << 20
"""How many bytes may lie outside the payload, in all: they are held in memory."""
_ALGORITHMS = ("sha256", "sha512")
_BINDING = re.compile(r"(tag)?manifest-.*\.txt|fetch\.txt", re.IGNORECASE)
_LINE = re.compile(r"([0-9a-f]+)  (\S+)")


@dataclass(frozen=True)
class FileDigest:
    """A file's size in bytes and its digests in hex."""

    size: int
    sha256: str
    sha512: str


@dataclass(frozen=True)
class Bag:
    """A bag whose manifests hold: the digest of every file, and the content of those outside the payload."""

    digests: Mapping[str, FileDigest]
    tags: Mapping[str, bytes]

    @property
    def payload(self) -> dict[str, FileDigest]:
        """The files under ``data/``."""
        return {name: digest for name, digest in self.digests.items() if name.startswith(PAYLOAD)}


def digest_of(content: Content) -> FileDigest:
    """Size and digests of a content."""
    return _digest(content_chunks(content))


def bag_info(tags: Mapping[str, str], payload: Iterable[FileDigest]) -> bytes:
    """The text of ``bag-info.txt``: the tags given, and Payload-Oxum (bytes, a dot, number of files)."""
    sizes = [digest.size for digest in payload]
    lines = [f"{name}: {value}\n" for name, value in {**tags, "Payload-Oxum": f"{sum(sizes)}.{len(sizes)}"}.items()]
    return "".join(lines).encode()


def make_bag(
    payload: Mapping[str, Content], payload_digests: Mapping[str, FileDigest], tags: Mapping[str, bytes]
) -> dict[str, Content]:
    """All files of a bag: the payload (names start with ``data/``), the tag files, and the manifests over both."""
    files: dict[str, Content] = {**payload, **tags, "bagit.txt": DECLARATION}
    files |= _manifests("manifest", payload_digests)
    outside = {name: digest_of(content) for name, content in files.items() if name not in payload}
    return files | _manifests("tagmanifest", outside)


def read_bag(tree: Tree) -> Bag:
    """Read all files of a tree and check that they are exactly a bag. Raises PackageError, naming the file."""
    digests: dict[str, FileDigest] = {}
    tags: dict[str, bytes] = {}
    for name in tree.names:
        if name.startswith(PAYLOAD):
            digests[name] = _digest(tree.chunks(name))
        else:
            tags[name] = _read_tag(tree, name, MAX_TAG_BYTES - sum(map(len, tags.values())))
            digests[name] = digest_of(tags[name])
    if tags.get("bagit.txt") != DECLARATION:
        raise PackageError("file 'bagit.txt'", "is missing or does not declare BagIt 1.0 in UTF-8")
    bag = Bag(digests, tags)
    _check_manifests(tags, "manifest", bag.payload)
    outside = {name: digest for name, digest in digests.items() if name in tags and not name.startswith("tagmanifest-")}
    _check_manifests(tags, "tagmanifest", outside)
    ours = _manifests("manifest", {}) | _manifests("tagmanifest", {})
    if foreign := [name for name in sorted(tags) if _BINDING.fullmatch(name) and name not in ours]:
        raise PackageError(f"file {foreign[0]!r}", "is a manifest that we do not write, or fetches what is not here")
    return bag


def _manifests(kind: str, digests: Mapping[str, FileDigest]) -> dict[str, bytes]:
    return {
        f"{kind}-{algorithm}.txt": "".join(
            f"{getattr(digests[name], algorithm)}  {name}\n" for name in sorted(digests)
        ).encode()
        for algorithm in _ALGORITHMS
    }


def _check_manifests(tags: Mapping[str, bytes], kind: str, digests: Mapping[str, FileDigest]) -> None:
    for manifest, expected in _manifests(kind, digests).items():
        found = tags.get(manifest)
        if found is None:
            raise PackageError(f"file {manifest!r}", "is missing")
        if found != expected:
            raise _difference(manifest, found, expected)


def _difference(manifest: str, found: bytes, expected: bytes) -> PackageError:
    """The error that names the first difference between a manifest and what the files give."""
    listed, computed = _lines(found), _lines(expected)
    for name in sorted(listed.keys() | computed.keys()):
        if name not in computed:
            return PackageError(f"file {name[:120]!r}", f"is listed in {manifest} but missing")
        if name not in listed:
            return PackageError(f"file {name!r}", f"is not listed in {manifest}")
        if listed[name] != computed[name]:
            return PackageError(f"file {name!r}", f"was changed: its digest is not the one in {manifest}")
    return PackageError(f"file {manifest!r}", "is not written as we write it (order, white space or ends of lines)")


def _lines(manifest: bytes) -> dict[str, str]:
    matches = (_LINE.fullmatch(line) for line in manifest.decode("utf-8", "replace").split("\n"))
    return {match[2]: match[1] for match in matches if match}


def _read_tag(tree: Tree, name: str, limit: int) -> bytes:
    content = bytearray()
    for chunk in tree.chunks(name):
        content += chunk
        if len(content) > limit:
            raise PackageError(
                f"file {name!r}", f"makes more than the {MAX_TAG_BYTES} bytes allowed outside the payload"
            )
    return bytes(content)


def _digest(chunks: Iterable[bytes]) -> FileDigest:
    size, sha256, sha512 = 0, hashlib.sha256(), hashlib.sha512()
    for chunk in chunks:
        size += len(chunk)
        sha256.update(chunk)
        sha512.update(chunk)
    return FileDigest(size, sha256.hexdigest(), sha512.hexdigest())
