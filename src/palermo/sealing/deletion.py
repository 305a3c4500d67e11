"""The deletion statement: an authority signs that it destroyed evidence, on what grounds, and where its log says so.

The log commits to the statement: its leaf holds the field :data:`STATEMENT_FIELD` with the statement's digest, and the
statement names the index that the leaf will have (whoever appends it holds the log). Once witnesses have cosigned a
checkpoint over that leaf, a :class:`LedgerProof` shows the statement to be neither made later nor taken back.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from palermo.sealing import dsse, merkle, records
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.directory import Directory
from palermo.sealing.errors import BindingError, FormatError, ProofError
from palermo.sealing.keys import Signer, VerifyKey
from palermo.sealing.leaf import verify_opened
from palermo.sealing.new_log import log_of
from palermo.sealing.package import LedgerProof
from palermo.sealing.quorum import Quorum, verify_quorum

STATEMENT_TYPE = "application/vnd.palermo.deletion-statement.v1"
STATEMENT_FIELD = "statement_sha256"
MAX_STATEMENT_BYTES = MAX_PROOF_BYTES = 2**20
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DeletedItem:
    """What is gone: its SHA-256 in hex, the package that brought it ("" for none), how many copies of it there were."""

    sha256: str
    package: str
    copies: int

    def __post_init__(self) -> None:
        """Refuse what names no bytes, or no copy of them."""
        if not _DIGEST.fullmatch(self.sha256) or self.copies < 1:
            raise FormatError("deletion statement", "an item is named by its SHA-256 and at least one copy")


@dataclass(frozen=True)
class DeletionStatement:
    """``cause``: "recall" (``recall``: its reference) or "retention" (``rule``: the rule, and the date it set).

    ``passed_on``: codes of the authorities to which the items had lawfully gone on, and whom this one now tells.
    ``ledger_index``: of the leaf that commits to this statement, in the log of ``authority``.
    """

    reference: str
    authority: str
    provider: str
    cause: str
    recall: str
    rule: str
    items: tuple[DeletedItem, ...]
    deleted_by: str
    deleted_at: datetime
    ledger_index: int
    passed_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a statement without items, or of no known cause."""
        if not self.items or self.cause not in ("recall", "retention") or bool(self.recall) != (self.cause == "recall"):
            raise FormatError("deletion statement", "states no item, or neither a recall nor the end of retention")


def sign_statement(statement: DeletionStatement, key: Signer) -> bytes:
    """The statement under the authority's signature."""
    return dsse.sign(STATEMENT_TYPE, records.to_bytes(statement), key)


def open_statement(signed: bytes, keys: Iterable[VerifyKey]) -> DeletionStatement:
    """The statement, its signature verified under one of its authority's keys. Raises SealingError."""
    if len(signed) > MAX_STATEMENT_BYTES:
        raise FormatError("deletion statement", "is too long")
    verified = dsse.verify(signed, dsse.by_id(*keys), payload_type=STATEMENT_TYPE, part="deletion statement")
    return records.from_bytes(DeletionStatement, verified.payload, "deletion statement")


def claimed_statement(signed: bytes) -> DeletionStatement:
    """What a statement claims to be, its signature not verified: to learn whose keys to look up. Raises FormatError."""
    if len(signed) > MAX_STATEMENT_BYTES:
        raise FormatError("deletion statement", "is too long")
    payload = dsse.parse(signed, "deletion statement").payload
    return records.from_bytes(DeletionStatement, payload, "deletion statement")


def statement_digest(signed: bytes) -> str:
    """SHA-256 in hex of the signed statement: the value of the leaf's field :data:`STATEMENT_FIELD`."""
    return hashlib.sha256(signed).hexdigest()


def read_proof(data: bytes) -> LedgerProof:
    """A proof as it travels. Raises FormatError."""
    return records.from_bytes(LedgerProof, data, "proof of deletion", max_bytes=MAX_PROOF_BYTES)


def verify_proof(signed: bytes, proof: LedgerProof, keys: Iterable[VerifyKey], directory: Directory) -> Quorum:
    """Check that the log of who deleted holds this statement, under a checkpoint of its own; count the witnesses.

    1. the leaf commits to the statement; 2. it stands where the statement says; 3. the authority signed a checkpoint of
    that size; 4. the log at that size holds the leaf; 5. each cosignature is a listed witness's and verifies. Whether
    they are enough is ``Quorum.reached``. Raises SealingError at the first step that fails.
    """
    keys = list(keys)
    statement = open_statement(signed, keys)
    opened = verify_opened(proof.leaf, proof.opened)
    if opened.get(STATEMENT_FIELD) != statement_digest(signed):
        raise BindingError("proof of deletion", "its leaf does not commit to this statement")
    log = log_of(directory, statement.authority, proof.new_logs)
    if (entry := log.first + proof.index) != statement.ledger_index:
        raise BindingError("proof of deletion", f"is of entry {entry}, not {statement.ledger_index}")
    checkpoint = verify_checkpoint(proof.checkpoint, *keys, origin=log.origin)
    if checkpoint.size != proof.size:
        raise ProofError("proof of deletion", f"the checkpoint has {checkpoint.size} entries, the proof {proof.size}")
    merkle.verify_inclusion(merkle.leaf_hash(proof.leaf), proof.index, proof.size, proof.hashes, checkpoint.root)
    return verify_quorum(proof.checkpoint, proof.cosignatures, directory, statement.authority)
