"""Cosignatures: C2SP's two lines, checked against bytes put together by hand from its text."""

import base64
import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from palermo.sealing.checkpoint import sign_checkpoint
from palermo.sealing.cosignature import CosignerKey, CosignerPublicKey, cosign, verify_cosignature
from palermo.sealing.errors import FormatError, SealingError, SignatureError, UnknownKeyError
from palermo.sealing.keys import SigningKey

LOG = SigningKey.generate(random.Random(1).randbytes)
WITNESS = CosignerKey.generate(random.Random(2).randbytes)
OTHER = CosignerKey.generate(random.Random(3).randbytes)
ROOT = hashlib.sha256(b"root").digest()
NAME = "aurelia.example/log"
CHECKPOINT = sign_checkpoint("borealia.example/log", 20852163, ROOT, LOG)
AT = datetime(2026, 3, 1, 12, 0, 5, 250000, tzinfo=UTC)
SECONDS = 1772366405
LINES = cosign(CHECKPOINT, NAME, WITNESS, AT)


def test_the_time_in_whole_seconds_is_what_was_signed() -> None:
    assert verify_cosignature(CHECKPOINT, LINES, NAME, WITNESS.public) == AT.replace(microsecond=0)


def test_the_first_line_is_the_one_c2sp_writes() -> None:
    """Ed25519 is deterministic: the line is written here from the text of the specification, and is the same."""
    seed = random.Random(2).randbytes(32)
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    root = base64.b64encode(ROOT).decode()
    message = f"cosignature/v1\ntime {SECONDS}\nborealia.example/log\n20852163\n{root}\n".encode()
    key_id = hashlib.sha256(b"aurelia.example/log\n\x04" + public).digest()[:4]
    blob = key_id + SECONDS.to_bytes(8, "big") + key.sign(message)
    expected = "\N{EM DASH} aurelia.example/log " + base64.b64encode(blob).decode() + "\n"
    assert LINES.startswith(expected)


def test_the_second_line_verifies_as_c2sp_says() -> None:
    """ML-DSA is hedged, so the signature is verified over ``cosigned_message``, put together by hand."""
    generator = random.Random(2)
    generator.randbytes(32)
    public = MLDSA44PrivateKey.from_seed_bytes(generator.randbytes(32)).public_key().public_bytes_raw()
    _, name, text = LINES.splitlines()[1].split(" ")
    blob = base64.b64decode(text)
    message = b"subtree/v1\n\x00"
    message += bytes([19]) + b"aurelia.example/log"
    message += SECONDS.to_bytes(8, "big")
    message += bytes([20]) + b"borealia.example/log"
    message += (0).to_bytes(8, "big") + (20852163).to_bytes(8, "big") + ROOT
    assert name == "aurelia.example/log"
    assert blob[:4] == hashlib.sha256(b"aurelia.example/log\n\x06" + public).digest()[:4]
    assert blob[4:12] == SECONDS.to_bytes(8, "big")
    MLDSA44PublicKey.from_public_bytes(public).verify(blob[12:], message)


def test_the_first_line_has_the_shape_of_the_specification_example() -> None:
    """The C2SP text shows the line ``witness.example.com/w1 jWbPPwAAAABkGFDL…``: its time is 1679315147."""
    blob = base64.b64decode(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    ours = base64.b64decode(LINES.splitlines()[0].split(" ")[2])
    assert len(ours) == len(blob) == 4 + 8 + 64
    assert int.from_bytes(blob[4:12], "big") == 1679315147
    assert int.from_bytes(ours[4:12], "big") == SECONDS


def test_another_witness_key_or_name_is_refused() -> None:
    with pytest.raises(UnknownKeyError, match="not by its key"):
        verify_cosignature(CHECKPOINT, LINES, NAME, OTHER.public)
    with pytest.raises(UnknownKeyError, match="not under the name"):
        verify_cosignature(CHECKPOINT, LINES, "cassia.example/log", WITNESS.public)


def test_another_checkpoint_is_refused() -> None:
    for size, root in ((20852164, ROOT), (20852163, hashlib.sha256(b"other").digest())):
        with pytest.raises(SignatureError, match="ed25519"):
            verify_cosignature(sign_checkpoint("borealia.example/log", size, root, LOG), LINES, NAME, WITNESS.public)


def test_a_half_that_is_another_witness_half_is_refused() -> None:
    """Whoever breaks one algorithm has only one half."""
    first, second = LINES.splitlines(keepends=True)
    half = CosignerKey(WITNESS.ed25519_seed, OTHER.ml_dsa_44_seed)
    mixed = first + cosign(CHECKPOINT, NAME, half, AT).splitlines(keepends=True)[1]
    with pytest.raises(UnknownKeyError):
        verify_cosignature(CHECKPOINT, mixed, NAME, WITNESS.public)
    later = cosign(CHECKPOINT, NAME, WITNESS, AT + timedelta(seconds=1)).splitlines(keepends=True)[1]
    with pytest.raises(FormatError, match="different times"):
        verify_cosignature(CHECKPOINT, first + later, NAME, WITNESS.public)
    name, blob = second.split(" ")[1:]
    forged = base64.b64decode(blob)
    forged = forged[:-1] + bytes([forged[-1] ^ 1])
    with pytest.raises(SignatureError, match="ml-dsa-44"):
        lines = f"{first}\N{EM DASH} {name} {base64.b64encode(forged).decode()}\n"
        verify_cosignature(CHECKPOINT, lines, NAME, WITNESS.public)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        LINES.splitlines(keepends=True)[0],
        "".join(reversed(LINES.splitlines(keepends=True))),
        LINES + LINES.splitlines(keepends=True)[0],
        LINES.replace("\N{EM DASH}", "-"),
        LINES.rstrip("\n"),
        LINES.replace("\n", "\r\n"),
        LINES.replace("\N{EM DASH} ", "\N{EM DASH}  "),
        "\n" + LINES,
        LINES + "x" * 9000,
    ],
)
def test_another_spelling_is_refused(lines: str) -> None:
    with pytest.raises(FormatError):
        verify_cosignature(CHECKPOINT, lines, NAME, WITNESS.public)


@given(st.integers(min_value=0, max_value=len(LINES) - 1), st.characters())
@settings(max_examples=100)
def test_no_changed_character_verifies(place: int, character: str) -> None:
    changed = LINES[:place] + character + LINES[place + 1 :]
    if changed != LINES:
        with pytest.raises(SealingError):
            verify_cosignature(CHECKPOINT, changed, NAME, WITNESS.public)


@given(st.integers(min_value=0, max_value=2**53 - 1), st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_what_a_witness_signs_verifies(size: int, root: bytes) -> None:
    text = sign_checkpoint("borealia.example/log", size, root, LOG)
    assert verify_cosignature(text, cosign(text, NAME, WITNESS, AT), NAME, WITNESS.public).timestamp() == SECONDS


def test_keys_are_read_back_as_written_and_hold_no_other_length() -> None:
    assert CosignerKey.from_bytes(WITNESS.to_bytes()) == WITNESS
    assert CosignerPublicKey.from_bytes(WITNESS.public.to_bytes()) == WITNESS.public
    assert len(WITNESS.public.to_bytes()) == 1344
    assert WITNESS.key_id == WITNESS.public.key_id != OTHER.key_id
    for length in (0, 63, 65):
        with pytest.raises(FormatError):
            CosignerKey.from_bytes(bytes(length))
    for length in (0, 1343, 1345):
        with pytest.raises(FormatError):
            CosignerPublicKey.from_bytes(bytes(length))
    assert WITNESS.ed25519_seed.hex() not in repr(WITNESS)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 201])
def test_a_name_that_no_note_may_have(name: str) -> None:
    with pytest.raises(FormatError, match="cosigner name"):
        cosign(CHECKPOINT, name, WITNESS, AT)
