"""Cosignatures: this node asks the witnesses of its log for theirs, and gives its own for the logs that it witnesses.

A witness cosigns a checkpoint only when the leaves that it holds, with those that came, give the signed root: so what
it cosigns always continues what it cosigned before. It keeps the tiles, the last checkpoint and its lines.
"""

from datetime import datetime, timedelta

from django.db import transaction

from palermo.node.directory import own_keys
from palermo.node.directory import queries as directory
from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions import histories
from palermo.node.ledger.actions.appending import hold
from palermo.node.ledger.actions.signing import sign
from palermo.node.ledger.cosigned import own_checkpoints, own_witnesses
from palermo.node.ledger.models import Cosignature, NewLog, Witness, Witnessed, WitnessedLog
from palermo.sealing.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from palermo.sealing.cosignature import cosign as sign_lines
from palermo.sealing.cosignature import verify_cosignature
from palermo.sealing.errors import BindingError, TrustError
from palermo.sealing.witnessing import MAX_LEAVES, CosignAnswer, CosignRequest, split

ASK_AGAIN = timedelta(hours=1)
"""After that long without an answer a witness is asked once more: its letter may have run out on the way."""


def next_request(code: str, *, now: datetime) -> CosignRequest | None:
    """What to ask a witness to cosign next; None where it has all, or was asked a while ago and may yet answer.

    A witness that is far behind is brought up in steps, each to a signed checkpoint.
    """
    newest = own_checkpoints().values_list("size", flat=True).first() or 0
    known = Witness.objects.filter(code=code).first() or Witness(code=code)
    if newest <= known.held or _is_pending(known, newest, now):
        return None
    return _request(known, newest, now)


@transaction.atomic
def _request(known: Witness, newest: int, now: datetime) -> CosignRequest:
    log = hold()
    target = own_checkpoints().filter(size__gt=known.held, size__lte=known.held + MAX_LEAVES).first()
    size = target.size if target else min(known.held + MAX_LEAVES, log.length)
    text = target.text if target else sign(size, now)
    request = CosignRequest(text, known.held, tree.own(log.number).leaf_hashes(known.held, size))
    asked = {"asked_size": newest, "asked_at": now}
    Witness.objects.update_or_create(code=known.code, defaults=asked)
    return request


@transaction.atomic
def take_answer(code: str, answer: CosignAnswer, *, now: datetime) -> None:
    """Keep a witness's cosignature, and note from where it goes on.

    Raises ``TrustError`` for one who is no witness, and ``SealingError`` for lines, or a checkpoint said to be held,
    that do not verify: nothing of such an answer is kept.
    """
    if code not in own_witnesses():
        raise TrustError("cosignature", f"{code} is no listed witness of this log")
    hold()
    if answer.lines:
        _keep_lines(code, answer)
    held = 0
    if answer.held:
        histories.witness_own(code, answer.held, now=now)
        if logs.number_of(directory.own_code(), answer.held) == logs.own().number:
            held = parse_checkpoint(answer.held).size
    known = Witness.objects.filter(code=code).first() or Witness(code=code)
    if (answer.lines or held != known.held) and not answer.reason:
        known.asked_at = None  # it goes on at once; else after a while, so that two who disagree do not ask for ever
    known.held, known.answered_at = held, now
    known.refusal = answer.reason[:500].replace("\0", "")
    known.save()


@transaction.atomic
def cosign(partner: str, request: CosignRequest, *, now: datetime) -> CosignAnswer:
    """Cosign a partner's checkpoint if it continues what was cosigned before; else say what is held, and why not.

    Raises ``TrustError`` where this node is no listed witness, and ``SealingError`` for a text that is not the
    partner's checkpoint.
    """
    if not directory.is_witness():
        raise TrustError("cosignature", f"{directory.own_code()} is no listed witness")
    number = logs.number_of(partner, request.checkpoint)
    signed = verify_checkpoint(request.checkpoint, *directory.verify_keys(partner, now))
    hold()
    row = histories.keep(partner, signed, now)
    held = WitnessedLog.objects.select_for_update().filter(partner=partner).first()
    if (present := logs.of(partner)).number != number:
        reason = f"It {histories.UNANNOUNCED.format(signed.origin)}."
        if number < present.number:
            reason = f"The log {signed.origin} was lost, and {present.origin} follows it."
        return CosignAnswer(signed.size, "", held.text if held else "", reason)
    if held is not None and logs.number_of(partner, held.text) != number:
        held = None  # what was cosigned of the log that was lost stays beside the opening of this one
    size = held.size if held else 0
    if signed.size <= size and held is not None:
        return _cosigned_before(signed, held, row)
    if request.start != size:
        return CosignAnswer(signed.size, "", held.text if held else "")
    if (reason := _grow(partner, held, signed, request, row, now)) != "":
        return CosignAnswer(signed.size, "", held.text if held else "", reason)
    lines = sign_lines(signed.text, directory.own_log_origin(), own_keys.cosigner_key(), now)
    WitnessedLog.objects.update_or_create(
        partner=partner, defaults={"size": signed.size, "text": signed.text, "lines": lines, "cosigned_at": now}
    )
    _compare_seen(row, size, now)
    return CosignAnswer(signed.size, lines, signed.text)


def _is_pending(known: Witness, newest: int, now: datetime) -> bool:
    return known.asked_at is not None and known.asked_size == newest and now < known.asked_at + ASK_AGAIN


def _keep_lines(code: str, answer: CosignAnswer) -> None:
    row = own_checkpoints().filter(size=answer.size).first()
    if row is None:
        raise BindingError("cosignature", f"is for {answer.size} entries, at which this log was never signed")
    at = verify_cosignature(row.text, answer.lines, directory.log_origin(code), directory.cosigner_key(code))
    kept = {"lines": answer.lines, "cosigned_at": at}
    Cosignature.objects.get_or_create(checkpoint=row, witness=code, defaults=kept)


def _cosigned_before(signed: Checkpoint, held: WitnessedLog, row: Witnessed) -> CosignAnswer:
    """The answer for a checkpoint that is not newer than the last cosigned: the same lines for the same, else none."""
    if row.conflicts_with_id is not None:
        return CosignAnswer(signed.size, "", held.text, "The checkpoint is not of the log that was cosigned before.")
    lines = held.lines if signed.size == held.size else ""
    return CosignAnswer(signed.size, lines, held.text)


def _grow(
    partner: str,
    held: WitnessedLog | None,
    signed: Checkpoint,
    request: CosignRequest,
    row: Witnessed,
    now: datetime,
) -> str:
    """Add the leaves to the kept tiles if they lead to the signed root; else why they do not, the tiles unchanged."""
    hashes, kept = split(request.hashes), tree.of(partner, row.log)
    if request.start + len(hashes) != signed.size:
        return f"There came {len(hashes)} hashes for the entries from {request.start} to {signed.size - 1}."
    if held is not None and kept.root(held.size) != parse_checkpoint(held.text).root:
        return "The tiles that this witness keeps are damaged: it must be mended before it can cosign."
    if held is None and (other := _other_beginning(row, hashes, now)) != "":
        return other
    growing = transaction.savepoint()
    kept.grow(request.start, hashes)
    if kept.root(signed.size) == signed.root:
        transaction.savepoint_commit(growing)
        return ""
    transaction.savepoint_rollback(growing)
    if row.conflicts_with_id is None and held is not None:
        histories.accuse(row, histories.row_of(held, now), now)
    return "The hashes do not lead from what was cosigned before to the signed root."


def _other_beginning(row: Witnessed, hashes: list[bytes], now: datetime) -> str:
    """Why a new log does not begin with the entry that the recovery key signed; "" where it does, or is the first."""
    opened = NewLog.objects.filter(authority=row.partner, number=row.log).first()
    if opened is None or hashes[:1] == [bytes(opened.leaf_hash)]:
        return ""
    if row.conflicts_with_id is None:
        first = Witnessed.objects.filter(partner=row.partner, log=row.log, size=1, proven=True).first()
        histories.accuse(row, first, now, "its new log does not begin with the opening that the recovery key signed")
    return "The log does not begin with the entry that the recovery key signed."


def _compare_seen(row: Witnessed, start: int, now: datetime) -> None:
    """Checkpoints seen elsewhere, which the tiles now reach."""
    of_log = Witnessed.objects.filter(partner=row.partner, log=row.log)
    seen = of_log.filter(size__gt=start, size__lte=row.size, proven=False)
    histories.compare(row.partner, list(seen), now)
