"""Keys of an epoch: one VOPRF key a selector kind, all from one seed that is destroyed when the epoch ends.

The labels that go into a key separate protocol versions, holders, epochs, tiers and kinds: a partner evaluated under
its own tier's key learns nothing about what was published to another tier, or for another kind.
"""

from palermo.blind import voprf
from palermo.blind.errors import InputError
from palermo.blind.group import Random
from palermo.blind.voprf import KeyPair
from palermo.blind.wire import prefixed_all

PROTOCOL = "palermo-blind-v1"
SEED_BYTES = voprf.SEED_BYTES


def new_seed(rng: Random) -> bytes:
    """A fresh epoch seed, 32 bytes. Who holds it can test any guess against the filters: seal it, then destroy it."""
    return rng(SEED_BYTES)


def kind_key(seed: bytes, *, holder: str, epoch: str, tier: str, kind: str) -> KeyPair:
    """DeriveKeyPair (RFC 9497 section 3.2.1) from the seed and the length-prefixed labels."""
    if len(seed) != SEED_BYTES:
        raise InputError(f"an epoch seed is {SEED_BYTES} bytes, not {len(seed)}; make one with new_seed")
    return voprf.derive_key_pair(seed, prefixed_all(PROTOCOL, holder, epoch, kind, tier))


def oprf_input(kind: str, value: str) -> bytes:
    """What is tokenised: the length-prefixed kind and canonical form."""
    return prefixed_all(kind, value)
