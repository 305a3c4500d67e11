"""States, codes and allowed moves of holdings and their loads."""

from enum import StrEnum


class HitReveals(StrEnum):
    """What a confirmed match tells the partner."""

    EXISTENCE = "existence"
    """That this authority holds something on the selector, and whom to ask."""
    DATA = "data"
    """The whole entity as held."""


class ProtectionReason(StrEnum):
    """Why an item is never published."""

    COVERT = "covert"
    WITNESS = "witness"
    THIRD_PARTY = "third_party"


class HandlingCode(StrEnum):
    """Europol handling codes: what a recipient may do with what a hit reveals."""

    H0 = "H0"
    """Use for prevention and combat of crime."""
    H1 = "H1"
    """Not for use in judicial proceedings without permission of the provider."""
    H2 = "H2"
    """Not to be passed on without permission of the provider."""
    H3 = "H3"
    """Other restrictions, as the caveats say."""


class Tlp(StrEnum):
    """Traffic Light Protocol 2.0: how far the information may travel."""

    RED = "TLP:RED"
    AMBER_STRICT = "TLP:AMBER+STRICT"
    AMBER = "TLP:AMBER"
    GREEN = "TLP:GREEN"
    CLEAR = "TLP:CLEAR"


class HoldingState(StrEnum):
    """A holding serves until its retention date."""

    KEPT = "kept"
    EXPIRED = "expired"


class LoadState(StrEnum):
    """A load waits for its job, runs, and ends in one of two ways."""

    QUEUED = "queued"
    LOADING = "loading"
    DONE = "done"
    FAILED = "failed"


HOLDING_MOVES: dict[HoldingState, frozenset[HoldingState]] = {
    HoldingState.KEPT: frozenset({HoldingState.EXPIRED}),
    HoldingState.EXPIRED: frozenset(),
}
LOAD_MOVES: dict[LoadState, frozenset[LoadState]] = {
    LoadState.QUEUED: frozenset({LoadState.LOADING, LoadState.FAILED}),
    # A job whose worker was killed starts again from the beginning, so a load may be found already loading.
    LoadState.LOADING: frozenset({LoadState.LOADING, LoadState.DONE, LoadState.FAILED}),
    LoadState.DONE: frozenset(),
    LoadState.FAILED: frozenset(),
}
