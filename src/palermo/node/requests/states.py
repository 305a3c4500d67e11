"""The life of a request on each side, as tables of allowed moves.

Ours: draft, awaiting approval, approved, sent, then what the partner answers (accepted, postponed, executed, refused),
and closed. A partner's: received, then what we answer. Editing takes ours back to draft, and so does a partner's node
that rejects the message; a rejected answer of ours takes theirs back to where it stood (:data:`RETURNS`).

After sending, each side's state follows from signed messages alone, so that both can be derived again from them.
"""

from enum import StrEnum


class Direction(StrEnum):
    """Whether we asked or were asked."""

    OUT = "out"
    IN = "in"


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting approval"
    APPROVED = "approved"
    SENT = "sent"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    POSTPONED = "postponed"
    EXECUTED = "executed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What an answer says. Each outcome is also the state that it leads to."""

    ACCEPTED = "accepted"
    EXECUTED = "executed"
    POSTPONED = "postponed"
    REFUSED = "refused"


_ANSWERS = frozenset({State.ACCEPTED, State.POSTPONED, State.EXECUTED, State.REFUSED})

MOVES_OUT: dict[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.AWAITING_APPROVAL, State.WITHDRAWN}),
    State.AWAITING_APPROVAL: frozenset({State.APPROVED, State.DRAFT, State.WITHDRAWN}),
    State.APPROVED: frozenset({State.SENT, State.DRAFT, State.WITHDRAWN}),
    State.SENT: _ANSWERS,
    State.ACCEPTED: frozenset({State.EXECUTED, State.POSTPONED, State.REFUSED}),
    State.POSTPONED: frozenset({State.ACCEPTED, State.EXECUTED, State.REFUSED}),
    State.EXECUTED: frozenset({State.CLOSED}),
    State.REFUSED: frozenset({State.CLOSED}),
    State.WITHDRAWN: frozenset(),
    State.CLOSED: frozenset(),
}

MOVES_IN: dict[State, frozenset[State]] = {
    State.RECEIVED: _ANSWERS,
    State.ACCEPTED: frozenset({State.EXECUTED, State.POSTPONED, State.REFUSED}),
    State.POSTPONED: frozenset({State.ACCEPTED, State.EXECUTED, State.REFUSED}),
    State.EXECUTED: frozenset(),
    State.REFUSED: frozenset(),
}

MOVES: dict[Direction, dict[State, frozenset[State]]] = {Direction.OUT: MOVES_OUT, Direction.IN: MOVES_IN}


RETURNS: dict[Direction, dict[State, frozenset[State]]] = {
    Direction.OUT: {State.SENT: frozenset({State.DRAFT})},
    Direction.IN: {state: frozenset({State.RECEIVED, State.ACCEPTED, State.POSTPONED}) - {state} for state in _ANSWERS},
}


def may_move(direction: Direction, old: State, new: State) -> bool:
    """Whether a request of this direction may go from one state to the other."""
    return new in MOVES[direction].get(old, frozenset())
