"""What crosses between two nodes about the use of evidence. Canonical JSON, read strictly, bounded.

An item is named by the provider's package that brought it and the SHA-256 of its bytes: both sides know these.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from palermo.node.evidence.uses import Use
from palermo.sealing import records

QUESTION_TYPE = "palermo/evidence.use-question+v1"
ANSWER_TYPE = "palermo/evidence.use-answer+v1"
NOTICE_TYPE = "palermo/evidence.disclosure-notice+v1"
CONSULTATION_TYPE = "palermo/evidence.consultation+v1"
RECALL_TYPE = "palermo/evidence.recall+v1"
RECALL_ANSWER_TYPE = "palermo/evidence.recall-answer+v1"
STATEMENT_TYPE = "palermo/evidence.deletion-statement+v1"
MAX_BYTES = 2**18
MAX_STATEMENT_BYTES = 2**22


class _Message:
    """What all of them share."""

    def to_bytes(self) -> bytes:
        """Its canonical bytes."""
        return records.to_bytes(self)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read one. Raises ``FormatError`` for anything else."""
        return records.from_bytes(cls, data, "message about evidence", max_bytes=MAX_BYTES)


@dataclass(frozen=True)
class QuestionMessage(_Message):
    """May this item be used so (UNTOC Art. 18(19), 18(5))? ``recipient``, ``target``: as in ``uses.Intent``."""

    reference: str
    package: str
    sha256: str
    use: Use
    recipient: str
    target: str
    intended: str
    legal_basis: str
    reasons: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True)
class AnswerMessage(_Message):
    """The provider's answer: ``outcome`` is "granted", "refused", or "withdrawn" for what was granted before."""

    reference: str
    outcome: str
    reasons: str
    decided_by: str
    decided_at: datetime
    conditions: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class NoticeMessage(_Message):
    """Notice that the item is to be disclosed as exculpatory. ``exceptional``: why it is told only afterwards."""

    reference: str
    package: str
    sha256: str
    article: str
    why: str
    proceedings: str
    given_by: str
    given_at: datetime
    planned_at: datetime
    exceptional: str = ""


@dataclass(frozen=True)
class ConsultationMessage(_Message):
    """One step after a notice: ``kind`` is "asked", "said", "ended", "disclosed" or "dropped"."""

    reference: str
    kind: str
    text: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RecallMessage(_Message):
    """The provider takes back an item that it gave."""

    reference: str
    package: str
    sha256: str
    reason: str
    recalled_by: str
    recalled_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class RecallAnswerMessage(_Message):
    """The holder keeps the item, on this ground. (Of a deletion the statement tells.)"""

    reference: str
    ground: str
    provision: str
    reasons: str
    answered_by: str
    answered_at: datetime


@dataclass(frozen=True)
class StatementMessage(_Message):
    """A signed deletion statement, or (``proof``) the proof that its log holds it, witnessed.

    ``recall``: the recipient's recall that it answers. ``signed`` is sent each time: the proof is of these bytes.
    """

    recall: str
    signed: bytes
    proof: bytes = b""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read one. Raises ``FormatError`` for anything else."""
        return records.from_bytes(cls, data, "deletion statement", max_bytes=MAX_STATEMENT_BYTES)
