"""The log's rows: entries, tiles, signed checkpoints with their cosignatures, and what was seen of other nodes' logs.

Rows of checkpoints are written once and never changed; a tile only grows to the right; an entry loses its salts and
values when its retention ends, and nothing else of it ever changes. Columns that came later have a default in the
database too, so that a process which does not know them yet goes on writing while they are added.
"""

from django.db import models
from django.db.models import F, Q

HASH_BYTES = 32
TILE_WIDTH = 256


class Log(models.Model):
    """The one row that every append locks: the number of the next entry, and when the next checkpoint is due.

    ``number``, ``first``: the how-manieth log this is, and the number of its first entry; 1 and 0, but where a log was
    lost and another opened (:class:`NewLog`). The tree's leaves are counted from ``first`` on.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.PositiveBigIntegerField(default=0)
    number = models.PositiveSmallIntegerField(default=1, db_default=1)
    first = models.PositiveBigIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="ledger_one_log"),
            models.CheckConstraint(condition=Q(number__gte=1, first__lte=F("size")), name="ledger_log_begins"),
        ]

    @property
    def length(self) -> int:
        """How many leaves the tree of this log has."""
        return self.size - self.first


class NewLog(models.Model):
    """A log that follows a lost one, of this authority or of a partner: its beginning as signed, verbatim.

    ``number``, ``origin``, ``first`` and ``kept`` repeat what the opening says (:mod:`palermo.sealing.new_log`);
    ``leaf_hash`` is its first leaf's. ``before_text``, ``before_lines``: of a partner's lost log, the note that this
    node last cosigned as its witness. ``told``: codes of the partners to which this node's own was sent.
    """

    authority = models.CharField(max_length=64)
    number = models.PositiveSmallIntegerField()
    origin = models.CharField(max_length=200)
    first = models.PositiveBigIntegerField()
    kept = models.PositiveBigIntegerField()
    leaf_hash = models.BinaryField(max_length=HASH_BYTES)
    record = models.BinaryField()
    taken_at = models.DateTimeField()
    before_text = models.TextField(default="")
    before_lines = models.TextField(default="")
    told = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authority", "number"], name="ledger_new_log_once"),
            models.CheckConstraint(condition=Q(number__gte=2, kept__lte=F("first")), name="ledger_new_log_follows"),
        ]


class Entry(models.Model):
    """One disclosure. ``leaf`` is what the tree hashes; ``fields`` open it: ``[name, value, salt in hex]`` each.

    ``kind``, ``counterparty`` and ``recorded_at`` repeat three of the fields, so that the log can be searched;
    :func:`palermo.node.ledger.queries.check` proves that they still agree.

    When its retention has ended (``destroyed_at``, by the rule ``destroyed_under``) fields are empty, and so are the
    columns that repeated them: :mod:`palermo.node.ledger.retention`. The leaf stays, and so does every proof.
    """

    index = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=160, db_index=True)
    counterparty = models.CharField(max_length=64, db_index=True)
    recorded_at = models.DateTimeField(db_index=True)
    fields = models.JSONField()
    leaf = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=HASH_BYTES)
    destroyed_at = models.DateTimeField(null=True)
    destroyed_under = models.CharField(max_length=200, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(kind=""), name="ledger_entry_has_a_kind"),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True, destroyed_under="")
                | Q(destroyed_at__isnull=False, kind="destroyed", counterparty=""),
                name="ledger_entry_destroyed_whole",
            ),
        ]


class Tile(models.Model):
    """Up to 256 hashes of one level of the tree, side by side (C2SP tlog-tiles, height 8).

    ``hashes`` holds ``width`` times 32 bytes. Tile ``number`` of ``level`` L holds the roots of the complete
    subtrees of 256**L leaves from ``number * 256`` on, of this node's log of the number ``log``.
    """

    log = models.PositiveSmallIntegerField(default=1, db_default=1)
    level = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()
    width = models.PositiveSmallIntegerField()
    hashes = models.BinaryField(max_length=HASH_BYTES * TILE_WIDTH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["log", "level", "number"], name="ledger_tile_once"),
            models.CheckConstraint(condition=Q(width__gte=1, width__lte=TILE_WIDTH), name="ledger_tile_width"),
        ]


class Checkpoint(models.Model):
    """This node's signature under its log at one size (C2SP tlog-checkpoint), the signed text kept verbatim.

    ``origin`` is the log's name; ``size`` counts the leaves of that log.
    """

    origin = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(db_index=True)
    root = models.BinaryField(max_length=HASH_BYTES)
    text = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["origin", "size"], name="ledger_checkpoint_once")]


class Cosignature(models.Model):
    """A witness's two signature lines for one of this node's checkpoints (C2SP tlog-cosignature), kept verbatim."""

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="cosignatures")
    witness = models.CharField(max_length=64)
    lines = models.TextField()
    cosigned_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checkpoint", "witness"], name="ledger_cosignature_once")]


class Witness(models.Model):
    """How many entries of this node's log a witness holds, by a checkpoint that it showed; 0 where it showed none.

    ``asked_size``, ``asked_at``: which checkpoint it was last asked to cosign, and when. ``refusal``: why it did not.
    """

    code = models.CharField(max_length=64, primary_key=True)
    held = models.PositiveBigIntegerField(default=0)
    answered_at = models.DateTimeField(null=True)
    asked_size = models.PositiveBigIntegerField(null=True)
    asked_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=500, default="")


class WitnessedLog(models.Model):
    """A partner's log as this node last cosigned it; ``text`` and ``lines`` make the cosigned note."""

    partner = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    text = models.TextField()
    lines = models.TextField()
    cosigned_at = models.DateTimeField()


class WitnessedTile(models.Model):
    """A tile of a partner's log, as :class:`Tile`: hashes alone, never content, to give back if it loses them."""

    partner = models.CharField(max_length=64)
    log = models.PositiveSmallIntegerField(default=1, db_default=1)
    level = models.PositiveSmallIntegerField()
    number = models.PositiveBigIntegerField()
    width = models.PositiveSmallIntegerField()
    hashes = models.BinaryField(max_length=HASH_BYTES * TILE_WIDTH)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "log", "level", "number"], name="ledger_witnessed_tile_once"),
            models.CheckConstraint(
                condition=Q(width__gte=1, width__lte=TILE_WIDTH), name="ledger_witnessed_tile_width"
            ),
        ]


class ReturnedTiles(models.Model):
    """What a witness gave back of this node's log: leaf hashes from ``start`` on, and the note that it cosigned."""

    witness = models.CharField(max_length=64)
    start = models.PositiveBigIntegerField()
    hashes = models.BinaryField()
    text = models.TextField()
    lines = models.TextField()
    returned_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["witness", "start"], name="ledger_returned_once")]


class Witnessed(models.Model):
    """A partner's checkpoint as it came in a verified message, or one of this node's own log that a partner holds.

    Two of one log that cannot both belong to it are a second history: ``conflicts_with`` names the other, of the same
    size or of another. ``proven``: it was seen to belong to one history with the others that are proven, by tiles or by
    a consistency proof, which the partner was last asked for at ``asked_at``. ``log``: the number of the partner's log.
    """

    partner = models.CharField(max_length=64)
    log = models.PositiveSmallIntegerField(default=1, db_default=1)
    size = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=HASH_BYTES)
    text = models.TextField()
    seen_at = models.DateTimeField()
    conflicts_with = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    proven = models.BooleanField(default=False)
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "log", "size", "root"], name="ledger_witnessed_once"),
            models.CheckConstraint(
                condition=Q(conflicts_with__isnull=True) | ~Q(conflicts_with=F("id")),
                name="ledger_witnessed_conflicts_with_another",
            ),
        ]
