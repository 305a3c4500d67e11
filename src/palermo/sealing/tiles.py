"""Tiles: how a Merkle tree is stored, so that appending and proving read few rows (C2SP tlog-tiles).

A tile of level L and index N holds up to 256 hashes of full subtrees of height 8 * L, side by side; 256 of them make
one hash of the tile above. Tiles only grow, and a full one never changes.
"""

from collections.abc import Callable
from typing import NamedTuple

from palermo.sealing.errors import ProofError
from palermo.sealing.merkle import HASH_BYTES, NodeGetter, nodes

HEIGHT = 8
WIDTH = 1 << HEIGHT

TileGetter = Callable[[int, int], bytes]
"""``get_tile(level, index)``: the tile's hashes so far, joined; b"" for a tile that does not exist yet."""


class TileWrite(NamedTuple):
    """One hash to add at the end of a tile that holds ``offset`` hashes (0: a new tile)."""

    level: int
    tile: int
    offset: int
    hash: bytes


def append(get_tile: TileGetter, size: int, leaf_hash: bytes) -> tuple[TileWrite, ...]:
    """What to write when a leaf is appended to a tree of that size, lowest tile first.

    Almost always one write; one more for every tile that becomes full. Raises ProofError when a tile is not as long as
    the size says: the store lost or gained a hash.
    """
    writes: list[TileWrite] = []
    level, position, value = 0, size, leaf_hash
    while True:
        index, offset = divmod(position, WIDTH)
        writes.append(TileWrite(level, index, offset, value))
        if offset < WIDTH - 1:
            return tuple(writes)
        tile = _hashes(get_tile(level, index)) if level or offset else []
        if len(tile) != offset:
            raise ProofError(f"tile {level}/{index}", f"holds {len(tile)} hashes, not {offset}: the log is damaged")
        value = nodes([*tile, value])(HEIGHT, 0)
        level, position = level + 1, index


def tile_nodes(get_tile: TileGetter) -> NodeGetter:
    """A node getter that reads tiles, each once. Raises ProofError for a node whose tile is missing or short."""
    cache: dict[tuple[int, int], NodeGetter] = {}

    def get(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        tile_index, within = divmod(index, WIDTH >> height)
        key = (tile_level, tile_index)
        if key not in cache:
            cache[key] = nodes(_hashes(get_tile(*key)))
        try:
            return cache[key](height, within)
        except IndexError as error:
            raise ProofError(f"tile {tile_level}/{tile_index}", "lacks a hash that the tree needs") from error

    return get


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The path under which C2SP serves a tile, ``tile/0/x001/x234/067`` or ``tile/1/000.p/17``."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + ("" if width == WIDTH else f".p/{width}")


def _hashes(tile: bytes) -> list[bytes]:
    if len(tile) % HASH_BYTES:
        raise ProofError("tile", "is not a whole number of hashes")
    return [tile[start : start + HASH_BYTES] for start in range(0, len(tile), HASH_BYTES)]
