"""What can go wrong in a blind match: each a :class:`BlindError` that names what failed and says what to do next."""


class BlindError(Exception):
    """Base class of this room's errors; ``str(error)`` is a sentence a person understands."""


class InputError(BlindError):
    """What the caller handed in cannot be used: a kind, a value, a date, a seed."""


class MalformedError(BlindError):
    """Bytes from outside are not the one strict encoding of what they claim to be.

    ``what`` names the message or file, ``reason`` the rule it breaks.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = reason
        super().__init__(f"the {what} is malformed: {reason}; refuse it and ask its sender for a new one")


class GroupError(BlindError):
    """Bytes are no usable element of ristretto255: not canonical, not on the curve, or the identity."""


class ProofError(BlindError):
    """The evaluation was not made with the key that the manifest names (RFC 9497 section 2.2.2)."""


class ManifestError(BlindError):
    """A manifest, filter or publication does not fit the other: another epoch, key, digest, or out of date."""


class FilterError(BlindError):
    """A filter could not be built."""


class MismatchError(BlindError):
    """A message is well formed but belongs to another run, party, manifest or message."""


class RunStateError(BlindError):
    """A step was asked for out of order, or twice with different content: runs are single-use."""


class AnswerError(BlindError):
    """The holder confirmed what it cannot know: a MAC that does not verify, or a random padding locator."""
