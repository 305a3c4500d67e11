"""The Merkle tree over the tile rows: growing it by a leaf, and reading its nodes."""

from palermo.node.ledger.models import Tile
from palermo.sealing import tiles
from palermo.sealing.errors import ProofError
from palermo.sealing.merkle import NodeGetter, root_of


def read_tile(level: int, number: int) -> bytes:
    """A tile's hashes so far, joined; b"" where there is none yet."""
    hashes = Tile.objects.filter(level=level, number=number).values_list("hashes", flat=True).first()
    return bytes(hashes) if hashes is not None else b""


def nodes() -> NodeGetter:
    """Reads full subtrees' hashes; each tile is read once."""
    return tiles.tile_nodes(read_tile)


def root(size: int) -> bytes:
    """Root of the first ``size`` leaves."""
    return root_of(nodes(), size)


def grow(size: int, leaf_hash: bytes) -> None:
    """Add a leaf to the tree of ``size`` leaves. Raises ``ProofError`` when the tiles are not as long as that."""
    for level, number, offset, value in tiles.append(read_tile, size, leaf_hash):
        if offset == 0:
            Tile.objects.create(level=level, number=number, width=1, hashes=value)
            continue
        tile = Tile.objects.get(level=level, number=number)
        if tile.width != offset:
            raise ProofError(
                f"tile {level}/{number}", f"holds {tile.width} hashes, not {offset}: run `palermo node check`"
            )
        tile.hashes, tile.width = bytes(tile.hashes) + value, offset + 1
        tile.save(update_fields=["hashes", "width"])
