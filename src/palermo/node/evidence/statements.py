"""Make, keep and prove deletion statements: signed, entered in this node's log, and witnessed when witnesses sign."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.evidence.models import Item, Recall, Statement
from palermo.node.evidence.states import Direction
from palermo.node.ledger import actions as ledger
from palermo.node.ledger import queries as ledger_queries
from palermo.node.office.actions import next_reference
from palermo.sealing import deletion, records
from palermo.sealing.directory import Directory, open_directory
from palermo.sealing.errors import BindingError
from palermo.sealing.leaf import open_fields
from palermo.sealing.package import LedgerProof

ENTRY_KIND = "evidence.destroyed"
_SHOWN = ("kind", "counterparty", "recorded_at", deletion.STATEMENT_FIELD)


def make(
    items: Sequence[Item],
    *,
    provider: str,
    recall: Recall | None,
    rule: str,
    copies: dict[str, int],
    passed_on: Sequence[str],
    deleted_by: str,
    now: datetime,
) -> Statement:
    """Sign that these items are gone and enter it in the log, in the caller's transaction.

    ``copies``: how many copies of each were destroyed, by SHA-256. The log is held until the transaction ends, so the
    index that the statement names is the one that its entry gets.
    """
    ledger.hold()
    index = ledger_queries.size()
    reference = next_reference(f"{directory.own_code()}-DEL", now=now)
    by_digest = {(item.sha256, item.package.reference if item.package else "") for item in items}
    said = deletion.DeletionStatement(
        reference=reference,
        authority=directory.own_code(),
        provider=provider,
        cause="recall" if recall else "retention",
        recall=recall.reference if recall else "",
        rule=rule,
        items=tuple(deletion.DeletedItem(sha256, package, copies[sha256]) for sha256, package in sorted(by_digest)),
        deleted_by=deleted_by,
        deleted_at=now,
        ledger_index=index,
        passed_on=tuple(sorted(passed_on)),
    )
    signed = deletion.sign_statement(said, own_keys.signing_key())
    digest = deletion.statement_digest(signed)
    entry = ledger.append(
        kind=ENTRY_KIND,
        counterparty=provider or directory.own_code(),
        fields={deletion.STATEMENT_FIELD: digest, "statement": reference, "recall": said.recall},
        now=now,
    )
    if entry.index != index:
        raise RuntimeError("the log grew while it was held")
    statement = Statement.objects.create(
        reference=reference,
        direction=Direction.OUT,
        recall=recall,
        signed=signed,
        digest=digest,
        ledger_index=index,
        made_at=now,
    )
    statement.items.set(items)
    return statement


claimed = deletion.claimed_statement


def opened(statement: Statement) -> deletion.DeletionStatement:
    """What a stored statement says, its signature verified under its authority's keys."""
    code = statement.partner or directory.own_code()
    return deletion.open_statement(bytes(statement.signed), directory.verify_keys(code))


def prove(statement: Statement, *, now: datetime) -> bool:
    """Keep the proof of our own statement once a checkpoint that enough witnesses cosigned covers its entry.

    Where the directory lists no witnesses of two states, the newest checkpoint has to do. False while none covers it.
    """
    found = ledger_queries.newest_cosigned(ledger_queries.log_of(statement.ledger_index))
    if found is None and ledger_queries.quorum_possible():
        return False
    if found is None:
        ledger.checkpoint(now=now)
    if found is not None and not found.covers(statement.ledger_index):
        return False
    proof = ledger_queries.inclusion(statement.ledger_index, found.size if found else None)
    cosignatures = found.cosignatures if found else ()
    statement.proof = records.to_bytes(
        LedgerProof(
            leaf=proof.leaf,
            opened=open_fields(ledger_queries.opened(statement.ledger_index), _SHOWN),
            index=proof.index,
            size=proof.size,
            hashes=proof.hashes,
            checkpoint=proof.checkpoint,
            cosignatures=tuple(cosignatures),
            new_logs=proof.new_logs,
        )
    )
    statement.witnesses, statement.proven_at = [one.witness for one in cosignatures], now
    statement.save(update_fields=["proof", "witnesses", "proven_at"])
    return True


def take_in(
    authority: str, signed: bytes, recall: Recall, item: Item, now: datetime
) -> tuple[Statement, deletion.DeletionStatement]:
    """Keep a partner's statement, verified; the same bytes again are one row. Raises ``SealingError``."""
    said = deletion.open_statement(signed, directory.verify_keys(authority))
    statement, created = Statement.objects.get_or_create(
        reference=said.reference,
        defaults={
            "direction": Direction.IN,
            "partner": authority,
            "recall": recall,
            "signed": signed,
            "digest": deletion.statement_digest(signed),
            "ledger_index": said.ledger_index,
            "made_at": said.deleted_at,
        },
    )
    if not created and hashlib.sha256(bytes(statement.signed)).hexdigest() != deletion.statement_digest(signed):
        raise BindingError("deletion statement", "another statement of this reference was received before")
    statement.items.add(item)
    return statement, said


def keep_proof(statement: Statement, data: bytes, *, now: datetime) -> None:
    """Verify a partner's proof under the directory in force and keep it. Raises ``SealingError``."""
    proof = deletion.read_proof(data)
    keys = directory.verify_keys(statement.partner)
    quorum = deletion.verify_proof(bytes(statement.signed), proof, keys, _directory_in_force())
    statement.proof, statement.witnesses, statement.proven_at = data, list(quorum.signed), now
    statement.save(update_fields=["proof", "witnesses", "proven_at"])


def _directory_in_force() -> Directory:
    return open_directory(directory.directory_bytes(), directory.trust())
