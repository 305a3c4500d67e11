"""What can become of a file, at its sender and at its recipient."""

from enum import StrEnum


class Sending(StrEnum):
    """The sender's knowledge. Only a verified receipt makes a file taken or refused."""

    SEALING = "sealing"
    SENDING = "sending"
    TAKEN = "taken"
    REFUSED = "refused"
    ENDED = "ended"  # its time ran out, or its message was not taken


class Arriving(StrEnum):
    """The recipient's side."""

    ARRIVING = "arriving"
    WHOLE = "whole"
    TAKEN = "taken"
    REFUSED = "refused"


_S, _A = Sending, Arriving

SENDING_MOVES: dict[Sending, frozenset[Sending]] = {
    _S.SEALING: frozenset({_S.SENDING, _S.ENDED}),
    # Back to sealing when the sealed file is gone: this node was restored from a back-up.
    _S.SENDING: frozenset({_S.TAKEN, _S.REFUSED, _S.ENDED, _S.SEALING}),
    _S.TAKEN: frozenset(),
    _S.REFUSED: frozenset(),
    # The recipient may have taken the file though its receipt never came: a late one still says so.
    _S.ENDED: frozenset({_S.TAKEN, _S.REFUSED}),
}
ARRIVING_MOVES: dict[Arriving, frozenset[Arriving]] = {
    _A.ARRIVING: frozenset({_A.WHOLE, _A.REFUSED}),
    _A.WHOLE: frozenset({_A.TAKEN, _A.REFUSED, _A.ARRIVING}),  # back when pieces are gone: restored from a back-up
    _A.TAKEN: frozenset(),
    _A.REFUSED: frozenset(),
}
SENDING_OPEN = (Sending.SEALING, Sending.SENDING)
ARRIVING_OPEN = (Arriving.ARRIVING, Arriving.WHOLE)
