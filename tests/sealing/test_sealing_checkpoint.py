"""Checkpoints: C2SP's signed note, with both of our signatures."""

import base64
import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from palermo.sealing.checkpoint import note_key_ids, parse_checkpoint, sign_checkpoint, verify_checkpoint
from palermo.sealing.errors import FormatError, SealingError, SignatureError, TrustError, UnknownKeyError
from palermo.sealing.keys import SigningKey, VerifyKey

KEY = SigningKey.generate(random.Random(1).randbytes)
OTHER = SigningKey.generate(random.Random(2).randbytes)
ROOT = hashlib.sha256(b"root").digest()
TEXT = sign_checkpoint("borealia.example/log", 9, ROOT, KEY)


def test_a_checkpoint_says_what_was_signed() -> None:
    checkpoint = verify_checkpoint(TEXT, OTHER.public, KEY.public, origin="borealia.example/log")
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == ("borealia.example/log", 9, ROOT)
    assert checkpoint.text == TEXT
    assert parse_checkpoint(TEXT) == checkpoint


def test_the_key_id_is_that_of_the_go_note_package() -> None:
    """The verifier key of golang.org/x/mod/sumdb/note's documentation, PeterNeumann+c74f20a3+..."""
    key = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert key[0] == 1
    assert note_key_ids("PeterNeumann", VerifyKey(key[1:], bytes(1952)))[0].hex() == "c74f20a3"


def test_any_client_of_the_standard_verifies_the_first_line() -> None:
    """By hand, as C2SP signed-note says: text up to the blank line, key id, Ed25519."""
    body, _, lines = TEXT.rpartition("\n\n")
    _, name, signature = lines.split("\n")[0].split(" ")
    blob = base64.b64decode(signature)
    assert name == "borealia.example/log"
    assert blob[:4] == hashlib.sha256(b"borealia.example/log\n\x01" + KEY.public.ed25519).digest()[:4]
    Ed25519PublicKey.from_public_bytes(KEY.public.ed25519).verify(blob[4:], (body + "\n").encode())
    assert body.split("\n") == ["borealia.example/log", "9", base64.b64encode(ROOT).decode()]


def test_another_key_or_log_is_refused() -> None:
    with pytest.raises(UnknownKeyError):
        verify_checkpoint(TEXT, OTHER.public)
    with pytest.raises(UnknownKeyError):
        verify_checkpoint(TEXT)
    with pytest.raises(TrustError, match="not of"):
        verify_checkpoint(TEXT, KEY.public, origin="aurelia.example/log")


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "näme", "x" * 201])
def test_an_origin_that_no_note_may_have(origin: str) -> None:
    with pytest.raises(FormatError, match="origin"):
        sign_checkpoint(origin, 1, ROOT, KEY)


def test_a_size_or_root_out_of_range() -> None:
    for size, root in ((-1, ROOT), (2**53, ROOT), (1, ROOT[:31])):
        with pytest.raises(FormatError):
            sign_checkpoint("log", size, root, KEY)


LINES = TEXT.split("\n")


@pytest.mark.parametrize(
    "text",
    [
        TEXT + TEXT.split("\n\n")[1],  # four lines
        "\n".join([*LINES[:5], *LINES[6:]]),  # one line
        "\n".join([*LINES[:4], LINES[5], LINES[4], ""]),  # the other order
        TEXT.replace("\n9\n", "\n09\n"),
        TEXT.replace("\n9\n", "\n9\nextension\n"),
        TEXT.replace("\n9\n", "\n 9\n"),
        TEXT.replace("\n", "\r\n"),
        TEXT[:-1],
        TEXT + "\n",
        " " + TEXT,
        TEXT.replace("— ", "- "),
        TEXT.replace("=\n\n", "\n\n"),
        TEXT.replace("— borealia", "— aurelia", 1),
    ],
)
def test_a_checkpoint_has_one_form(text: str) -> None:
    assert text != TEXT
    with pytest.raises((FormatError, UnknownKeyError)):
        verify_checkpoint(text, KEY.public)


def test_a_changed_size_breaks_the_signature() -> None:
    with pytest.raises(SignatureError):
        verify_checkpoint(TEXT.replace("\n9\n", "\n8\n"), KEY.public)


def test_a_flipped_bit_anywhere_is_refused() -> None:
    raw = TEXT.encode()
    chosen = random.Random(3).randbytes(len(raw))
    for at in range(len(raw)):
        flipped = (raw[:at] + bytes([raw[at] ^ (1 << chosen[at] % 8)]) + raw[at + 1 :]).decode("utf-8", "replace")
        with pytest.raises(SealingError):
            verify_checkpoint(flipped, KEY.public)


@given(
    st.text(max_size=120)
    | st.builds(lambda at, more: TEXT[:at] + more, st.integers(0, len(TEXT) - 1), st.text(max_size=9))
)
def test_garbage_is_refused(text: str) -> None:
    if text != TEXT:
        with pytest.raises(SealingError):
            verify_checkpoint(text, KEY.public)
