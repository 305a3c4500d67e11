"""Checking what was signed and kept across nodes: cosignatures, checkpoints that were seen, tiles of witnessed logs."""

from collections.abc import Iterator

from palermo.node.directory import cosigners
from palermo.node.directory import queries as directory
from palermo.node.ledger import logs, tree
from palermo.node.ledger.actions.histories import own_verify_keys
from palermo.node.ledger.entry_checking import StoredBytes, as_stored, text_of
from palermo.node.ledger.models import Cosignature, NewLog, Witnessed, WitnessedLog
from palermo.node.ledger.rows import Fault
from palermo.sealing.checkpoint import verify_checkpoint
from palermo.sealing.errors import ProofError, SealingError
from palermo.sealing.keys import VerifyKey


def cosignature_faults() -> Iterator[Fault]:
    """What witnesses signed beneath this node's checkpoints, under the keys that the directory lists for them.

    A checkpoint that is damaged itself is named elsewhere, and nothing can be said of what lies beneath it.
    """
    beneath = Cosignature.objects.select_related("checkpoint").defer("checkpoint__text")
    rows = beneath.annotate(stored_text=StoredBytes("checkpoint__text")).order_by("pk")
    for row in as_stored(rows, "lines"):
        where, text = f"cosignature of {row.witness} at size {row.checkpoint.size}", text_of(row, "text")
        if not _is_ours(text):
            continue
        try:
            at = cosigners.verify_kept(row.witness, text, text_of(row, "lines"))
        except (SealingError, directory.DirectoryError) as error:
            yield Fault("cosignature", where, str(error))
            continue
        if at != row.cosigned_at:
            yield Fault("cosignature", where, "its time is not what the lines state")


def _is_ours(text: str) -> bool:
    """Whether a checkpoint is one that this node signed."""
    try:
        logs.number_of(directory.own_code(), text)
        verify_checkpoint(text, *own_verify_keys())
    except SealingError:
        return False
    return True


def witnessed_faults() -> Iterator[Fault]:
    """Checkpoints that were seen: each is still what its log signed."""
    for row in as_stored(Witnessed.objects.order_by("pk"), "text"):
        where = f"checkpoint of {row.partner} at size {row.size}"
        try:
            number = logs.number_of(row.partner, text_of(row, "text"))
            signed = verify_checkpoint(text_of(row, "text"), *_keys(row.partner))
        except (SealingError, directory.DirectoryError) as error:
            yield Fault("witnessed checkpoint", where, str(error))
            continue
        if (signed.size, signed.root, number) != (row.size, bytes(row.root), row.log):
            yield Fault("witnessed checkpoint", where, "its size, root or log is not what the text signs")


def kept_faults() -> Iterator[Fault]:
    """The logs that this node witnesses: the tiles give the root that was cosigned, and the lines are this node's."""
    for row in as_stored(WitnessedLog.objects.order_by("partner"), "text", "lines"):
        where = f"log of {row.partner} at size {row.size}"
        yield from _kept_log_faults(row.partner, where, text_of(row, "text"), text_of(row, "lines"), row.size)
    lost = NewLog.objects.exclude(before_text="").order_by("authority", "number")
    for opened in as_stored(lost, "before_text", "before_lines"):
        where = f"lost log of {opened.authority} before {opened.origin}"
        text, lines = text_of(opened, "before_text"), text_of(opened, "before_lines")
        yield from _kept_log_faults(opened.authority, where, text, lines, None)


def _kept_log_faults(partner: str, where: str, text: str, lines: str, size: int | None) -> Iterator[Fault]:
    """A log as this node last cosigned it. ``size``: what its row says, where it says something."""
    try:
        signed = verify_checkpoint(text, *_keys(partner))
        number = logs.number_of(partner, text)
        cosigners.verify_kept(directory.own_code(), text, lines)
    except (SealingError, directory.DirectoryError) as error:
        yield Fault("witnessed log", where, str(error))
        return
    if size is not None and signed.size != size:
        yield Fault("witnessed log", where, "its size is not what the text signs")
    elif (fault := _tiles(partner, number, signed.size)) != signed.root:
        detail = fault if isinstance(fault, str) else "its tiles do not give the root that was cosigned"
        yield Fault("witnessed log", where, detail)


def _tiles(partner: str, number: int, size: int) -> bytes | str:
    """The root that all kept leaf hashes give, or what is wrong with the tiles above them."""
    kept = tree.of(partner, number)
    try:
        return kept.rederived_root(size)
    except ProofError as error:
        return str(error)


def _keys(code: str) -> list[VerifyKey]:
    return own_verify_keys() if code == directory.own_code() else directory.verify_keys(code)
