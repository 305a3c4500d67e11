"""Salted Merkle commitments: a party fixes what it asked, or what it holds, without showing it.

A leaf is SHA-256(label ‖ salt ‖ kind ‖ value), the last two length-prefixed; the root is that of RFC 9162. Each
salt comes from a secret by a PRF, so that opening one leaf to an auditor (its salt, kind and value) says nothing
about the others.
"""

import hashlib
import hmac
from collections.abc import Iterable

from palermo.blind.wire import prefixed_all
from palermo.sealing import merkle

SALT_BYTES = 32
SECRET_BYTES = 32

_LABEL = b"palermo-blind-v1 commitment"


def leaf(salt: bytes, kind: str, value: str) -> bytes:
    """The commitment to one value, as the leaf hash of RFC 9162."""
    return merkle.leaf_hash(hashlib.sha256(_LABEL + salt + prefixed_all(kind, value)).digest())


def query_salt(secret: bytes, index: int) -> bytes:
    """The salt of the ``index``-th blinded element of a request (padding too: its leaf commits to the empty value)."""
    return hmac.digest(secret, b"query salt" + index.to_bytes(4), "sha256")


def holding_salt(secret: bytes, kind: str, value: str) -> bytes:
    """The salt of one value that a holder publishes."""
    return hmac.digest(secret, b"holding salt" + prefixed_all(kind, value), "sha256")


def query_root(secret: bytes, elements: Iterable[tuple[str, str]]) -> bytes:
    """The root over a request's (kind, value), in the order of its elements: leaf i belongs to element i."""
    return merkle.root([leaf(query_salt(secret, i), kind, value) for i, (kind, value) in enumerate(elements)])


def holding_root(secret: bytes, values: Iterable[tuple[str, str]]) -> bytes:
    """The root over a holder's (kind, value); leaves are sorted, so their order tells nothing."""
    return merkle.root(sorted(leaf(holding_salt(secret, kind, value), kind, value) for kind, value in values))
