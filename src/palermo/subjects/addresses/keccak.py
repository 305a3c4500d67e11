"""Keccak-256 as Ethereum and Monero use it: the sponge of FIPS 202 with the padding of the original submission.

`hashlib.sha3_256` pads with 0x06 where Keccak pads with 0x01, so its digests differ.

Source: Bertoni, Daemen, Peeters, Van Assche, *The Keccak reference*, version 3.0 (2011); FIPS 202 section 3.
"""

_MASK = (1 << 64) - 1
_RATE = 136
"""Bytes absorbed at a time: 1600 bits of state less twice 256 bits of capacity."""


def _round_constants() -> tuple[int, ...]:
    """The 24 constants of step iota, from its linear feedback shift register (FIPS 202 section 3.2.5)."""
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = (register << 1) ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _rotations() -> tuple[tuple[int, int, int], ...]:
    """Steps rho and pi: for each lane but the first, where from, where to, how far turned (FIPS 202 section 3.2.2)."""
    moves, x, y = [], 1, 0
    for step in range(24):
        moves.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (step + 1) * (step + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return tuple(moves)


_CONSTANTS = _round_constants()
_MOVES = _rotations()


def _turn(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] on 25 lanes of 64 bits."""
    for constant in _CONSTANTS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [columns[(x - 1) % 5] ^ _turn(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved = lanes.copy()
        for source, target, by in _MOVES:
            moved[target] = _turn(lanes[source], by)
        lanes = [
            moved[place]
            ^ (~moved[place - place % 5 + (place + 1) % 5] & moved[place - place % 5 + (place + 2) % 5] & _MASK)
            for place in range(25)
        ]
        lanes[0] ^= constant
    return lanes


def sponge256(message: bytes, padding: int) -> bytes:
    """Digest of 32 bytes under a domain padding: 0x01 for Keccak-256, 0x06 for SHA3-256 (FIPS 202 section 6.1)."""
    padded = bytearray(message + bytes([padding]) + bytes(-(len(message) + 1) % _RATE))
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE):
        for place in range(_RATE // 8):
            lanes[place] ^= int.from_bytes(padded[start + 8 * place : start + 8 * place + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def keccak256(message: bytes) -> bytes:
    """Digest of 32 bytes, as Ethereum and Monero use it."""
    return sponge256(message, 0x01)
