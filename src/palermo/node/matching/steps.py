"""What all steps of a run share: message ids that a repetition meets again, job keys, and moves between states."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from palermo.node.matching.models import HeldRun, Run
from palermo.node.matching.states import HELD_RUN_MOVES, RUN_MOVES, HeldRunState, RunState
from palermo.node.office import jobs
from palermo.node.office.errors import ConflictError


class Step(StrEnum):
    """The heavy steps, each a kind of job."""

    PUBLISH = "matching.publish"
    OFFER = "matching.offer"
    PREPARE = "matching.prepare"
    EVALUATE = "matching.evaluate"
    FINALIZE = "matching.finalize"
    CONFIRM = "matching.confirm"
    CONCLUDE = "matching.conclude"
    REFUSE = "matching.refuse"


def message_id(*parts: str) -> str:
    """The id of the one message that a step sends, so that a step that runs twice sends it once.

    For a step of a run, the parts are payload type, run id, querier and holder: another querier that takes the same
    run id gets in nobody's way.
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def job_key(step: Step, *parts: str) -> str:
    """The key of the one job that does this step."""
    return ":".join([step, *parts])


def enqueue(step: Step, *parts: str, now: datetime, **payload: Any) -> None:
    """Queue a step, once."""
    jobs.enqueue(step, job_key(step, *parts), payload, now=now)


def move_run(run: Run, state: RunState, **fields: object) -> None:
    """Move a locked run of ours and save it; one that ends forgets its secrets. Raises `ConflictError`."""
    _require_move(RUN_MOVES, RunState(run.state), state)
    ended = state in (RunState.DONE, RunState.FAILED)
    _save(run, state, fields | ({"querier_state": None, "inbound": None} if ended else {}))


def move_held_run(run: HeldRun, state: HeldRunState, **fields: object) -> None:
    """Move a partner's locked run and save it; one that ends forgets what was asked. Raises `ConflictError`."""
    _require_move(HELD_RUN_MOVES, HeldRunState(run.state), state)
    ended = state in (HeldRunState.ANSWERED, HeldRunState.FAILED)
    _save(run, state, fields | ({"holder_state": None, "inbound": None} if ended else {}))


def _require_move(moves: Mapping[Any, frozenset[Any]], before: StrEnum, after: StrEnum) -> None:
    if after not in moves[before]:
        raise ConflictError(f"This run is {before}: it cannot become {after}.")


def _save(run: Run | HeldRun, state: StrEnum, fields: Mapping[str, object]) -> None:
    run.state = state
    for name, value in fields.items():
        setattr(run, name, value)
    run.save(update_fields=["state", *fields])
