"""Writes of the ledger: an entry, a signed checkpoint, a cosignature given or taken, a checkpoint that was seen."""

from palermo.node.ledger.actions.accepting import accept_new_log
from palermo.node.ledger.actions.appending import (
    Disclosure,
    RestoredError,
    append,
    append_all,
    hold,
    require_whole,
)
from palermo.node.ledger.actions.histories import (
    acknowledge_second_history,
    asked_for_proof,
    name_unproven,
    take_proof,
    witness,
    witness_own,
)
from palermo.node.ledger.actions.new_logs import draft, open_new_log, tell
from palermo.node.ledger.actions.recovering import forget_returned, recover
from palermo.node.ledger.actions.retention import destroy, destroy_due
from palermo.node.ledger.actions.returning import keep_returned
from palermo.node.ledger.actions.signing import checkpoint, close_interval, current_checkpoint
from palermo.node.ledger.actions.witnessing import cosign, next_request, take_answer

__all__ = [
    "Disclosure",
    "RestoredError",
    "accept_new_log",
    "acknowledge_second_history",
    "append",
    "append_all",
    "asked_for_proof",
    "checkpoint",
    "close_interval",
    "cosign",
    "current_checkpoint",
    "destroy",
    "destroy_due",
    "draft",
    "forget_returned",
    "hold",
    "keep_returned",
    "name_unproven",
    "next_request",
    "open_new_log",
    "recover",
    "require_whole",
    "take_answer",
    "take_proof",
    "tell",
    "witness",
    "witness_own",
]
