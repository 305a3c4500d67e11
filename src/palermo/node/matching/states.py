"""States of epochs and runs, verdicts, and the allowed moves."""

from enum import StrEnum


class EpochState(StrEnum):
    """An epoch is published in the background, then open until its seed is destroyed."""

    PUBLISHING = "publishing"
    OPEN = "open"
    CLOSED = "closed"


class RunState(StrEnum):
    """A run as the querier sees it. Only who starts it in a flagged case finds it in review."""

    REVIEW = "review"
    PREPARING = "preparing"
    ASKED = "asked"
    CONFIRMING = "confirming"
    DONE = "done"
    FAILED = "failed"


class HeldRunState(StrEnum):
    """A partner's run as the holder sees it."""

    ASKED = "asked"
    EVALUATED = "evaluated"
    ANSWERED = "answered"
    FAILED = "failed"


class Verdict(StrEnum):
    """What a person judged a hit to be; a hit without judgement waits."""

    WAITING = ""
    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


EPOCH_MOVES: dict[EpochState, frozenset[EpochState]] = {
    EpochState.PUBLISHING: frozenset({EpochState.OPEN, EpochState.CLOSED}),
    EpochState.OPEN: frozenset({EpochState.CLOSED}),
    EpochState.CLOSED: frozenset(),
}
RUN_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.REVIEW: frozenset({RunState.PREPARING, RunState.FAILED}),
    RunState.PREPARING: frozenset({RunState.ASKED, RunState.FAILED}),
    RunState.ASKED: frozenset({RunState.CONFIRMING, RunState.FAILED}),
    RunState.CONFIRMING: frozenset({RunState.DONE, RunState.FAILED}),
    RunState.DONE: frozenset(),
    RunState.FAILED: frozenset(),
}
HELD_RUN_MOVES: dict[HeldRunState, frozenset[HeldRunState]] = {
    HeldRunState.ASKED: frozenset({HeldRunState.EVALUATED, HeldRunState.FAILED}),
    HeldRunState.EVALUATED: frozenset({HeldRunState.ANSWERED, HeldRunState.FAILED}),
    HeldRunState.ANSWERED: frozenset(),
    HeldRunState.FAILED: frozenset(),
}
