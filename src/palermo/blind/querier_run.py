"""The state of a querier's run as it is stored between steps. It holds secrets: see :mod:`palermo.blind.querier`."""

from enum import IntEnum
from typing import NamedTuple, Self

from palermo.blind.errors import MalformedError
from palermo.blind.wire import Reader, counted, prefixed, prefixed_all

_MAGIC = b"palermo-blind-querier-run-v1\n"
_MAX_BYTES = 2**31

Refs = dict[tuple[str, str], tuple[str, ...]]
"""The querier's own references by (kind, value)."""


class Stage(IntEnum):
    """How far a run has come."""

    REQUESTED = 1
    CONFIRMING = 2
    CONCLUDED = 3


class Asked(NamedTuple):
    """One blinded element of the request: its kind, value and blind; a dummy has an empty value and no blind."""

    kind: str
    value: str
    blind: bytes


class Positive(NamedTuple):
    """A value that passed the filter and waits for the holder's MAC."""

    kind: str
    value: str
    locator: bytes
    holder_key: bytes


class QuerierRun(NamedTuple):
    """Everything a querier remembers. Once finalised, ``secret`` and ``asked`` are empty, ``request`` has no elements
    and ``refs`` only those of the positives; once concluded, only ``request`` is left."""

    stage: Stage
    secret: bytes
    request: bytes
    asked: list[Asked]
    refs: Refs
    evaluation_digest: bytes
    confirm: bytes
    positives: list[Positive]

    def to_bytes(self) -> bytes:
        """The one encoding."""
        refs = (
            prefixed_all(*name) + counted(map(prefixed, map(str.encode, listed))) for name, listed in self.refs.items()
        )
        return b"".join(
            [
                _MAGIC,
                bytes([self.stage]),
                prefixed_all(self.secret, self.evaluation_digest),
                _block(self.request),
                _block(self.confirm),
                counted(prefixed_all(*one) for one in self.asked),
                counted(prefixed_all(*one) for one in self.positives),
                counted(refs),
            ]
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Parse strictly. Raises :class:`MalformedError`."""
        reader = Reader("querier's run state", data, _MAGIC, _MAX_BYTES)
        stage = reader.integer(1)
        if stage not in set(Stage):
            raise MalformedError("querier's run state", f"there is no stage {stage}")
        secret, evaluation_digest = reader.field(), reader.field()
        request, confirm = (reader.take(reader.integer(4)) for _ in range(2))
        asked = [Asked(reader.text(), reader.text(), reader.field()) for _ in range(reader.integer(4))]
        positives = [
            Positive(reader.text(), reader.text(), reader.field(), reader.field()) for _ in range(reader.integer(4))
        ]
        refs = {
            (reader.text(), reader.text()): tuple(reader.text() for _ in range(reader.integer(4)))
            for _ in range(reader.integer(4))
        }
        reader.finish()
        return cls(Stage(stage), secret, request, asked, refs, evaluation_digest, confirm, positives)


def _block(data: bytes) -> bytes:
    """``data`` after its length in four bytes."""
    return len(data).to_bytes(4) + data
