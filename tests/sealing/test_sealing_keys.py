"""Signing and recipient keys, and private keys at rest."""

import os
import random
import stat
from pathlib import Path

import pytest

from palermo.sealing import hpke
from palermo.sealing.errors import FormatError, KeyFileError, OpeningError, SignatureError
from palermo.sealing.keyfile import destroy_private, lock_private, read_private, write_private
from palermo.sealing.keys import RecipientKey, RecipientPublicKey, Signatures, SigningKey, VerifyKey

KEY = SigningKey.generate(random.Random(1).randbytes)
RECIPIENT = RecipientKey.generate(random.Random(2).randbytes)


def test_ed25519_is_that_of_rfc_8032() -> None:
    """RFC 8032 section 7.1, test 2: one byte."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    key = SigningKey(seed, bytes(32))
    assert key.public.ed25519.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").ed25519.hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


def test_keys_survive_their_encoding_and_seeds_determine_them() -> None:
    assert SigningKey.from_bytes(KEY.to_bytes()) == KEY
    assert VerifyKey.from_bytes(KEY.public.to_bytes()) == KEY.public
    assert RecipientKey.from_bytes(RECIPIENT.to_bytes()).public == RECIPIENT.public
    assert RecipientPublicKey.from_bytes(RECIPIENT.public.to_bytes()) == RECIPIENT.public
    assert SigningKey.generate(random.Random(1).randbytes).public == KEY.public
    assert len(KEY.key_id) == 32
    assert KEY.public.fingerprint.replace(" ", "").startswith(KEY.key_id)


def test_secrets_are_not_printed() -> None:
    assert repr(KEY) == "SigningKey()"
    assert repr(RECIPIENT) == "RecipientKey()"


@pytest.mark.parametrize("make", [SigningKey, VerifyKey, RecipientKey, RecipientPublicKey])
@pytest.mark.parametrize("length", [0, 31, 5000])
def test_keys_of_another_length_are_refused(make: type[SigningKey], length: int) -> None:
    with pytest.raises(FormatError):
        make.from_bytes(bytes(length))


def test_both_signatures_must_verify() -> None:
    good, other = KEY.sign(b"message"), KEY.sign(b"another")
    KEY.public.verify(b"message", good)
    with pytest.raises(SignatureError, match="signature ed25519"):
        KEY.public.verify(b"message", Signatures(other.ed25519, good.ml_dsa_65))
    with pytest.raises(SignatureError, match="signature ml-dsa-65"):
        KEY.public.verify(b"message", Signatures(good.ed25519, other.ml_dsa_65))
    for cut in (Signatures(b"", good.ml_dsa_65), Signatures(good.ed25519, good.ml_dsa_65[:-1])):
        with pytest.raises(SignatureError):
            KEY.public.verify(b"message", cut)


def test_hpke_opens_with_the_key_and_the_info_alone() -> None:
    sealed = hpke.seal(RECIPIENT.public, b"info", b"secret")
    assert len(sealed) == len(b"secret") + hpke.OVERHEAD_BYTES
    assert hpke.open(RECIPIENT, b"info", sealed) == b"secret"
    other = RecipientKey.generate(random.Random(3).randbytes)
    half = RecipientKey(RECIPIENT.ml_kem_768_seed, other.x25519_key)
    for key, info, data in (
        (other, b"info", sealed),
        (half, b"info", sealed),
        (RecipientKey(other.ml_kem_768_seed, RECIPIENT.x25519_key), b"info", sealed),
        (RECIPIENT, b"other", sealed),
        (RECIPIENT, b"info", sealed[:-1]),
        (RECIPIENT, b"info", b""),
    ):
        with pytest.raises(OpeningError):
            hpke.open(key, info, data)


@pytest.mark.parametrize("at", [0, 500, 1087, 1088, 1119, 1120, 1125, 1141])
def test_hpke_notices_every_part_of_a_ciphertext(at: int) -> None:
    sealed = bytearray(hpke.seal(RECIPIENT.public, b"info", b"secret"))
    sealed[at] ^= 1
    with pytest.raises(OpeningError):
        hpke.open(RECIPIENT, b"info", bytes(sealed))


def test_a_public_key_that_is_no_ml_kem_key_is_refused() -> None:
    with pytest.raises(FormatError, match="ML-KEM"):
        hpke.seal(RecipientPublicKey(b"\xff" * 1184, bytes(32)), b"", b"")


@pytest.mark.parametrize("passphrase", [None, b"long enough"])
def test_a_private_key_file_is_its_owners_alone(tmp_path: Path, passphrase: bytes | None) -> None:
    path = tmp_path / "signing.key"
    write_private(path, KEY.to_bytes(), passphrase)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_private(path, passphrase) == KEY.to_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["signing.key"]
    assert (KEY.to_bytes() in path.read_bytes()) == (passphrase is None)


def test_a_private_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    write_private(path, b"first", None)
    with pytest.raises(KeyFileError, match="exists already"):
        write_private(path, b"second", None)
    assert read_private(path, None) == b"first"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_private_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "signing.key"
    write_private(path, b"secret", None)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_private(path, None)


def test_a_wrapped_key_opens_by_its_passphrase_alone_and_every_part_is_guarded(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    write_private(path, b"secret", b"right", rng=random.Random(4).randbytes)
    for passphrase, reason in ((b"wrong", "another passphrase"), (None, "locked"), (b"", "empty")):
        with pytest.raises(KeyFileError, match=reason):
            read_private(path, passphrase)
    content = path.read_bytes()
    for at in (0, 30, 45, 60, 75, len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(KeyFileError):
            read_private(path, b"right")
    path.write_bytes(content[:50])
    with pytest.raises(KeyFileError, match="no private key file"):
        read_private(path, b"right")


def test_what_cannot_be_read_or_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_private(tmp_path / "absent", None)
    with pytest.raises(KeyFileError, match="cannot be written"):
        write_private(tmp_path / "absent" / "key", b"secret", None)
    with pytest.raises(KeyFileError, match="empty"):
        write_private(tmp_path / "key", b"secret", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_destroyed_key_is_overwritten_where_it_lies(tmp_path: Path) -> None:
    path, kept_name = tmp_path / "a.key", tmp_path / "same-file"
    write_private(path, b"secret" * 16, None)
    os.link(path, kept_name)
    size = path.stat().st_size
    destroy_private(path)
    assert not path.exists()
    assert kept_name.read_bytes() == bytes(size)
    destroy_private(path)


def test_a_key_is_put_under_another_passphrase_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    write_private(path, b"secret", None)
    lock_private(path, None, b"first")
    with pytest.raises(KeyFileError, match="locked"):
        read_private(path, None)
    with pytest.raises(KeyFileError, match="does not open"):
        lock_private(path, b"wrong", b"second")
    lock_private(path, b"first", b"second")
    assert read_private(path, b"second") == b"secret"
    assert [found.name for found in tmp_path.iterdir()] == ["a.key"]
