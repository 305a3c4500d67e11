"""Keeps the officers' second-factor secrets sealed in the database (setting ``MFA_ADAPTER``)."""

import base64
import os

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_NONCE_BYTES = 12


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """AES-256-GCM under a key derived from the node's secret key: a stolen database alone gives no codes."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher().encrypt(nonce, text.encode(), None)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret; fails if the node's secret key changed."""
        sealed = base64.b64decode(encrypted_text, validate=True)
        return self._cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()

    def _cipher(self) -> AESGCM:
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"palermo second factor v1").derive(
            settings.SECRET_KEY.encode()
        )
        return AESGCM(derived)
