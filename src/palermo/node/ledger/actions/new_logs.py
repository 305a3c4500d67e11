"""A new log of this node, where the old one was lost with its storage and no witness can give it back.

The node drafts the opening: which log it lost, and the last checkpoint of it that was cosigned. The holder of the
directory's recovery key signs that elsewhere. The signed opening becomes the first entry of a log of a new name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from palermo.node import restored
from palermo.node.directory import queries as directory
from palermo.node.ledger import kept, logs, tree
from palermo.node.ledger.actions.appending import Disclosure, append_to, hold
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.actions.signing import sign
from palermo.node.ledger.cosigned import own_checkpoints, own_witnesses, quorum_possible
from palermo.node.ledger.models import Entry, Log, NewLog, ReturnedTiles, Witness
from palermo.node.ledger.notes import Outside
from palermo.node.office import actions as office
from palermo.node.office.errors import ConflictError, InvalidError, NotFoundError
from palermo.sealing import new_log as sealed
from palermo.sealing import records
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import BindingError, ProofError, TrustError
from palermo.sealing.keys import VerifyKey
from palermo.sealing.leaf import LeafField, open_fields
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.new_log import LogIdentity, Opening
from palermo.sealing.quorum import Cosignature


@dataclass(frozen=True, slots=True)
class _Note:
    """A checkpoint of the lost log that somebody holds, and who cosigned it."""

    size: int
    checkpoint: str
    cosignatures: tuple[Cosignature, ...]


def draft(outside: Outside | None = None, *, now: datetime) -> Opening:
    """What the recovery key is to sign, from the newest cosigned checkpoint that is known.

    ``outside``: one that somebody brought, with its cosignatures. Raises ``ConflictError`` where the log is whole, or a
    witness gives it back; ``InvalidError`` where nothing can be cited; ``ProofError`` where the back-up's own log is
    not that of the checkpoint.
    """
    if not restored.log_is_behind():
        raise ConflictError("This node's log is whole: nothing was restored that others know better.")
    log = Log.objects.filter(pk=1).first() or Log(pk=1)
    _require_nobody_has_it(log)
    lost = logs.identity(log)
    note = _newest(outside, lost)
    if note is None and own_witnesses() and quorum_possible():
        raise InvalidError(
            "No checkpoint of the lost log that a witness cosigned is known here. Get one from a witness or a partner "
            "(page Partners, or an envelope), and give it with --checkpoint."
        )
    if note is not None and 0 < note.size <= log.length:
        _require_ours(note, tree.own(log.number).root(note.size))
    size = note.size if note else 0
    return Opening(
        network=directory.trust_root().network,
        authority=directory.own_code(),
        number=lost.number + 1,
        origin=sealed.next_origin(lost.origin, lost.number + 1),
        lost_origin=lost.origin,
        checkpoint=note.checkpoint if note else "",
        cosignatures=note.cosignatures if note else (),
        kept=log.size,
        first=max(log.size, log.first + size),
        drafted_at=now.replace(microsecond=0),
    )


@transaction.atomic
def open_new_log(statement: bytes, *, now: datetime) -> Opening:
    """Begin the log anew with a signed opening; the same opening once more changes nothing.

    Raises ``SealingError`` for one that the recovery key in force did not sign, or of another log, and
    ``ConflictError`` where the log is whole, or has another length than when the opening was drafted.
    """
    opening = sealed.open_opening(statement, _recovery_keys())
    log, code = hold(), directory.own_code()
    before = NewLog.objects.filter(authority=code, number=opening.number).first()
    if before is not None and logs.read(before).statement == statement:
        return opening
    if not restored.log_is_behind():
        raise ConflictError("This node's log is whole: it needs no new one.")
    lost = logs.identity(log)
    if (opening.network, opening.authority) != (directory.trust_root().network, code):
        raise TrustError("opening", f"is for {opening.authority[:40]!r} in {opening.network[:40]!r}, not for this node")
    if (opening.number, opening.lost_origin) != (lost.number + 1, lost.origin):
        raise BindingError("opening", f"follows {opening.lost_origin[:80]!r}, not {lost.origin}")
    sealed.cited_checkpoint(opening, own_verify_keys())
    if opening.kept != log.size:
        raise ConflictError(f"The opening was drafted for {opening.kept} entries; there are {log.size}. Draft it anew.")
    _begin(log, opening, statement, now)
    cited = f"{opening.lost_origin} at {_cited_size(opening)} entries"
    office.audit(None, "ledger.new_log", f"{opening.origin} follows {cited}", now=now)
    return opening


def _begin(log: Log, opening: Opening, statement: bytes, now: datetime) -> None:
    """The first entry, the checkpoint of it alone, and what proves both to others."""
    log.number, log.first, log.size = opening.number, opening.first, opening.first
    log.save(update_fields=["number", "first", "size"])
    fields = {
        sealed.OPENING_FIELD: sealed.opening_digest(statement),
        "lost_origin": opening.lost_origin,
        "lost_size": str(_cited_size(opening)),
    }
    append_to(log, [Disclosure(sealed.OPENED, "", fields)], now=now)
    entry = Entry.objects.get(index=opening.first)
    opened = [LeafField(name, value, bytes.fromhex(salt)) for name, value, salt in entry.fields]
    leaf = bytes(entry.leaf)
    new = sealed.NewLog(statement, leaf, open_fields(opened, sealed.SHOWN), sign(1, now))
    NewLog.objects.create(
        authority=opening.authority,
        number=opening.number,
        origin=opening.origin,
        first=opening.first,
        kept=opening.kept,
        leaf_hash=leaf_hash(leaf),
        record=records.to_bytes(new),
        taken_at=now,
    )
    Witness.objects.update(held=0, asked_size=None, asked_at=None, refusal="")


def tell(partners: list[str], *, number: int) -> None:
    """Note that these partners were sent the beginning of this node's log of that number."""
    row = NewLog.objects.select_for_update().get(authority=directory.own_code(), number=number)
    row.told = sorted({*row.told, *partners})
    row.save(update_fields=["told"])


def _require_nobody_has_it(log: Log) -> None:
    for witness in own_witnesses():
        try:
            found = kept.returned(witness)
        except (NotFoundError, ProofError):
            continue
        if found.size >= log.length:
            raise ConflictError(
                f"{witness} gave back the log up to {found.size} entries: the running node recovers it by itself. See "
                "palermo node recover."
            )


def _newest(outside: Outside | None, lost: LogIdentity) -> _Note | None:
    """The largest checkpoint that a witness cosigned; where the network has no witnesses of two states, the largest."""
    if outside is not None and outside.log != lost:
        raise InvalidError(f"That checkpoint is of {outside.log.origin}; the log that was lost is {lost.origin}.")
    notes = list(_notes(outside))
    if quorum_possible():
        notes = [note for note in notes if note.cosignatures]
    largest = max((note.size for note in notes), default=None)
    best = [note for note in notes if note.size == largest]
    if not best:
        return None
    lines = {one.witness: one for note in best for one in note.cosignatures if note.checkpoint == best[0].checkpoint}
    return _Note(best[0].size, best[0].checkpoint, tuple(lines[code] for code in sorted(lines)))


def _notes(outside: Outside | None) -> Iterator[_Note]:
    if outside is not None:
        yield _Note(outside.size, outside.checkpoint, outside.cosignatures)
    for returned in ReturnedTiles.objects.exclude(text="").order_by("witness", "start"):
        size = parse_checkpoint(returned.text).size
        yield _Note(size, returned.text, (Cosignature(returned.witness, returned.lines),))
    for row in own_checkpoints().prefetch_related("cosignatures")[:1000]:
        given = tuple(Cosignature(one.witness, one.lines) for one in row.cosignatures.all())
        yield _Note(row.size, row.text, given)


def _require_ours(note: _Note, root: bytes) -> None:
    if parse_checkpoint(note.checkpoint).root != root:
        raise ProofError("opening", "the log of this back-up is not that of the checkpoint: is it of this node?")


def _recovery_keys() -> list[VerifyKey]:
    key = directory.recovery_key()
    if key is None:
        raise TrustError("directory", "names no recovery key: the founders add one (palermo directory amend)")
    return [key]


def _cited_size(opening: Opening) -> int:
    return parse_checkpoint(opening.checkpoint).size if opening.checkpoint else 0
