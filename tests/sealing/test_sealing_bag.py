"""Bags and their ZIP: other tools read ours, and ours reads nothing looser."""

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bagit as oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.sealing import archive, bagit, zip_headers
from palermo.sealing.archive import FolderTree, ZipTree, open_tree, write_zip
from palermo.sealing.errors import PackageError

PAYLOAD = {"data/0001-a.txt": b"first\n", "data/0002-b.bin": bytes(range(256))}
DIGESTS = {name: bagit.digest_of(content) for name, content in PAYLOAD.items()}
TAGS = {"bag-info.txt": bagit.bag_info({"Source-Organization": "BO-CA"}, DIGESTS.values()), "more/tag.json": b"{}"}
BAG = bagit.make_bag(PAYLOAD, DIGESTS, TAGS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The bag as a folder."""
    for name, content in BAG.items():
        assert isinstance(content, bytes)
        path = tmp_path / "bag" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "bag"


def zipped() -> bytes:
    file = io.BytesIO()
    write_zip(file, "bag", BAG)
    return file.getvalue()


ZIP = zipped()


@pytest.fixture
def read_zip(tmp_path: Path) -> Callable[[bytes], bagit.Bag]:
    """Reads a ZIP file of these bytes as a bag."""

    def read(data: bytes) -> bagit.Bag:
        path = tmp_path / "bag.zip"
        path.write_bytes(data)
        tree = open_tree(path)
        try:
            return bagit.read_bag(tree)
        finally:
            tree.close()

    return read


def test_the_bagit_package_validates_our_bag(folder: Path) -> None:
    bag = oracle.Bag(str(folder))
    assert bag.validate()
    assert bag.info["Payload-Oxum"] == "262.2"


def test_folder_and_zip_hold_the_same_bag(folder: Path, read_zip: Callable[[bytes], bagit.Bag]) -> None:
    bag = bagit.read_bag(FolderTree(folder))
    assert bag == read_zip(ZIP)
    assert bag.payload == DIGESTS
    assert bag.tags["more/tag.json"] == b"{}"


def test_the_same_files_give_the_same_zip_and_any_tool_reads_it() -> None:
    assert zipped() == ZIP
    with zipfile.ZipFile(io.BytesIO(ZIP)) as file:
        assert file.testzip() is None
        assert {info.filename for info in file.infolist()} == {f"bag/{name}" for name in BAG}
        assert file.read("bag/data/0001-a.txt") == b"first\n"


def test_files_are_read_from_disk_as_well(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(random.Random(1).randbytes(archive.CHUNK_BYTES + 5))
    target = tmp_path / "x.zip"
    with target.open("wb") as file:
        write_zip(file, "bag", {"data/big": big})
    tree = ZipTree(target)
    assert b"".join(tree.chunks("data/big")) == big.read_bytes()
    tree.close()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "/x",
        "a/../b",
        "a//b",
        "./a",
        "a\\b",
        "a b",
        " a",
        "a ",
        "a\n",
        "ä",
        "",
        ".x",
        "a:b",
        "-x",
        "a/b/c/d/e",
        "x" * 101,
    ],
)
def test_names_that_no_package_may_hold(name: str) -> None:
    with pytest.raises(PackageError, match="name that no package may hold"):
        archive.check_names([name])


def test_names_that_differ_in_case_alone_collide() -> None:
    with pytest.raises(PackageError, match="collides"):
        archive.check_names(["data/a", "data/A"])


def test_a_link_is_refused(folder: Path) -> None:
    (folder / "data" / "link").symlink_to("/etc/hostname")
    with pytest.raises(PackageError, match="link"):
        FolderTree(folder)


def test_a_folder_link_and_a_pipe_are_refused(folder: Path) -> None:
    (folder / "linked").symlink_to(folder / "data")
    with pytest.raises(PackageError, match="link"):
        FolderTree(folder)
    (folder / "linked").unlink()
    os.mkfifo(folder / "pipe")
    with pytest.raises(PackageError, match="no plain file"):
        FolderTree(folder)


def test_an_empty_folder_is_refused(folder: Path) -> None:
    (folder / "data" / "empty").mkdir()
    with pytest.raises(PackageError, match="is empty"):
        FolderTree(folder)


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_FILES", 5)
    with pytest.raises(PackageError, match="more than 5"):
        FolderTree(folder)


def test_tag_files_are_held_in_memory_and_so_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bagit, "MAX_TAG_BYTES", 100)
    with pytest.raises(PackageError, match="allowed outside the payload"):
        bagit.read_bag(FolderTree(folder))


MANIFEST = "manifest-sha256.txt"
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed payload": (
        lambda bag: (bag / "data/0001-a.txt").write_bytes(b"First\n"),
        "data/0001-a.txt': was changed",
    ),
    "changed tag": (lambda bag: (bag / "more/tag.json").write_bytes(b"[]"), "more/tag.json'"),
    "unlisted payload": (lambda bag: (bag / "data/x").write_bytes(b""), "data/x': is not listed"),
    "unlisted tag": (lambda bag: (bag / "x.txt").write_bytes(b""), "x.txt': is not listed"),
    "missing payload": (lambda bag: (bag / "data/0001-a.txt").unlink(), "data/0001-a.txt': is listed"),
    "missing tag": (lambda bag: (bag / "bag-info.txt").unlink(), "bag-info.txt': is listed"),
    "missing manifest": (lambda bag: (bag / MANIFEST).unlink(), "manifest-sha256.txt': is missing"),
    "missing declaration": (lambda bag: (bag / "bagit.txt").unlink(), "bagit.txt'"),
    "other encoding": (lambda bag: edit(bag / "bagit.txt", b"UTF-8", b"UTF-16"), "bagit.txt'"),
    "other version": (lambda bag: edit(bag / "bagit.txt", b"1.0", b"0.97"), "bagit.txt'"),
    "byte order mark": (lambda bag: edit(bag / "bagit.txt", b"BagIt", b"\xef\xbb\xbfBagIt"), "bagit.txt'"),
    "one space": (lambda bag: edit(bag / MANIFEST, b"  ", b" "), "is not listed"),
    "three spaces": (lambda bag: edit(bag / MANIFEST, b"  ", b"   "), "is not listed"),
    "a tab": (lambda bag: edit(bag / MANIFEST, b"  ", b"\t"), "is not listed"),
    "a star": (lambda bag: edit(bag / MANIFEST, b"  ", b" *"), "is not listed"),
    "trailing space": (lambda bag: edit(bag / MANIFEST, b"\n", b" \n"), "is not listed"),
    "carriage returns": (lambda bag: edit(bag / MANIFEST, b"\n", b"\r\n"), "is not listed|not written"),
    "blank line": (lambda bag: edit(bag / MANIFEST, b"\n", b"\n\n"), "not written"),
    "no last newline": (lambda bag: (bag / MANIFEST).write_bytes((bag / MANIFEST).read_bytes()[:-1]), "not written"),
    "capital digits": (
        lambda bag: (bag / MANIFEST).write_bytes((bag / MANIFEST).read_bytes().upper()),
        "is not listed",
    ),
    "line twice": (lambda bag: (bag / MANIFEST).write_bytes((bag / MANIFEST).read_bytes() * 2), "not written"),
    "other order": (
        lambda bag: (bag / MANIFEST).write_bytes(
            b"".join(reversed((bag / MANIFEST).read_bytes().splitlines(keepends=True)))
        ),
        "not written",
    ),
    "outside": (
        lambda bag: edit(bag / MANIFEST, b"data/0001-a.txt", b"../../etc/passwd"),
        "is listed in|is not listed",
    ),
    "md5 manifest": (lambda bag: (bag / "tagmanifest-md5.txt").write_bytes(b""), "that we do not write"),
    "fetch list": (lambda bag: (bag / "fetch.txt").write_bytes(b"https://example.invalid/x 5 data/x\n"), "fetch.txt'"),
}


def edit(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_named(folder: Path, fault: str) -> None:
    cause, message = FAULTS[fault]
    cause(folder)
    with pytest.raises(PackageError, match=message):
        bagit.read_bag(FolderTree(folder))


def test_a_flipped_bit_anywhere_in_the_zip_is_found(read_zip: Callable[[bytes], bagit.Bag]) -> None:
    chosen = random.Random(2).randbytes(len(ZIP))
    for at in range(0, len(ZIP), 4):
        with pytest.raises(PackageError):
            read_zip(ZIP[:at] + bytes([ZIP[at] ^ (1 << chosen[at] % 8)]) + ZIP[at + 1 :])


def other_zips() -> Iterator[tuple[str, bytes]]:
    """ZIP files that other tools accept as the same files."""
    yield "comment", ZIP[:-2] + struct.pack("<H", 3) + b"abc"
    yield "bytes before", b"x" + ZIP
    yield "bytes after", ZIP + b"x"
    yield "cut", ZIP[:-1]
    yield "tail alone", ZIP[-22:]
    for name, method in (("stored by Python", zipfile.ZIP_STORED), ("compressed", zipfile.ZIP_DEFLATED)):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as target:
            for entry in sorted(BAG):
                content = BAG[entry]
                assert isinstance(content, bytes)
                target.writestr(f"bag/{entry}", content)
        yield name, file.getvalue()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("bag/bagit.txt", b"\0" * 5_000_000)
    yield "bomb", bomb.getvalue()
    yield "empty", b""


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in other_zips()])
def test_another_zip_of_the_same_files_is_refused(data: bytes, read_zip: Callable[[bytes], bagit.Bag]) -> None:
    with pytest.raises(PackageError):
        read_zip(data)


def forged(names: list[str]) -> bytes:
    """A ZIP of empty files, well formed in all but its names."""
    extents, body = {}, b""
    for name in names:
        header = zip_headers.local_header(name, 0, 0)
        extents[name] = zip_headers.Extent(len(body), len(body) + len(header), 0, 0)
        body += header
    return body + zip_headers.tail(extents, len(body))


@pytest.mark.parametrize(
    "names",
    [
        ["bag/../x"],
        ["/etc/passwd"],
        ["a/x", "b/x"],
        ["bag/x", "bag/X"],
        ["bag/"],
        ["bag"],
        ["bag/b", "bag/a"],
        ["bag/a", "bag/a"],
    ],
)
def test_a_zip_that_would_write_elsewhere_is_refused(names: list[str], read_zip: Callable[[bytes], bagit.Bag]) -> None:
    with pytest.raises(PackageError):
        read_zip(forged(names))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.builds(lambda at, more: ZIP[:at] + more, st.integers(0, len(ZIP)), st.binary(max_size=60))
)
def test_garbage_is_refused(read_zip: Callable[[bytes], bagit.Bag], data: bytes) -> None:
    if data != ZIP:
        with pytest.raises(PackageError):
            read_zip(data)


def test_more_than_a_file_between_nodes_may_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", 300)
    with pytest.raises(PackageError, match="several packages"):
        zipped()
