"""A tree of files as one ZIP file or one folder, read so strictly that nothing can hide in it.

The ZIP is stored, not compressed, so nothing can swell; it has one base folder, fixed dates and modes, sorted names,
and no comment; an extra field only where 32 bits hold no size or place (:mod:`palermo.sealing.zip_headers`). Given the
files there is exactly one such ZIP: the reader writes every header again and compares, so any byte that was changed,
added or cut is found. Any unzip tool opens it. Up to 256 GiB, as a file between nodes may have, and 10,000 files.

Names are plain ASCII (letters, digits, dot, dash, underscore), so no name can leave the folder, collide in another
case or look like another one. What a file was called is said in the package's manifest.
"""

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from palermo.sealing.errors import PackageError
from palermo.sealing.zip_headers import END, FIELD_IS_ELSEWHERE, LOCAL, SIZES_64, Extent, local_header, tail

Content = bytes | Path
"""A file's content: the bytes, or where they lie."""

MAX_FILES = 10_000
MAX_ARCHIVE_BYTES = 256 * 2**30
CHUNK_BYTES = 1 << 20

_SEGMENT = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_NAME = re.compile(rf"{_SEGMENT}(/{_SEGMENT}){{0,3}}")


class Tree(Protocol):
    """Files by name, each read as a whole."""

    names: tuple[str, ...]

    def chunks(self, name: str) -> Iterator[bytes]:
        """The file's bytes in pieces."""

    def close(self) -> None:
        """Let the file go."""


def content_chunks(content: Content) -> Iterator[bytes]:
    """The content in pieces of up to 1 MiB."""
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def check_names(names: list[str]) -> tuple[str, ...]:
    """The names, sorted. Raises PackageError for one that is not plain, or two that differ only in case."""
    if len(names) > MAX_FILES:
        raise PackageError("package", f"holds more than {MAX_FILES} files")
    seen: dict[str, str] = {}
    for name in names:
        if not _NAME.fullmatch(name):
            raise PackageError(f"file {name[:120]!r}", "has a name that no package may hold")
        if name.lower() in seen:
            raise PackageError(f"file {name!r}", f"collides with {seen[name.lower()]!r}")
        seen[name.lower()] = name
    return tuple(sorted(names))


def open_tree(path: Path) -> Tree:
    """A ZIP file or a folder as a tree. Raises PackageError for what is not strict, OSError when unreadable."""
    return FolderTree(path) if path.is_dir() else ZipTree(path)


def write_zip(file: BinaryIO, base: str, files: Mapping[str, Content]) -> None:
    """Write the one ZIP that holds these files under the folder ``base``. Raises PackageError for names or sizes."""
    extents: dict[str, Extent] = {}
    at = 0
    for name in check_names([f"{base}/{name}" for name in files]):
        content = files[name[len(base) + 1 :]]
        size, crc = _measure(content)
        header = local_header(name, size, crc)
        extents[name] = Extent(at, at + len(header), size, crc)
        at += len(header) + size
        _refuse_large(at)
        file.write(header)
        for chunk in content_chunks(content):
            file.write(chunk)
    end = tail(extents, at)
    _refuse_large(at + len(end))
    file.write(end)


class ZipTree:
    """The strict reader of what :func:`write_zip` writes. ``base`` is the folder that all files lie in."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._extents = self._parse()
            bases = {name.partition("/")[0] for name in self._extents}
            if len(bases) != 1:
                raise PackageError("package file", "does not hold exactly one folder")
            self.base = bases.pop()
            self.names = check_names([self._within(name) for name in self._extents])
        except BaseException:
            self._file.close()
            raise

    def chunks(self, name: str) -> Iterator[bytes]:
        """The file's bytes in pieces. Raises PackageError when they do not have the checksum of their header."""
        extent = self._extents[f"{self.base}/{name}"]
        self._file.seek(extent.data_at)
        left, crc = extent.size, 0
        while left:
            chunk = self._file.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise PackageError(f"file {name!r}", "is cut short")
            left, crc = left - len(chunk), zlib.crc32(chunk, crc)
            yield chunk
        if crc != extent.crc:
            raise PackageError(f"file {name!r}", "does not have the checksum that the package file states")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _within(self, name: str) -> str:
        if len(name) <= len(self.base) + 1:
            raise PackageError("package file", "holds a file outside its folder")
        return name[len(self.base) + 1 :]

    def _parse(self) -> dict[str, Extent]:
        """Where each file lies. Every header is written again and compared, the central directory as a whole."""
        total = os.fstat(self._file.fileno()).st_size
        if not END.size < total <= MAX_ARCHIVE_BYTES:
            raise PackageError("package file", f"cannot be {total} bytes long")
        extents: dict[str, Extent] = {}
        at = 0
        while (found := self._local(at)) is not None:
            name, extent = found
            if name in extents or len(extents) >= MAX_FILES:
                raise PackageError("package file", f"names {name!r} twice, or holds more than {MAX_FILES} files")
            extents[name] = extent
            at = extent.data_at + extent.size
            if at > total:
                raise PackageError(f"file {name!r}", "is cut short")
        self._file.seek(at)
        end = tail(extents, at)
        if total - at != len(end) or self._file.read(len(end)) != end or list(extents) != sorted(extents):
            raise PackageError("package file", f"its table of contents, from byte {at}, is not what its files give")
        return extents

    def _local(self, at: int) -> tuple[str, Extent] | None:
        """The file whose header stands at an offset; None where there is none."""
        self._file.seek(at)
        header = self._file.read(LOCAL.size)
        if len(header) < LOCAL.size or header[:4] != b"PK\x03\x04":
            return None
        fields = LOCAL.unpack(header)
        crc, size, length = fields[6], fields[7], fields[9]
        raw = self._file.read(length)
        extra = self._file.read(SIZES_64.size) if size == FIELD_IS_ELSEWHERE else b""
        if len(extra) == SIZES_64.size:
            size = SIZES_64.unpack(extra)[2]
        name = raw.decode("ascii", "replace")
        if header + raw + extra != local_header(name, size, crc):
            raise PackageError("package file", f"the header at byte {at} is not as we write it")
        return name, Extent(at, at + len(header) + length + len(extra), size, crc)


class FolderTree:
    """A folder as a tree: plain files only, no links, no empty folders."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = check_names(self._walk(path, ""))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The file's bytes in pieces; a link put there meanwhile is not followed (OSError)."""
        descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def close(self) -> None:
        """Nothing is held open."""

    def _walk(self, folder: Path, prefix: str) -> list[str]:
        names: list[str] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if not _NAME.fullmatch(name):  # before going down: it bounds the depth
                    raise PackageError(f"file {ascii(name)[:120]}", "has a name that no package may hold")
                if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                    raise PackageError(f"file {name!r}", "is a link or no plain file")
                inner = self._walk(folder / entry.name, f"{name}/") if entry.is_dir() else [name]
                if not inner:
                    raise PackageError(f"folder {name!r}", "is empty, which no package holds")
                names += inner
                if len(names) > MAX_FILES:
                    raise PackageError("package", f"holds more than {MAX_FILES} files")
        return names


def _measure(content: Content) -> tuple[int, int]:
    size = crc = 0
    for chunk in content_chunks(content):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return size, crc


def _refuse_large(size: int) -> None:
    if size > MAX_ARCHIVE_BYTES:
        raise PackageError("package", "is larger than 256 GiB: send the items in several packages")
