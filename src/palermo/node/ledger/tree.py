"""Merkle trees over tile rows: this node's own, and those of the logs that it witnesses."""

from collections.abc import Sequence
from typing import Any

from palermo.node.ledger.models import Tile, WitnessedTile
from palermo.sealing import tiles
from palermo.sealing.errors import ProofError
from palermo.sealing.merkle import HASH_BYTES, NodeGetter, nodes, root_of


class Tree:
    """One tree. ``rows``: the model of its tiles; ``whose``: what chooses this tree's among them."""

    def __init__(self, rows: type[Tile] | type[WitnessedTile], **whose: Any) -> None:
        self._rows = rows
        self._whose = whose

    def read_tile(self, level: int, number: int) -> bytes:
        """A tile's hashes so far, joined; b"" where there is none yet."""
        found = self._rows.objects.filter(**self._whose, level=level, number=number)
        hashes = found.values_list("hashes", flat=True).first()
        return bytes(hashes) if hashes is not None else b""

    def nodes(self) -> NodeGetter:
        """Reads full subtrees' hashes; each tile is read once."""
        return tiles.tile_nodes(self.read_tile)

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` leaves."""
        return root_of(self.nodes(), size)

    def rederived_root(self, size: int) -> bytes:
        """Root of the first ``size`` leaves from their hashes alone, each full tile above them compared on the way.

        Raises ``ProofError``, which names the tile, for one that is not what the tiles below it give.
        """
        level, count = 0, size
        while count >= tiles.WIDTH:
            above = self._run(level + 1, count // tiles.WIDTH)
            below = self._run(level, count)
            for number in range(count // tiles.WIDTH):
                full = below[number * tiles.WIDTH : (number + 1) * tiles.WIDTH]
                if nodes(full)(tiles.HEIGHT, 0) != above[number]:
                    raise ProofError(f"tile {level + 1}/{number // tiles.WIDTH}", "is not what the tiles below it give")
            level, count = level + 1, count // tiles.WIDTH
        return self.root(size)

    def _run(self, level: int, count: int) -> list[bytes]:
        """The first ``count`` hashes of a level. Raises ``ProofError`` where there are fewer."""
        run = b"".join(self.read_tile(level, number) for number in range(-(-count // tiles.WIDTH)))
        if len(run) < count * HASH_BYTES:
            raise ProofError(f"tiles of level {level}", f"hold fewer than {count} hashes")
        return [run[place : place + HASH_BYTES] for place in range(0, count * HASH_BYTES, HASH_BYTES)]

    def leaf_hashes(self, start: int, end: int) -> bytes:
        """The hashes of the leaves from ``start`` up to ``end`` (not included), joined: a run of the level-0 tiles."""
        first, last = start // tiles.WIDTH, -(-end // tiles.WIDTH)
        run = b"".join(self.read_tile(0, number) for number in range(first, last))
        skipped = first * tiles.WIDTH
        run = run[(start - skipped) * HASH_BYTES : (end - skipped) * HASH_BYTES]
        if len(run) != (end - start) * HASH_BYTES:
            raise ProofError("tiles", f"hold not all entries from {start} to {end - 1}: run `palermo ledger audit`")
        return run

    def grow(self, size: int, leaf_hashes: Sequence[bytes]) -> None:
        """Add leaves to the tree of ``size`` leaves: each tile that grows is read and written once.

        Raises ``ProofError`` when the tiles are not as long as the size says.
        """
        grown: dict[tuple[int, int], bytearray] = {}

        def get(level: int, number: int) -> bytes:
            if (level, number) not in grown:
                grown[level, number] = bytearray(self.read_tile(level, number))
            return bytes(grown[level, number])

        for place, leaf in enumerate(leaf_hashes, start=size):
            for level, number, offset, value in tiles.append(get, place, leaf):
                if (held := len(get(level, number)) // HASH_BYTES) != offset:
                    raise ProofError(
                        f"tile {level}/{number}", f"holds {held} hashes, not {offset}: run `palermo ledger audit`"
                    )
                grown[level, number] += value
        for (level, number), hashes in grown.items():
            where = {**self._whose, "level": level, "number": number}
            content = {"width": len(hashes) // HASH_BYTES, "hashes": bytes(hashes)}
            if not self._rows.objects.filter(**where).update(**content):
                self._rows.objects.create(**where, **content)


def own(log: int) -> Tree:
    """The tree of this node's log of that number."""
    return Tree(Tile, log=log)


def of(partner: str, log: int) -> Tree:
    """The tree of a partner's log of that number, which this node witnesses, as far as it cosigned it."""
    return Tree(WitnessedTile, partner=partner, log=log)
