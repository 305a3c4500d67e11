"""What can go wrong when something is sealed, opened or checked. One base class: :class:`SealingError`."""


class SealingError(Exception):
    """Base of every error of this room. ``part`` names what failed; the message says what to do next."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(f"{part}: {message}")
        self.part = part
        self.message = message


class FormatError(SealingError):
    """Bytes that are not exactly what the format allows: refuse them and ask the sender to send again."""


class SignatureError(SealingError):
    """A signature that does not verify: treat the bytes as forged or damaged."""


class UnknownKeyError(SealingError):
    """A key that the directory, the trust root or the key store does not hold."""


class OpeningError(SealingError):
    """A ciphertext that does not open with this key and this header."""


class BindingError(SealingError):
    """Two parts, each well formed, that do not belong together."""


class ProofError(SealingError):
    """A Merkle proof that does not lead to the signed root."""


class TrustError(SealingError):
    """A signer, or a validity period, that the trust root or the directory does not allow."""


class RollbackError(SealingError):
    """A directory older than, or different from, the one already imported."""


class KeyFileError(SealingError):
    """A private key file that is missing, too open, damaged, or locked by another passphrase."""


class PackageError(SealingError):
    """An evidence package whose files are not exactly those that it states."""
