"""The stage statement: signed evidence of one step of a message's way, whoever took that step.

A message goes through submission, relay (where there is one), delivery and retrieval; each ends well or badly. The node
that saw it signs what it saw. The delivery of a message has the recipient's own receipt
(:mod:`palermo.sealing.receipt`), which says more: its statement here is for deliveries that failed.

Source: the evidences of e-CODEX and of registered electronic mail, ETSI EN 319 522-2 (SubmissionAcceptance,
RelayAcceptance, ContentConsignment, ContentHandover and their opposites).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from palermo.sealing import dsse, parcel, records
from palermo.sealing.directory import CODE, CODE_RULE
from palermo.sealing.errors import FormatError
from palermo.sealing.keys import Signer, VerifyKey

STAGE_TYPE = "application/vnd.palermo.stage.v1"
MAX_REASON = 2000
MAX_NAMED = 64
MAX_STATEMENT_BYTES = 32 << 10

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Stage(StrEnum):
    """How one step ended."""

    SUBMISSION_ACCEPTED = "submission-accepted"
    SUBMISSION_REJECTED = "submission-rejected"
    RELAYED = "relayed"
    RELAY_FAILED = "relay-failed"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    RETRIEVED = "retrieved"
    NOT_RETRIEVED = "not-retrieved"


STEPS = (
    (Stage.SUBMISSION_ACCEPTED, Stage.SUBMISSION_REJECTED),
    (Stage.RELAYED, Stage.RELAY_FAILED),
    (Stage.DELIVERED, Stage.NOT_DELIVERED),
    (Stage.RETRIEVED, Stage.NOT_RETRIEVED),
)
FAILURES = frozenset(bad for _, bad in STEPS)


@dataclass(frozen=True, kw_only=True)
class StageReceipt:
    """What is signed. ``sender`` and ``recipient`` are those of the message; ``issuer`` signs.

    ``message_id`` is "" where the issuer cannot know it (a relay), ``envelope_digest`` (SHA-256, hex) where no envelope
    was made (a rejected submission): one of both is there. A rejected submission states ``recipient`` as it was given,
    a code or not, "" if it named nobody.
    ``reason``: why a step failed, as a sentence; every failure states one. Raises FormatError for values outside.
    """

    stage: Stage
    message_id: str
    envelope_digest: str
    sender: str
    recipient: str
    issuer: str
    at: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node signs."""
        refused = self.stage is Stage.SUBMISSION_REJECTED
        for name in ("sender", "issuer") if refused else ("sender", "issuer", "recipient"):
            if not CODE.fullmatch(getattr(self, name)):
                raise FormatError(f"stage.{name}", CODE_RULE)
        if len(self.recipient) > MAX_NAMED:
            raise FormatError("stage.recipient", f"longer than {MAX_NAMED} characters")
        if self.message_id and not parcel.ID.fullmatch(self.message_id):
            raise FormatError("stage.message_id", "not up to 64 letters, digits, dots, dashes or underscores")
        if self.envelope_digest and not _DIGEST.fullmatch(self.envelope_digest):
            raise FormatError("stage.envelope_digest", "not 64 hex digits")
        if not (self.message_id or self.envelope_digest):
            raise FormatError("stage", "names no message: it has neither an id nor a digest")
        if self.at.tzinfo is None:
            raise FormatError("stage.at", "has no time zone")
        if len(self.reason) > MAX_REASON or "\0" in self.reason:
            raise FormatError("stage.reason", f"longer than {MAX_REASON} characters, or with a NUL")
        if (self.stage in FAILURES) != bool(self.reason):
            raise FormatError("stage.reason", "a failure states why, and nothing else does")


def sign_stage(statement: StageReceipt, key: Signer) -> bytes:
    """Sign a statement as the issuer that it names."""
    return dsse.sign(STAGE_TYPE, records.to_bytes(statement), key)


def parse_stage(data: bytes) -> StageReceipt:
    """Read a statement without verifying it, to learn whose keys to look up. Raises FormatError."""
    return _read(_parsed(data).payload)


def verify_stage(data: bytes, keys: Mapping[str, VerifyKey] | Sequence[VerifyKey]) -> StageReceipt:
    """Read and verify a statement under its issuer's keys. Raises FormatError, UnknownKeyError, SignatureError.

    Whether the issuer is one that may say this, and about which message, is for the caller to judge.
    """
    by_id = keys if isinstance(keys, Mapping) else dsse.by_id(*keys)
    return _read(dsse.verify_parsed(_parsed(data), by_id, payload_type=STAGE_TYPE, part="stage").payload)


def _parsed(data: bytes) -> dsse.Unverified:
    if len(data) > MAX_STATEMENT_BYTES:
        raise FormatError("stage", f"{len(data)} bytes, more than the {MAX_STATEMENT_BYTES} allowed")
    return dsse.parse(data, "stage")


def _read(payload: bytes) -> StageReceipt:
    return records.from_bytes(StageReceipt, payload, "stage")
