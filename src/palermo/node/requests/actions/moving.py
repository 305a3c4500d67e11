"""The one place where a request's state changes: only along the table of moves."""

from datetime import datetime

from palermo.node.cases import actions as cases
from palermo.node.cases import queries as case_queries
from palermo.node.cases.states import EventKind
from palermo.node.office.errors import ConflictError
from palermo.node.office.policy import Actor
from palermo.node.requests import dossier
from palermo.node.requests.models import Request
from palermo.node.requests.states import Direction, State, may_move


class WrongStateError(ConflictError):
    """The request stands where this step is not possible. ``state``: where it stands."""

    def __init__(self, reference: str, state: State, step: str) -> None:
        super().__init__(f"Request {reference} is {state.value}: it cannot be {step} now.")
        self.state = state


def settle(request: Request) -> State:
    """Write down what the second person decided meanwhile, and return where the request stands."""
    state = dossier.state_of(request)
    if state != request.state:
        move(request, state, "settled")
    return state


def move(request: Request, state: State, step: str) -> None:
    """Take a request to another state; the caller saves it. Raises :class:`WrongStateError` off the table."""
    now_in = State(request.state)
    if not may_move(Direction(request.direction), now_in, state):
        raise WrongStateError(request.reference, now_in, step)
    request.state = state


def require_open_case(case: str) -> None:
    """Refuse a closed case: nothing is added to it or leaves it."""
    if case_queries.facts(case).state != "open":
        raise ConflictError("This case is closed. Open a new one for what comes now.")


def tell(request: Request, text: str, *, officer: Actor | None, now: datetime) -> None:
    """Write what happened to a request into its case's time line."""
    cases.record(
        request.case_id,
        kind=EventKind.REQUEST,
        text=text,
        link=f"/requests/{request.reference}/",
        officer=officer.pk if officer else None,
        now=now,
    )
