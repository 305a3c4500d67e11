"""A partner lost its log and opened a new one: this node takes that for the one that goes on, or says why not.

What the directory's recovery key did not sign is refused, and so is an opening that leaves out what this node cosigned,
cites a checkpoint of another history, or comes second.
"""

from datetime import datetime

from django.db import transaction

from palermo.node.directory import cosigners
from palermo.node.directory import queries as directory
from palermo.node.ledger import logs
from palermo.node.ledger.actions import histories
from palermo.node.ledger.actions.appending import append, hold
from palermo.node.ledger.models import NewLog, Witnessed, WitnessedLog
from palermo.node.office import actions as office
from palermo.node.office.policy import Role
from palermo.sealing import new_log as sealed
from palermo.sealing import records
from palermo.sealing.checkpoint import Checkpoint, parse_checkpoint
from palermo.sealing.errors import BindingError, TrustError
from palermo.sealing.merkle import leaf_hash
from palermo.sealing.new_log import LogIdentity, Opening
from palermo.sealing.quorum import quorum_of


@transaction.atomic
def accept_new_log(partner: str, new: sealed.NewLog, *, now: datetime) -> str:
    """Take a partner's new log for the one that goes on; "" once it is, else why not, and a person was told.

    Raises ``SealingError`` where recovery key, authority or first entry do not verify: then nothing is kept.
    """
    hold()
    claimed = sealed.claimed_opening(new.statement)
    before = NewLog.objects.filter(authority=partner, number=claimed.number).first()
    if before is not None and bytes(before.record) == records.to_bytes(new):
        return ""
    after = _before(partner, claimed.number)
    opening = sealed.verify_new_log(
        new,
        after,
        network=directory.trust_root().network,
        authority=partner,
        recovery_keys=[key] if (key := directory.recovery_key()) else [],
        keys=directory.verify_keys(partner),
    )
    first = parse_checkpoint(new.checkpoint)
    if before is not None:
        histories.keep(partner, first, now)  # another first entry of one log: two histories
        return (
            f"Another opening of {opening.origin} was taken before. Two that the recovery key signed are two histories."
        )
    cited = parse_checkpoint(opening.checkpoint) if opening.checkpoint else None
    _check_cosignatures(partner, opening)
    if (reason := _contradiction(partner, after, cited, now)) != "":
        return reason
    _take(partner, new, opening, now)
    _tell(partner, after, cited, opening, now)
    return ""


def _before(partner: str, number: int) -> LogIdentity:
    """The log that the one of that number follows. Raises ``BindingError`` where this node knows of none."""
    present = logs.of(partner)
    if number > present.number + 1:
        raise BindingError("opening", f"is of log {number}, and of log {present.number + 1} no opening has come")
    if number == present.number + 1:
        return present
    earlier = NewLog.objects.filter(authority=partner, number=number - 1).first()
    return logs.opened(earlier) if earlier is not None else logs.first_of(partner)


def _check_cosignatures(partner: str, opening: Opening) -> None:
    """Each cosignature of the cited checkpoint verifies, and there is one where witnesses could have signed."""
    own = [directory.own_code()] if directory.is_witness() else []
    codes = [code for code in (*directory.witnesses(), *own) if code != partner]
    listed = {code: directory.authority(code).jurisdiction for code in codes}
    for one in opening.cosignatures:
        cosigners.verify_kept(one.witness, opening.checkpoint, one.lines)
    if quorum_of(listed, ()).possible and not listed.keys() & {one.witness for one in opening.cosignatures}:
        raise TrustError("opening", "cites no checkpoint that a listed witness cosigned")


def _contradiction(partner: str, lost: LogIdentity, cited: Checkpoint | None, now: datetime) -> str:
    """Why the cited checkpoint cannot be the last of the lost log that was cosigned, by what this node holds."""
    if cited is not None and histories.keep(partner, cited, now).conflicts_with_id is not None:
        return (
            f"The checkpoint of {cited.size} entries that the opening cites is of another history than was seen here."
        )
    held = WitnessedLog.objects.filter(partner=partner).first()
    if held is None or logs.number_of(partner, held.text) != lost.number:
        return ""
    size = cited.size if cited else 0
    if held.size <= size:
        return ""
    office.add_task(
        key=f"ledger.new-log-omits:{partner}:{lost.number + 1}",
        title=f"{partner} would open a new log after {size} entries of its old one; this node cosigned {held.size}. "
        "It was refused.",
        link=f"/partners/{partner}/",
        role=Role.AUDITOR,
        now=now,
    )
    return f"This witness cosigned {held.size} entries of {lost.origin}, and the opening cites {size}: cite this one."


def _take(partner: str, new: sealed.NewLog, opening: Opening, now: datetime) -> None:
    held = WitnessedLog.objects.filter(partner=partner).first()
    NewLog.objects.create(
        authority=partner,
        number=opening.number,
        origin=opening.origin,
        first=opening.first,
        kept=opening.kept,
        leaf_hash=leaf_hash(new.leaf),
        record=records.to_bytes(new),
        taken_at=now,
        before_text=held.text if held else "",
        before_lines=held.lines if held else "",
    )
    # What was seen of it before its opening came was named as a second history; it is held against the log from now on.
    early = Witnessed.objects.filter(partner=partner, log=opening.number)
    for row in early.select_related("conflicts_with"):
        histories.withdraw(row, now)
    histories.keep(partner, parse_checkpoint(new.checkpoint), now)


def _tell(partner: str, lost: LogIdentity, cited: Checkpoint | None, opening: Opening, now: datetime) -> None:
    """Name both logs: in this node's own, and to an auditor, with what was signed of the old one and is lost."""
    size = cited.size if cited else 0
    fields = {"lost_origin": lost.origin, "lost_size": str(size), "origin": opening.origin}
    append(kind="witness.new_log", counterparty=partner, fields=fields, now=now)
    office.audit(None, "ledger.new_log_taken", f"{opening.origin} follows {lost.origin} at {size} entries", now=now)
    beyond = Witnessed.objects.filter(partner=partner, log=lost.number, size__gt=size).order_by("-size").first()
    more = f" It had signed {beyond.size}: {beyond.size - size} entries that were signed are gone." if beyond else ""
    office.add_task(
        key=f"ledger.new-log:{partner}:{opening.number}",
        title=f"{partner} lost its log {lost.origin}, last cosigned at {size} entries, and goes on with "
        f"{opening.origin}, by leave of the recovery key.{more}",
        link=f"/partners/{partner}/",
        role=Role.AUDITOR,
        now=now,
    )
