"""The cases of the Library of Congress' BagIt conformance suite, made anew here, against the reader of packages.

The suite sorts bags into valid, invalid, and such as need a warning, for every version of the format and for systems
whose file names differ. A reader of evidence accepts one form alone, the one that we write: a strict part of what is
valid. So no bag of the last two kinds may pass, nor any valid one in another form. ``lenient`` says what the Library's
own ``bagit`` package makes of a bag: where it lets pass what the suite calls invalid, ours must not.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bagit as oracle
import pytest

from palermo.sealing import bagit
from palermo.sealing.archive import FolderTree
from palermo.sealing.errors import PackageError

VALID, INVALID, WARNING = "valid", "invalid", "warning"
PAYLOAD = {"data/hello.txt": b"hello, fictitious world\n", "data/dir1/test3.txt": b"third\n"}
Edit = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A bag: how ours is changed into it, and what the suite says of it.

    ``passes``: our reader takes it. ``later``: its manifests are ours, and its other tag files are refused when
    compared with the signed manifest (the check called contents).
    """

    kind: str
    make: Edit
    passes: bool = False
    later: bool = False


DIGESTS = {name: bagit.digest_of(content) for name, content in PAYLOAD.items()}
INFO = bagit.bag_info({"Source-Organization": "Example Archive"}, DIGESTS.values())
WHOLE = bagit.make_bag(PAYLOAD, DIGESTS, {bagit.INFO: INFO})
OURS = {name: content for name, content in WHOLE.items() if name not in PAYLOAD}


def write(bag: Path) -> None:
    """A bag in our form."""
    for name, content in WHOLE.items():
        assert isinstance(content, bytes)
        (bag / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / name).write_bytes(content)


def relist(bag: Path, algorithms: tuple[str, ...] = ("sha256", "sha512")) -> None:
    """List the tag files anew, so that the change under test is the only fault."""
    for old in bag.glob("tagmanifest-*.txt"):
        old.unlink()
    names = sorted(path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file())
    tags = [name for name in names if not name.startswith("data/")]
    for algorithm in algorithms:
        lines = (f"{hashlib.new(algorithm, (bag / name).read_bytes()).hexdigest()}  {name}\n" for name in tags)
        (bag / f"tagmanifest-{algorithm}.txt").write_text("".join(lines))


def put(name: str, content: bytes) -> Edit:
    """A tag file with this content, listed rightly."""

    def edit(bag: Path) -> None:
        (bag / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / name).write_bytes(content)
        relist(bag)

    return edit


def replace(name: str, old: bytes, new: bytes, count: int = -1) -> Edit:
    """A tag file in which bytes were replaced, listed rightly."""

    def edit(bag: Path) -> None:
        before = (bag / name).read_bytes()
        assert old in before
        (bag / name).write_bytes(before.replace(old, new, count))
        relist(bag)

    return edit


def each_manifest(old: bytes, new: bytes) -> Edit:
    """Both payload manifests changed alike."""

    def edit(bag: Path) -> None:
        for algorithm in ("sha256", "sha512"):
            replace(f"manifest-{algorithm}.txt", old, new)(bag)

    return edit


def only(algorithm: str) -> Edit:
    """A bag with manifests of one algorithm alone."""

    def edit(bag: Path) -> None:
        for old in bag.glob("manifest-*.txt"):
            old.unlink()
        lines = (f"{hashlib.new(algorithm, PAYLOAD[name]).hexdigest()}  {name}\n" for name in sorted(PAYLOAD))
        (bag / f"manifest-{algorithm}.txt").write_text("".join(lines))
        relist(bag, (algorithm,))

    return edit


def added(name: str, content: bytes = b"x", listed_as: str | None = None) -> Edit:
    """A payload file more, listed in both manifests under its name, or another."""

    def edit(bag: Path) -> None:
        path = bag / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        (bag / bagit.INFO).write_bytes(b"Source-Organization: Example Archive\n")
        for algorithm in ("sha256", "sha512"):
            line = f"{hashlib.new(algorithm, content).hexdigest()}  data/{listed_as or name}\n"
            with (bag / f"manifest-{algorithm}.txt").open("ab") as file:
                file.write(line.encode())
        relist(bag)

    return edit


def listed(*lines: bytes) -> Edit:
    """Lines more in both manifests, with a digest of the right length before each."""

    def edit(bag: Path) -> None:
        for algorithm, digits in (("sha256", 64), ("sha512", 128)):
            with (bag / f"manifest-{algorithm}.txt").open("ab") as file:
                file.writelines(b"0" * digits + b"  " + line + b"\n" for line in lines)
        relist(bag)

    return edit


def in_utf_16(bag: Path) -> None:
    """Tag files in another encoding, rightly declared."""
    (bag / "bagit.txt").write_bytes(b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n")
    for path in [bag / bagit.INFO, *bag.glob("manifest-*.txt")]:
        path.write_bytes(path.read_bytes().decode().encode("utf-16"))
    relist(bag)


def twice(different: bool) -> Edit:
    """The first line of each manifest twice, with the same or another digest."""

    def edit(bag: Path) -> None:
        for algorithm in ("sha256", "sha512"):
            path = bag / f"manifest-{algorithm}.txt"
            first = path.read_bytes().splitlines(keepends=True)[0]
            path.write_bytes(path.read_bytes() + (b"0" + first[1:] if different else first))
        relist(bag)

    return edit


def drop(name: str) -> Edit:
    def edit(bag: Path) -> None:
        (bag / name).unlink()
        if not name.startswith("data/"):
            relist(bag)

    return edit


def no_payload(bag: Path) -> None:
    for name in PAYLOAD:
        (bag / name).unlink()
    (bag / "data/dir1").rmdir()
    (bag / "data").rmdir()


def linked(bag: Path) -> None:
    (bag / "data/hello.txt").unlink()
    (bag / "data/hello.txt").symlink_to(bag / "elsewhere")
    (bag / "elsewhere").write_bytes(PAYLOAD["data/hello.txt"])


SPACED = b"BagIt-Version : 1.0\nTag-File-Character-Encoding : UTF-8\n"
CASES: dict[str, Case] = {
    "v1.0 basic bag": Case(VALID, lambda bag: None, passes=True),
    "v0.97 basic bag": Case(VALID, replace("bagit.txt", b"1.0", b"0.97")),
    "v0.93 package-info instead of bag-info": Case(
        VALID, lambda bag: ((bag / bagit.INFO).rename(bag / "package-info.txt"), relist(bag)), later=True
    ),
    "basic bag md5": Case(VALID, only("md5")),
    "basic bag sha1": Case(VALID, only("sha1")),
    "basic bag sha224": Case(VALID, only("sha224")),
    "basic bag sha256": Case(VALID, only("sha256")),
    "basic bag sha512": Case(VALID, only("sha512")),
    "bag in a bag": Case(VALID, added("bag/bagit.txt", bagit.DECLARATION)),
    "bag with a space in a name": Case(VALID, added("a b.txt")),
    "bag with percent-encoded names": Case(VALID, added("a\nb.txt", listed_as="a%0Ab.txt")),
    "bag with a hidden file": Case(VALID, added(".hidden")),
    "duplicate metadata entries": Case(VALID, put(bagit.INFO, b"Contact-Name: A\nContact-Name: B\n"), later=True),
    "folded metadata": Case(VALID, put(bagit.INFO, b"External-Description: one\n  two\n"), later=True),
    "holey bag with a fetch list": Case(
        VALID, put("fetch.txt", b"https://example.invalid/hello.txt 24 data/hello.txt\n")
    ),
    "local fetch": Case(INVALID, put("fetch.txt", b"file:///etc/passwd - data/hello.txt\n")),
    "ISO-8859-1 tag files": Case(VALID, replace("bagit.txt", b"UTF-8", b"ISO-8859-1")),
    "UTF-16 tag files": Case(VALID, in_utf_16),
    "carriage returns in bagit.txt": Case(VALID, replace("bagit.txt", b"\n", b"\r\n")),
    "carriage returns in manifests": Case(VALID, each_manifest(b"\n", b"\r\n")),
    "capital digests": Case(VALID, lambda bag: [p.write_bytes(capitals(p)) for p in bag.glob("manifest-*.txt")]),
    "bagit.txt with invalid whitespace": Case(INVALID, put("bagit.txt", SPACED)),
    "whitespace before a label": Case(INVALID, put("bagit.txt", b" " + bagit.DECLARATION)),
    "whitespace after a value": Case(INVALID, put("bagit.txt", bagit.DECLARATION.replace(b"1.0", b"1.0 "))),
    "no whitespace after the colon": Case(INVALID, put("bagit.txt", bagit.DECLARATION.replace(b": ", b":"))),
    "two spaces after the colon": Case(INVALID, put("bagit.txt", bagit.DECLARATION.replace(b": ", b":  "))),
    "a tab after the colon": Case(INVALID, put("bagit.txt", bagit.DECLARATION.replace(b": ", b":\t"))),
    "whitespace before a label of bag-info": Case(
        INVALID, put(bagit.INFO, b" Source-Organization: Example\n"), later=True
    ),
    "whitespace before the colon in bag-info": Case(
        INVALID, put(bagit.INFO, b"Source-Organization : Example\n"), later=True
    ),
    "byte order mark in bagit.txt": Case(INVALID, put("bagit.txt", b"\xef\xbb\xbf" + bagit.DECLARATION)),
    "bagit.txt without an encoding": Case(INVALID, put("bagit.txt", b"BagIt-Version: 1.0\n")),
    "bagit.txt without a version": Case(INVALID, put("bagit.txt", b"Tag-File-Character-Encoding: UTF-8\n")),
    "bagit.txt with a line more": Case(INVALID, put("bagit.txt", bagit.DECLARATION + b"More: lines\n")),
    "bagit.txt of an unknown version": Case(INVALID, replace("bagit.txt", b"1.0", b"9.9")),
    "no bagit.txt": Case(INVALID, drop("bagit.txt")),
    "no manifest": Case(INVALID, lambda bag: [drop(path.name)(bag) for path in bag.glob("manifest-*.txt")]),
    "no data folder": Case(INVALID, no_payload),
    "payload changed": Case(INVALID, lambda bag: (bag / "data/hello.txt").write_bytes(b"hallo, fictitious world\n")),
    "payload missing": Case(INVALID, drop("data/hello.txt")),
    "payload not listed": Case(INVALID, lambda bag: (bag / "data/extra").write_bytes(b"")),
    "payload in one manifest only": Case(INVALID, replace("manifest-sha256.txt", b"data/hello.txt", b"data/hallo.txt")),
    "tag file changed": Case(INVALID, lambda bag: (bag / bagit.INFO).write_bytes(b"Source-Organization: Other\n")),
    "tag file missing": Case(INVALID, lambda bag: (bag / bagit.INFO).unlink()),
    "wrong Payload-Oxum": Case(INVALID, replace(bagit.INFO, b"Payload-Oxum: 30.2", b"Payload-Oxum: 31.2"), later=True),
    "a name listed twice with other digests": Case(INVALID, twice(different=True)),
    "a path above the bag": Case(INVALID, listed(b"../../outside.txt")),
    "a path above the payload": Case(INVALID, listed(b"data/../../outside.txt")),
    "an absolute path": Case(INVALID, listed(b"/etc/passwd")),
    "a path from the home folder": Case(INVALID, listed(b"~/.ssh/id_rsa")),
    "a path with a shell variable": Case(INVALID, listed(b"data/$HOME")),
    "a path on another drive": Case(INVALID, listed(b"C:\\Windows\\win.ini")),
    "a path with backslashes": Case(INVALID, listed(b"data\\..\\..\\outside.txt")),
    "a path of another host": Case(INVALID, listed(b"\\\\example.invalid\\share\\x")),
    "a link for a payload file": Case(INVALID, linked),
    "a manifest of another algorithm": Case(INVALID, put("manifest-made-up.txt", b"0  data/hello.txt\n")),
    "made with md5sum (a star before names)": Case(WARNING, each_manifest(b"  ", b" *")),
    "one space before names": Case(WARNING, each_manifest(b"  ", b" ")),
    "a tab before names": Case(WARNING, each_manifest(b"  ", b"\t")),
    "space after names": Case(WARNING, each_manifest(b".txt\n", b".txt \n")),
    "paths that begin with a dot": Case(WARNING, each_manifest(b"data/", b"./data/")),
    "a name listed twice with one digest": Case(WARNING, twice(different=False)),
    "a tag manifest that lists itself": Case(WARNING, lambda bag: append_itself(bag)),
    "names that differ in case alone": Case(WARNING, added("HELLO.txt")),
    "names that differ in normalisation alone": Case(WARNING, added("caf\u00e9.txt", listed_as="cafe\u0301.txt")),
    "a listed name in another normalisation": Case(WARNING, added("cafe\u0301.txt")),
    "Thumbs.db beside the payload": Case(WARNING, added("Thumbs.db")),
    ".DS_Store beside the payload": Case(WARNING, added(".DS_Store")),
    "linux-only: a colon": Case(VALID, added("a:b.txt")),
    "linux-only: a backslash": Case(VALID, added("a\\b.txt")),
    "linux-only: a device's name": Case(VALID, added("a?*<>|.txt")),
    "linux-only: a quote": Case(VALID, added('a"b.txt')),
    "linux-only: a name that ends in a dot or space": Case(VALID, added("a. ")),
    "linux-only: a name that is no text": Case(INVALID, lambda bag: not_text(bag)),
    "darwin-only: a precomposed letter": Case(VALID, added("\u00e9.txt")),
}


def capitals(manifest: Path) -> bytes:
    """Its digests in capital letters."""
    lines = manifest.read_bytes().splitlines(keepends=True)
    return b"".join(line.partition(b" ")[0].upper() + line[line.index(b" ") :] for line in lines)


def append_itself(bag: Path) -> None:
    for path in bag.glob("tagmanifest-*.txt"):
        path.write_bytes(path.read_bytes() + b"0" * 64 + b"  " + path.name.encode() + b"\n")


def not_text(bag: Path) -> None:
    with open(os.fsencode(bag) + b"/data/\xff\xfe", "wb") as file:  # noqa: PTH123 - a Path cannot name it
        file.write(b"x")


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    write(tmp_path / "bag")
    return tmp_path / "bag"


@pytest.mark.parametrize("name", CASES)
def test_only_our_own_form_passes_whatever_the_suite_says(name: str, bag: Path) -> None:
    case = CASES[name]
    case.make(bag)
    if case.passes or case.later:
        read = bagit.read_bag(FolderTree(bag))
        assert read.payload.keys() == PAYLOAD.keys()
        assert (read.tags.keys() == OURS.keys() and read.tags[bagit.INFO] == OURS[bagit.INFO]) is case.passes
    else:
        with pytest.raises(PackageError):
            bagit.read_bag(FolderTree(bag))


def lenient(bag: Path) -> bool:
    """Whether the ``bagit`` package takes a bag for valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return bool(oracle.Bag(str(bag)).validate())
        except (oracle.BagError, OSError, ValueError):
            return False


def test_the_bagit_package_agrees_about_the_bags_that_we_write(bag: Path) -> None:
    assert lenient(bag)


LET_PASS = {
    "bagit.txt with invalid whitespace": "bagit.txt",
    "whitespace before a label": "bagit.txt",
    "whitespace after a value": "bagit.txt",
    "no whitespace after the colon": "bagit.txt",
    "two spaces after the colon": "bagit.txt",
    "a tab after the colon": "bagit.txt",
    "one space before names": "data/",
    "a tab before names": "data/",
    "space after names": "data/",
    "made with md5sum (a star before names)": "data/",
    "bagit.txt with a line more": "bagit.txt",
    "a link for a payload file": "data/hello.txt",
}
"""Faults, of white space above all, that the ``bagit`` package takes for nothing; and what our refusal names."""


@pytest.mark.parametrize("name", LET_PASS)
def test_a_fault_that_the_bagit_package_lets_pass_is_caught(name: str, bag: Path) -> None:
    CASES[name].make(bag)
    assert CASES[name].kind in (INVALID, WARNING)
    assert lenient(bag)
    with pytest.raises(PackageError, match=re.escape(LET_PASS[name])):
        bagit.read_bag(FolderTree(bag))
