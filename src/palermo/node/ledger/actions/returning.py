"""What witnesses give back of this node's log, kept until the log is recovered from it."""

from datetime import datetime

from django.db import transaction

from palermo.node.directory import cosigners
from palermo.node.ledger import logs
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.cosigned import own_witnesses
from palermo.node.ledger.models import ReturnedTiles
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import TrustError
from palermo.sealing.witnessing import TilesAnswer


@transaction.atomic
def keep_returned(witness: str, answer: TilesAnswer, *, now: datetime) -> None:
    """Keep leaf hashes that a witness gave back, with the checkpoint of this log that it last cosigned.

    Whether the hashes lead to that checkpoint's root is seen when all are here (``queries.returned``). Raises
    ``TrustError`` for one who is no witness, ``SealingError`` for a checkpoint or lines that do not verify.
    """
    if witness not in own_witnesses():
        raise TrustError("tiles", f"{witness} is no listed witness of this log")
    if answer.held:
        verify_checkpoint(answer.held, *own_verify_keys(), origin=logs.own().origin)
        cosigners.verify_kept(witness, answer.held, answer.lines)
    kept = {"hashes": answer.hashes, "text": answer.held, "lines": answer.lines, "returned_at": now}
    ReturnedTiles.objects.update_or_create(witness=witness, start=answer.start, defaults=kept)
