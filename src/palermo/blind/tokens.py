"""From the VOPRF output T (64 bytes) to what each step uses: HKDF-SHA512 (RFC 5869) with a label of its own for each.

fingerprint    in the filter: 32 bits to compare, after 64 bits that say where they lie
locator        16 bytes, bound to one manifest: what the querier names a filter positive by
querier key    proves to the holder that the querier evaluated this very value
holder key     proves to the querier that the holder has it

None of them tells anything about another, nor about T.
"""

import hmac
from typing import NewType

Token = NewType("Token", bytes)
"""HKDF's pseudorandom key of one T, 64 bytes: a secret of whoever computed it."""

LOCATOR_BYTES = 16
KEY_BYTES = 32
FINGERPRINT_BYTES = 8 + 4

_SALT = b"palermo-blind-v1 token"


def token(output: bytes) -> Token:
    """HKDF-Extract of the 64-byte VOPRF output."""
    return Token(hmac.digest(_SALT, output, "sha512"))


def fingerprint(of: Token) -> bytes:
    """12 bytes: 64 bits that say where in the filter, then the 32 bits stored there; independent of each other."""
    return _expand(of, b"fingerprint", FINGERPRINT_BYTES)


def locator(of: Token, manifest_digest: bytes) -> bytes:
    """16 bytes that name this token under one manifest, and are worthless under any other."""
    return _expand(of, b"locator" + manifest_digest, LOCATOR_BYTES)


def querier_key(of: Token) -> bytes:
    """The key of the querier's MAC."""
    return _expand(of, b"querier key", KEY_BYTES)


def holder_key(of: Token) -> bytes:
    """The key of the holder's MAC."""
    return _expand(of, b"holder key", KEY_BYTES)


def _expand(of: Token, info: bytes, length: int) -> bytes:
    """HKDF-Expand for up to one block of 64 bytes."""
    return hmac.digest(of, info + b"\x01", "sha512")[:length]
