"""Base58Check: Bitcoin's first address form, which many chains took over with version bytes of their own.

Source: Bitcoin's ``base58.h`` and its Base58Check description; XRP Ledger's base58 encodings (another alphabet);
Monero's CryptoNote base58 (blocks of eight bytes, Keccak-256).
"""

from hashlib import sha256

from palermo.subjects.addresses.keccak import keccak256

BITCOIN_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_ALPHABET = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_CRYPTONOTE_BLOCK = {0: 0, 2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}
"""Characters of a CryptoNote block → bytes it holds."""


def _digest(body: bytes) -> bytes:
    return sha256(sha256(body).digest()).digest()


def _number(text: str, alphabet: str) -> int | None:
    number = 0
    for letter in text:
        digit = alphabet.find(letter)
        if digit < 0:
            return None
        number = number * 58 + digit
    return number


def decode(text: str, alphabet: str = BITCOIN_ALPHABET) -> bytes | None:
    """Version and payload under a right checksum (first four bytes of double SHA-256), or None."""
    number = _number(text, alphabet) if 0 < len(text) <= 128 else None
    if number is None:
        return None
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    whole = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    body, checksum = whole[:-4], whole[-4:]
    return body if body and _digest(body)[:4] == checksum else None


def encode(body: bytes, alphabet: str = BITCOIN_ALPHABET) -> str:
    """Text of version and payload with their checksum."""
    whole = body + _digest(body)[:4]
    number, letters = int.from_bytes(whole, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        letters = alphabet[digit] + letters
    return alphabet[0] * (len(whole) - len(whole.lstrip(b"\0"))) + letters


def decode_cryptonote(text: str) -> bytes | None:
    """Network byte and keys of a Monero address under a right checksum (first four bytes of Keccak-256), or None."""
    whole = b""
    for start in range(0, min(len(text), 128), 11):
        block = text[start : start + 11]
        size, number = _CRYPTONOTE_BLOCK.get(len(block)), _number(block, BITCOIN_ALPHABET)
        if size is None or number is None or number >> (8 * size):
            return None
        whole += number.to_bytes(size, "big")
    body, checksum = whole[:-4], whole[-4:]
    return body if body and keccak256(body)[:4] == checksum else None
