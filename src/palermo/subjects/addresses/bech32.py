"""Bech32, Bech32m and CashAddr: addresses in 32 letters with an error-detecting code over a prefix and the data.

Source: BIP 173 (bech32), BIP 350 (bech32m from witness version 1), the Bitcoin Cash CashAddr specification.
"""

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32, _BECH32M = 1, 0x2BC830A3
_BECH32_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CASH_GENERATOR = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def _remainder(values: list[int], generator: tuple[int, ...], bits: int) -> int:
    """Remainder of the code over GF(32): `bits` is its length, 30 for bech32 and 40 for CashAddr."""
    state = 1
    for value in values:
        top = state >> (bits - 5)
        state = ((state & ((1 << (bits - 5)) - 1)) << 5) ^ value
        for place, term in enumerate(generator):
            if top >> place & 1:
                state ^= term
    return state


def _data(text: str) -> list[int] | None:
    values = [ALPHABET.find(letter) for letter in text]
    return None if -1 in values else values


def _bytes(values: list[int]) -> bytes | None:
    """Groups of five bits as bytes; the bits left over must be fewer than five, and zero."""
    number = 0
    for value in values:
        number = number << 5 | value
    left_over = 5 * len(values) % 8
    if left_over >= 5 or number & ((1 << left_over) - 1):
        return None
    return (number >> left_over).to_bytes(5 * len(values) // 8, "big")


def _groups(payload: bytes) -> list[int]:
    """Bytes as groups of five bits, zeros after the last."""
    count = (8 * len(payload) + 4) // 5
    number = int.from_bytes(payload, "big") << (5 * count - 8 * len(payload))
    return [number >> (5 * (count - 1 - place)) & 31 for place in range(count)]


def is_segwit(text: str, prefix: str) -> bool:
    """Whether a lower-case text is a segregated-witness address under `prefix` (``bc``, ``ltc``)."""
    if not text.startswith(f"{prefix}1") or not 14 <= len(text) <= 90:
        return False
    values = _data(text[len(prefix) + 1 :])
    if values is None or len(values) < 8:
        return False
    spread = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    version, program = values[0], _bytes(values[1:-6])
    if (
        program is None
        or version > 16
        or _remainder(spread + values, _BECH32_GENERATOR, 30) != (_BECH32M if version else _BECH32)
    ):
        return False
    return len(program) in (20, 32) if version == 0 else 2 <= len(program) <= 40


def _cash_spread(prefix: str) -> list[int]:
    return [ord(letter) & 31 for letter in prefix] + [0]


def decode_cash(text: str, prefix: str = "bitcoincash") -> tuple[int, bytes] | None:
    """Type (0 key hash, 1 script hash) and 20-byte hash of a lower-case CashAddr without its prefix, or None."""
    values = _data(text)
    if values is None or len(values) != 42 or _remainder(_cash_spread(prefix) + values, _CASH_GENERATOR, 40) != 1:
        return None
    payload = _bytes(values[:-8])
    if payload is None or payload[0] not in (0, 8):
        return None
    return payload[0] >> 3, payload[1:]


def encode_cash(kind: int, digest: bytes, prefix: str = "bitcoincash") -> str:
    """CashAddr, without its prefix, of a 20-byte hash."""
    values = _groups(bytes([kind << 3]) + digest)
    checksum = _remainder(_cash_spread(prefix) + values + [0] * 8, _CASH_GENERATOR, 40) ^ 1
    return "".join(ALPHABET[value] for value in [*values, *(checksum >> (5 * (7 - place)) & 31 for place in range(8))])
