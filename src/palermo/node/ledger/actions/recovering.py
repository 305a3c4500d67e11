"""Recovering the log of a restored node from the tiles that its witnesses keep.

The entries after the back-up are lost; their hashes are not. They are put back, so that the log goes on from the last
checkpoint that a witness cosigned, and an entry says which ones they are: nobody sees two histories.
"""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.directory import cosigners
from palermo.node.ledger import kept, logs, tree
from palermo.node.ledger.actions.appending import Disclosure, append_to
from palermo.node.ledger.actions.retention import DESTROYED, STATEMENT
from palermo.node.ledger.cosigned import own_checkpoints, own_witnesses
from palermo.node.ledger.kept import Returned
from palermo.node.ledger.models import Checkpoint, Cosignature, Entry, Log, ReturnedTiles
from palermo.node.ledger.ranges import write_ranges
from palermo.node.office.errors import NotFoundError
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import ProofError

PATIENCE = timedelta(hours=1)
"""How long after the first answer the other witnesses are waited for, where more than half have answered."""


def forget_returned() -> None:
    """Drop what witnesses gave back in an earlier recovery."""
    ReturnedTiles.objects.all().delete()


@transaction.atomic
def recover(*, now: datetime) -> int | None:
    """Take the longest log that a witness gives back; how many entries were put back, or None while too few answered.

    All listed witnesses are waited for; an hour after the first answer more than half of them are enough. A log that
    was signed, and of which no witness keeps anything, stays as it is: to go on would show others two histories, so a
    new one has to be opened (:mod:`.new_logs`). Raises
    ``ProofError`` when what a witness cosigned does not begin with the log of the back-up.
    """
    answers = _answers()
    if not _enough(answers, now):
        return None
    log = Log.objects.select_for_update().get_or_create(pk=1)[0]
    best = max((answer for answer in answers.values() if answer), key=lambda found: found.size, default=None)
    if best is None:
        return None if own_checkpoints().filter(size__gt=0).exists() else 0
    own, common = tree.own(log.number), min(log.length, best.size)
    if own.leaf_hashes(0, common) != b"".join(best.leaf_hashes[:common]):
        raise ProofError(
            "recovery", f"the log that {best.witness} cosigned is not that of this back-up: is it of this node?"
        )
    lost = best.size - log.length
    if lost <= 0:
        return 0
    _put_back(log, best, now)
    fields = {
        "entries": write_ranges([(log.size - lost, log.size - 1)]),
        "rule": "lost with the storage of this node; hashes given back by a witness",
        "witness": best.witness,
    }
    append_to(log, [Disclosure(STATEMENT, "", fields)], now=now)
    return lost


def nobody_keeps_it() -> bool:
    """Whether every listed witness has answered, and none of them keeps anything of this log."""
    answers = _answers()
    return len(answers) == len(own_witnesses()) and not any(answers.values())


def _answers() -> dict[str, Returned | None]:
    """What each witness gave back that has answered in full; None for one that keeps nothing."""
    found: dict[str, Returned | None] = {}
    for witness in own_witnesses():
        try:
            found[witness] = kept.returned(witness)
        except NotFoundError:
            if ReturnedTiles.objects.filter(witness=witness).exists():
                found[witness] = None
        except ProofError:
            continue  # parts are still on their way, or it keeps something else: the others decide
    return found


def _enough(answers: dict[str, Returned | None], now: datetime) -> bool:
    listed = len(own_witnesses())
    if not answers:
        return False
    if len(answers) == listed:
        return True
    first = ReturnedTiles.objects.order_by("returned_at").values_list("returned_at", flat=True).first()
    return first is not None and first + PATIENCE <= now and 2 * len(answers) > listed


def _put_back(log: Log, found: Returned, now: datetime) -> None:
    hashes = found.leaf_hashes[log.length :]
    Entry.objects.bulk_create(
        [
            Entry(
                index=log.size + place,
                kind=DESTROYED,
                counterparty="",
                recorded_at=now,
                fields=[],
                leaf=b"",
                leaf_hash=leaf_hash,
                destroyed_at=now,
                destroyed_under=f"lost; its hash was given back by {found.witness}",
            )
            for place, leaf_hash in enumerate(hashes)
        ],
        batch_size=500,
    )
    tree.own(log.number).grow(log.length, hashes)
    log.size += len(hashes)
    log.save(update_fields=["size"])
    signed, origin = parse_checkpoint(found.checkpoint), logs.identity(log).origin
    row, _ = Checkpoint.objects.get_or_create(
        origin=origin,
        size=signed.size,
        defaults={"root": signed.root, "text": found.checkpoint, "signed_at": now},
    )
    at = cosigners.verify_kept(found.witness, found.checkpoint, found.lines)
    Cosignature.objects.get_or_create(
        checkpoint=row, witness=found.witness, defaults={"lines": found.lines, "cosigned_at": at}
    )
