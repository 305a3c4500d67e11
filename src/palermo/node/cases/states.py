"""States of a case, and the flags that stop what leaves it for a second officer's review."""

from enum import StrEnum


class CaseState(StrEnum):
    """A case is open until its team closes it."""

    OPEN = "open"
    CLOSED = "closed"


class Neutrality(StrEnum):
    """A character that INTERPOL's Constitution Art. 3 bars; such a case is stopped for a second officer's review."""

    NONE = ""
    POLITICAL = "political"
    MILITARY = "military"
    RELIGIOUS = "religious"
    RACIAL = "racial"


class EventKind(StrEnum):
    """What a line of the time line tells."""

    OPENED = "opened"
    MEMBER_ADDED = "member_added"
    MEMBER_REMOVED = "member_removed"
    SUBJECT_ADDED = "subject_added"
    FLAG = "flag"
    NOTE = "note"
    REDACTED = "redacted"
    HIT = "hit"
    RUN = "run"
    JUDGEMENT = "judgement"
    REQUEST = "request"
    EVIDENCE = "evidence"
    CLOSED = "closed"


CASE_MOVES: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.CLOSED}),
    CaseState.CLOSED: frozenset(),
}
