"""ZIP64: what 32 bits do not hold stands in one place more, in one way, and other tools read it."""

import io
import random
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest

from palermo.sealing import zip_headers
from palermo.sealing.archive import ZipTree, write_zip
from palermo.sealing.errors import PackageError

FILES = {"a.bin": bytes(range(256)), "b/small.txt": b"small", "c.bin": b"c" * 300, "d.txt": b"last"}
GIB = 2**30


@pytest.fixture(params=[40, 100, 256, 10**6])
def narrow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Fields that hold no larger number than this, so that small files are large ones."""
    largest: int = request.param
    monkeypatch.setattr(zip_headers, "LARGEST_FIELD", largest)
    return largest


def zipped() -> bytes:
    file = io.BytesIO()
    write_zip(file, "bag", FILES)
    return file.getvalue()


def read(path: Path) -> dict[str, bytes]:
    tree = ZipTree(path)
    try:
        return {name: b"".join(tree.chunks(name)) for name in tree.names}
    finally:
        tree.close()


def test_ours_and_other_tools_read_the_wide_fields(narrow: int, tmp_path: Path) -> None:
    path = tmp_path / "bag.zip"
    path.write_bytes(zipped())
    assert read(path) == FILES
    with zipfile.ZipFile(path) as other:
        assert other.testzip() is None
        assert {info.filename: other.read(info) for info in other.infolist()} == {
            f"bag/{name}": content for name, content in FILES.items()
        }
        wide = {info.filename for info in other.infolist() if info.extract_version == 45}
        large = {f"bag/{name}" for name, content in FILES.items() if len(content) > narrow}
        behind = {info.filename for info in other.infolist() if info.header_offset > narrow}
        assert wide == large | behind


def test_any_byte_that_differs_is_found(narrow: int, tmp_path: Path) -> None:
    data, path, rng = zipped(), tmp_path / "bag.zip", random.Random(4)
    for _ in range(300):
        at = rng.randrange(len(data))
        broken = bytearray(data)
        broken[at] ^= rng.randrange(1, 256)
        path.write_bytes(broken)
        with pytest.raises(PackageError):
            read(path)
    for cut in (1, 22, 42, 98):
        path.write_bytes(data[:-cut])
        with pytest.raises(PackageError):
            read(path)


def test_wide_fields_where_narrow_ones_do_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bag.zip"
    monkeypatch.setattr(zip_headers, "LARGEST_FIELD", 100)
    path.write_bytes(zipped())
    monkeypatch.undo()
    with pytest.raises(PackageError, match="not as we write it"):
        read(path)


class Sparse:
    """A file in which zeros take no room on the disk."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        """Write, or leave a hole."""
        if data.count(0) == len(data):
            self._file.seek(len(data), io.SEEK_CUR)
        else:
            self._file.write(data)
        return len(data)


@pytest.mark.slow
def test_a_package_of_more_than_four_gibibytes_in_truth(tmp_path: Path) -> None:
    image, path = tmp_path / "image.raw", tmp_path / "bag.zip"
    with image.open("wb") as file:
        file.truncate(4 * GIB + 7)
    with path.open("wb") as file:
        write_zip(Sparse(file), "bag", {"image.raw": image, "note.txt": b"of the disk"})  # type: ignore[arg-type]
    tree = ZipTree(path)
    try:
        assert sum(map(len, tree.chunks("image.raw"))) == 4 * GIB + 7
        assert b"".join(tree.chunks("note.txt")) == b"of the disk"
    finally:
        tree.close()
    with zipfile.ZipFile(path) as other:
        assert [info.file_size for info in other.infolist()] == [4 * GIB + 7, 11]
        assert other.read("bag/note.txt") == b"of the disk"
