"""Sign, encrypt, package, log: the cryptography of Palermo, without Django and without a network.

It rests on published standards only: DSSE with Ed25519 and ML-DSA-65 (both must verify), HPKE with ML-KEM-768 + X25519,
RFC 6962 Merkle trees, C2SP checkpoints and tiles, BagIt. What a partner sends is hostile until verified: every parser
bounds size and depth, re-encodes and compares, and raises nothing but :class:`palermo.sealing.errors.SealingError`.
"""
