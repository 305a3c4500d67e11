"""Where questions, notices and recalls stand, as tables of allowed moves. Each side's moves follow signed messages."""

from enum import StrEnum


class Direction(StrEnum):
    """Whether we wrote first, or a partner did."""

    OUT = "out"
    IN = "in"


class PackageState(StrEnum):
    """A package of ours waits for witnesses and time stamp before it is sealed."""

    WAITING = "waiting"
    SEALED = "sealed"


class QuestionState(StrEnum):
    """A question for consent."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    UNDELIVERED = "undelivered"


class NoticeState(StrEnum):
    """A notice of exculpatory disclosure. While its provider asks to be consulted, the disclosure waits."""

    GIVEN = "given"
    CONSULTING = "consulting"
    DISCLOSED = "disclosed"
    DROPPED = "dropped"


class RecallState(StrEnum):
    """A recall: silence is ``recalled`` past its date, which the clock shows."""

    RECALLED = "recalled"
    KEPT = "kept"
    DELETED = "deleted"
    UNDELIVERED = "undelivered"


_Q, _N, _R = QuestionState, NoticeState, RecallState

QUESTION_MOVES: dict[QuestionState, frozenset[QuestionState]] = {
    _Q.ASKED: frozenset({_Q.GRANTED, _Q.REFUSED, _Q.UNDELIVERED}),
    _Q.GRANTED: frozenset({_Q.WITHDRAWN}),
    _Q.UNDELIVERED: frozenset({_Q.GRANTED, _Q.REFUSED}),
    _Q.REFUSED: frozenset(),
    _Q.WITHDRAWN: frozenset(),
}
NOTICE_MOVES: dict[NoticeState, frozenset[NoticeState]] = {
    _N.GIVEN: frozenset({_N.CONSULTING, _N.DISCLOSED, _N.DROPPED}),
    _N.CONSULTING: frozenset({_N.GIVEN, _N.DROPPED}),
    _N.DISCLOSED: frozenset(),
    _N.DROPPED: frozenset(),
}
RECALL_MOVES: dict[RecallState, frozenset[RecallState]] = {
    _R.RECALLED: frozenset({_R.KEPT, _R.DELETED, _R.UNDELIVERED}),
    _R.UNDELIVERED: frozenset({_R.KEPT, _R.DELETED}),
    _R.KEPT: frozenset({_R.DELETED}),
    _R.DELETED: frozenset(),
}
