"""A sealed file opens to exactly what was sealed, or it raises and leaves nothing."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from palermo.sealing import sealed_file
from palermo.sealing.errors import BindingError, FormatError, OpeningError, SealingError, UnknownKeyError
from palermo.sealing.keys import RecipientKey
from palermo.sealing.sealed_file import HEAD_BYTES, Contents, SealedFile

KEY = RecipientKey.generate()
OTHER = RecipientKey.generate()


def contents_of(data: bytes) -> Contents:
    return Contents(len(data), hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest())


def seal(folder: Path, data: bytes, piece_bytes: int = 1000) -> SealedFile:
    (folder / "plain").write_bytes(data)
    return sealed_file.seal_file(folder / "plain", folder / "sealed", piece_bytes=piece_bytes)


def opened(folder: Path, sealed: SealedFile) -> bytes:
    with (folder / "sealed").open("rb") as file:
        sealed_file.open_file(file, folder / "out", sealed.identity, sealed.contents)
    return (folder / "out").read_bytes()


def refused(folder: Path, sealed: SealedFile, error: type[SealingError]) -> None:
    """Opening raises, and no byte of plaintext is left under any name."""
    before = set(folder.iterdir())
    with (folder / "sealed").open("rb") as file, pytest.raises(error):
        sealed_file.open_file(file, folder / "out", sealed.identity, sealed.contents)
    assert set(folder.iterdir()) == before


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 65_536, 65_537, 200_000])
def test_what_was_sealed_opens(tmp_path, size):
    data = os.urandom(size)
    sealed = seal(tmp_path, data)
    assert sealed.contents == contents_of(data)
    assert opened(tmp_path, sealed) == data


def test_one_pass_digests_every_piece(tmp_path):
    sealed = seal(tmp_path, os.urandom(150_000), piece_bytes=4096)
    ciphertext = (tmp_path / "sealed").read_bytes()
    assert sealed.sealed_size == len(ciphertext)
    pieces = [ciphertext[at : at + 4096] for at in range(0, len(ciphertext), 4096)]
    assert sealed.pieces == b"".join(hashlib.sha256(piece).digest() for piece in pieces)


def test_a_last_piece_that_is_full_is_not_followed_by_an_empty_one(tmp_path):
    sealed = seal(tmp_path, b"x", piece_bytes=1)
    assert len(sealed.pieces) == 32 * sealed.sealed_size


def test_each_file_has_an_identity_of_its_own_that_is_never_printed(tmp_path):
    first, second = seal(tmp_path, b"same"), seal(tmp_path, b"same")
    assert first.identity != second.identity
    assert first.identity not in repr(first)


def test_files_are_for_their_owner_alone(tmp_path):
    sealed = seal(tmp_path, b"secret")
    opened(tmp_path, sealed)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("sealed", "out")} == {0o600}


DATA = os.urandom(140_000)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, len(DATA) + 500), bit=st.integers(0, 7))
def test_any_flipped_bit_is_refused_and_leaves_nothing(tmp_path, where, bit):
    sealed = seal(tmp_path, DATA)
    data = bytearray((tmp_path / "sealed").read_bytes())
    data[where % len(data)] ^= 1 << bit
    (tmp_path / "sealed").write_bytes(data)
    refused(tmp_path, sealed, OpeningError)


@pytest.mark.parametrize("cut", [0, 1, 150, 200, 65_600, 70_000, -1])
def test_a_cut_file_is_refused(tmp_path, cut):
    sealed = seal(tmp_path, DATA)
    (tmp_path / "sealed").write_bytes((tmp_path / "sealed").read_bytes()[:cut])
    refused(tmp_path, sealed, OpeningError)


def test_a_file_that_goes_on_is_refused(tmp_path):
    sealed = seal(tmp_path, DATA)
    with (tmp_path / "sealed").open("ab") as file:
        file.write(b"\0")
    refused(tmp_path, sealed, OpeningError)


def test_pieces_in_another_order_are_refused(tmp_path):
    sealed = seal(tmp_path, DATA)
    data = (tmp_path / "sealed").read_bytes()
    start = len(data) - len(DATA) - 3 * 16  # header and nonce; then chunks of 64 KiB and their tags
    first, second, rest = data[start : start + 65_552], data[start + 65_552 : start + 131_104], data[start + 131_104 :]
    (tmp_path / "sealed").write_bytes(data[:start] + second + first + rest)
    refused(tmp_path, sealed, OpeningError)


def test_another_identity_is_refused(tmp_path):
    sealed = seal(tmp_path, DATA)
    other = seal(tmp_path, DATA)
    seal_with = SealedFile(other.contents, other.sealed_size, 1000, other.pieces, sealed.identity)
    refused(tmp_path, seal_with, OpeningError)


def test_whole_files_of_another_content_than_announced_are_refused(tmp_path):
    sealed = seal(tmp_path, DATA)
    for announced in (contents_of(DATA[:-1]), contents_of(DATA + b"x"), contents_of(bytes(len(DATA)))):
        wrong = SealedFile(announced, sealed.sealed_size, 1000, sealed.pieces, sealed.identity)
        refused(tmp_path, wrong, BindingError)


@pytest.mark.parametrize("identity", ["", "AGE-SECRET-KEY-1", "age1" + "q" * 58, "AGE-SECRET-KEY-PQ-1" + "Q" * 58])
def test_what_is_no_identity_is_refused(tmp_path, identity):
    sealed = seal(tmp_path, b"data")
    wrong = SealedFile(sealed.contents, sealed.sealed_size, 1000, sealed.pieces, identity)
    refused(tmp_path, wrong, SealingError)


class StopError(Exception):
    """The caller wants no more."""


def test_progress_is_told_and_may_stop_the_work(tmp_path):
    seen = []
    (tmp_path / "plain").write_bytes(DATA)
    sealed = sealed_file.seal_file(tmp_path / "plain", tmp_path / "sealed", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == len(DATA)

    def stop(done: int) -> None:
        if done > 70_000:
            raise StopError

    with (tmp_path / "sealed").open("rb") as file, pytest.raises(StopError):
        sealed_file.open_file(file, tmp_path / "out", sealed.identity, sealed.contents, progress=stop)
    with pytest.raises(StopError):
        sealed_file.seal_file(tmp_path / "plain", tmp_path / "again", progress=stop)
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "sealed"}


def test_a_full_disk_is_named_as_such(tmp_path):
    sealed = seal(tmp_path, DATA)

    class Full:
        def read(self, size: int) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sealed_file.open_file(Full(), tmp_path / "out", sealed.identity, sealed.contents)


# --- a file for a person --------------------------------------------------------------------


def sealed_for(folder: Path, data: bytes = b"package", name: str = "BB-PKG-1.zip") -> Path:
    (folder / "plain").write_bytes(data)
    sealed_file.seal_for(KEY.public, folder / "plain", folder / "handed", name=name)
    return folder / "handed"


def test_one_file_carries_what_its_recipient_needs(tmp_path):
    path = sealed_for(tmp_path, DATA)
    found = sealed_file.open_sealed(path, tmp_path / "out", {KEY.key_id: KEY, OTHER.key_id: OTHER})
    assert found == sealed_file.OpenedFile("BB-PKG-1.zip", contents_of(DATA))
    assert (tmp_path / "out").read_bytes() == DATA
    assert sealed_file.recipient_key_id_of(path) == KEY.key_id


def test_the_head_has_one_length_and_says_nothing_of_name_or_size(tmp_path):
    short = sealed_for(tmp_path, b"", "a").read_bytes()
    long = sealed_for(tmp_path, DATA, "b" * 200).read_bytes()
    assert len(short[:HEAD_BYTES].rstrip(b"\0")) == len(long[:HEAD_BYTES].rstrip(b"\0"))
    assert b"bbbb" not in long


def test_another_key_opens_nothing(tmp_path):
    path = sealed_for(tmp_path)
    with pytest.raises(UnknownKeyError):
        sealed_file.open_sealed(path, tmp_path / "out", {OTHER.key_id: OTHER})
    with pytest.raises(OpeningError):
        sealed_file.open_sealed(path, tmp_path / "out", {KEY.key_id: OTHER})
    assert not (tmp_path / "out").exists()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.integers(0, HEAD_BYTES + 300), bit=st.integers(0, 7))
def test_no_bit_of_a_handed_file_can_change(tmp_path, where, bit):
    path = sealed_for(tmp_path)
    data = bytearray(path.read_bytes())
    data[where % len(data)] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(SealingError):
        sealed_file.open_sealed(path, tmp_path / "out", {KEY.key_id: KEY})
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "handed"}


def test_the_body_of_another_file_is_refused(tmp_path):
    first = sealed_for(tmp_path, b"first!!").read_bytes()
    second = sealed_for(tmp_path, b"second!").read_bytes()
    (tmp_path / "handed").write_bytes(first[:HEAD_BYTES] + second[HEAD_BYTES:])
    with pytest.raises(OpeningError):
        sealed_file.open_sealed(tmp_path / "handed", tmp_path / "out", {KEY.key_id: KEY})


def test_a_name_that_no_head_can_hold_is_refused(tmp_path):
    (tmp_path / "plain").write_bytes(b"x")
    for name in ("n" * 201, "\U0001f600" * 200):
        with pytest.raises(FormatError):
            sealed_file.seal_for(KEY.public, tmp_path / "plain", tmp_path / "handed", name=name)
    assert {path.name for path in tmp_path.iterdir()} == {"plain"}
