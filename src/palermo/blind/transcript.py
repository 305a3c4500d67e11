"""What both MACs of a run are computed over, so that neither means anything outside that run."""

import hmac
from typing import NamedTuple

from palermo.blind.wire import prefixed_all

MAC_BYTES = 32


class Transcript(NamedTuple):
    """Run id, both authorities, manifest digest, commitment root of the querier's inputs, digest of the evaluation."""

    run_id: str
    querier: str
    holder: str
    manifest_digest: bytes
    commitment_root: bytes
    evaluation_digest: bytes

    def mac(self, key: bytes) -> bytes:
        """HMAC-SHA256 of the transcript under a token's querier key or holder key."""
        return hmac.digest(key, prefixed_all("palermo-blind-v1 transcript", *self), "sha256")

    def verifies(self, key: bytes, mac: bytes) -> bool:
        """Whether ``mac`` is this transcript's under ``key``, in constant time."""
        return hmac.compare_digest(self.mac(key), mac)
