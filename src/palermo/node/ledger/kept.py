"""What this node keeps of other logs, and what it shows of its own to those who keep it: hashes and checkpoints."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from palermo.node.ledger import logs, tree
from palermo.node.ledger.cosigned import own_checkpoints
from palermo.node.ledger.models import ReturnedTiles, Witnessed, WitnessedLog
from palermo.node.office.errors import NotFoundError
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import ProofError
from palermo.sealing.merkle import consistency_proof, root
from palermo.sealing.witnessing import MAX_LEAVES, ProofAnswer, TilesAnswer, split

PROOF_EVERY = timedelta(days=1)
"""How often a partner is asked for the same proof until it comes."""


@dataclass(frozen=True, slots=True)
class KeptLog:
    """A log that this node witnesses: the note that it last cosigned, as C2SP writes it, and when."""

    partner: str
    size: int
    note: str
    cosigned_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Two checkpoints of a partner's log, of ``old`` and ``new`` entries: it is to prove that they are of one log.

    ``key``: the newer one's primary key.
    """

    partner: str
    old: int
    new: int
    key: int


@dataclass(frozen=True, slots=True)
class Returned:
    """This node's log as one witness gave it back: all leaf hashes up to the ``size`` of the note that it cosigned."""

    witness: str
    size: int
    checkpoint: str
    lines: str
    leaf_hashes: tuple[bytes, ...]


def kept_logs() -> list[KeptLog]:
    """The logs that this node witnesses, by the code of whose they are."""
    rows = WitnessedLog.objects.order_by("partner")
    return [KeptLog(row.partner, row.size, row.text + row.lines, row.cosigned_at) for row in rows]


def tiles_for(partner: str, start: int) -> TilesAnswer:
    """What this node keeps of a partner's log from that leaf on, as much as one letter carries, to be given back."""
    row = WitnessedLog.objects.filter(partner=partner).first()
    if row is None:
        return TilesAnswer(start, b"", "", "")
    end = min(row.size, start + MAX_LEAVES)
    kept = tree.of(partner, logs.number_of(partner, row.text))
    hashes = kept.leaf_hashes(start, end) if start < end else b""
    return TilesAnswer(start, hashes, row.text, row.lines)


def returned(witness: str) -> Returned:
    """What a witness gave back, put together.

    Raises ``NotFoundError`` before anything came, and ``ProofError`` while parts are missing (its message says from
    where on to ask), or when they do not lead to the root of the checkpoint that came with them.
    """
    parts = list(ReturnedTiles.objects.filter(witness=witness).order_by("start"))
    if not parts or not parts[-1].text:
        raise NotFoundError
    newest = max(parts, key=lambda part: parse_checkpoint(part.text).size)
    signed = parse_checkpoint(newest.text)
    hashes: list[bytes] = []
    for part in parts:
        if part.start <= len(hashes):
            hashes[part.start :] = split(bytes(part.hashes))
    if len(hashes) < signed.size:
        raise ProofError("returned tiles", f"end at entry {len(hashes)} of {signed.size}: ask {witness} for the rest")
    if root(hashes[: signed.size]) != signed.root:
        raise ProofError(
            "returned tiles", f"of {witness} do not lead to the root that it cosigned: ask another witness"
        )
    return Returned(witness, signed.size, newest.text, newest.lines, tuple(hashes[: signed.size]))


def newest_held(partner: str) -> str:
    """The newest checkpoint held of a partner's log, as an envelope to it carries it; "" for none."""
    seen = Witnessed.objects.filter(partner=partner, log=logs.of(partner).number, conflicts_with__isnull=True)
    seen = seen.order_by("-size")
    return seen.values_list("text", flat=True).first() or ""


def proof_for(old: int, new: int) -> ProofAnswer:
    """The proof that this node's signed checkpoint of ``new`` entries continues that of ``old``.

    Raises ``ProofError`` for sizes at which the log was never signed: others learn nothing of what lies between.
    """
    signed = set(own_checkpoints().filter(size__in=(old, new)).values_list("size", flat=True))
    if signed != {old, new}:
        raise ProofError("consistency proof", f"this log was not signed at {old} and {new} entries")
    return ProofAnswer(old, new, consistency_proof(tree.own(logs.own().number).nodes(), old, new))


def wanted_proofs(now: datetime) -> list[Wanted]:
    """What partners whose logs this node does not witness are to prove now: each checkpoint against the one before."""
    wanted = []
    rows = Witnessed.objects.filter(proven=False, conflicts_with__isnull=True, size__gt=0).order_by("partner", "size")
    for row in rows.exclude(asked_at__gt=now - PROOF_EVERY)[:100]:
        if row.log != logs.of(row.partner).number:
            continue  # of a log that was lost: nobody can prove it any more
        of_log = Witnessed.objects.filter(partner=row.partner, log=row.log)
        seen = of_log.filter(conflicts_with__isnull=True, size__gt=0)
        other = seen.filter(size__lt=row.size).order_by("-size").first()
        if other is not None:
            wanted.append(Wanted(row.partner, other.size, row.size, row.pk))
    return wanted


def overdue_proofs(before: datetime) -> list[Wanted]:
    """Proofs that were asked for, and have not come for checkpoints seen before that time."""
    rows = Witnessed.objects.filter(proven=False, conflicts_with__isnull=True, asked_at__isnull=False)
    return [Wanted(row.partner, 0, row.size, row.pk) for row in rows.filter(seen_at__lt=before).order_by("pk")[:100]]
