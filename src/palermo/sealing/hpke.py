"""HPKE (RFC 9180): encrypt to a recipient's public key, one message a call, bound to ``info``.

The key encapsulation is the hybrid ML-KEM-768 + X25519: to read a recorded message one must break both. It is still an
IETF draft (draft-ietf-hpke-pq), so the suite's name travels in the header and another one can be added beside it.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from palermo.sealing.errors import OpeningError
from palermo.sealing.keys import RecipientKey, RecipientPublicKey

SUITE = "mlkem768-x25519.hkdf-sha256.aes-256-gcm"
OVERHEAD_BYTES = 1136
"""How much longer a ciphertext is: the encapsulated key (1,088 + 32 bytes) and the tag (16)."""

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal(public: RecipientPublicKey, info: bytes, plaintext: bytes) -> bytes:
    """Encrypt: opens with the private key and the same ``info`` alone. Raises FormatError for a bad key."""
    return _SUITE.encrypt(plaintext, public.hybrid, info)


def open(private: RecipientKey, info: bytes, ciphertext: bytes) -> bytes:
    """Decrypt. Raises OpeningError for another key, another ``info``, or bytes that were changed or cut."""
    try:
        return _SUITE.decrypt(ciphertext, private.hybrid, info)
    except (InvalidTag, ValueError) as error:
        raise OpeningError(
            "ciphertext", "does not open with this key and header: damaged, or meant for another"
        ) from error
