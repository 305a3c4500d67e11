"""What appending to the log and proving from it cost at a thousand and at a million entries, as ratios.

The tree is measured against ``pymerkle`` in memory, in the same run; the append of a node (entry, tiles, size, one
durable commit) against the bare commit of one row to the same SQLite file, one of each in turn, so that both meet the
same disk. A node's log is brought to a million entries by writing its tiles as they would stand, for its entries play
no part in what an append costs. Tree times are processor seconds, those of commits wall time. Proof sizes are numbers
of hashes of 32 bytes.

    .venv/bin/python benchmarks/ledger.py [--sizes 1000 1000000] [--appends 200]
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pymerkle import InmemoryTree

from palermo.sealing import merkle, tiles

WARM_UP = 20


@dataclass(frozen=True)
class Figures:
    """What was measured at one size; seconds an append, and hashes."""

    size: int
    tree: float
    peer: float
    node: float
    commit: float
    inclusion: int
    consistency: int


def stored_tiles(size: int) -> dict[tuple[int, int], bytes]:
    """The tiles of a log of so many entries with random leaf hashes."""
    rng, found = random.Random(size), {}
    row = [rng.randbytes(merkle.HASH_BYTES) for _ in range(size)]
    level = 0
    while row:
        for number in range(-(-len(row) // tiles.WIDTH)):
            found[level, number] = b"".join(row[number * tiles.WIDTH : (number + 1) * tiles.WIDTH])
        full = range(len(row) // tiles.WIDTH)
        row = [merkle.nodes(row[n * tiles.WIDTH : (n + 1) * tiles.WIDTH])(tiles.HEIGHT, 0) for n in full]
        level += 1
    return found


def each(work: Callable[[int], object], times: int, clock: Callable[[], float]) -> float:
    """The median of single calls."""
    for number in range(WARM_UP):
        work(number)
    taken = []
    for number in range(WARM_UP, WARM_UP + times):
        began = clock()
        work(number)
        taken.append(clock() - began)
    return statistics.median(taken)


def in_turn(first: Callable[[int], object], second: Callable[[int], object], times: int) -> tuple[float, float]:
    """The medians of single calls of two kinds, one of each at a time, in wall seconds."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + times):
        for work, seconds in zip((first, second), taken, strict=True):
            began = time.perf_counter()
            work(number)
            seconds.append(time.perf_counter() - began)
    return statistics.median(taken[0][WARM_UP:]), statistics.median(taken[1][WARM_UP:])


def tree_append(stored: dict[tuple[int, int], bytes], size: int, times: int) -> float:
    """Processor seconds to add a leaf to the tiles, in memory."""
    kept, leaf = dict(stored), os.urandom(32)

    def append(number: int) -> None:
        for level, index, _, value in tiles.append(lambda *key: kept.get(key, b""), size + number, leaf):
            kept[level, index] = kept.get((level, index), b"") + value

    return each(append, times, time.process_time)


def peer_append(size: int, times: int) -> float:
    """Processor seconds to add a leaf to the tree of pymerkle, in memory; its own build takes a while."""
    peer, rng = InmemoryTree(algorithm="sha256"), random.Random(size)
    for _ in range(size):
        peer.append_entry(rng.randbytes(32))
    return each(lambda number: peer.append_entry(b"leaf"), times, time.process_time)


def proof_sizes(stored: dict[tuple[int, int], bytes], size: int) -> tuple[int, int]:
    """Hashes in the longest of some inclusion proofs, and in the longest of some consistency proofs."""
    get, rng = tiles.tile_nodes(lambda *key: stored.get(key, b"")), random.Random(size)
    places = [0, size - 1, *(rng.randrange(size) for _ in range(50))]
    inclusion = max(len(merkle.inclusion_proof(get, place, size)) for place in places)
    consistency = max(len(merkle.consistency_proof(get, place + 1, size)) for place in places)
    return inclusion, consistency


def node_append(stored: dict[tuple[int, int], bytes], size: int, times: int) -> tuple[float, float]:
    """Wall seconds of one durable append in a node's own database, and of one bare commit to a file beside it."""
    from django.db import connection
    from django.utils import timezone

    from palermo.node.ledger import actions
    from palermo.node.ledger.models import Log, Tile

    Tile.objects.all().delete()
    rows = (
        Tile(level=level, number=number, width=len(hashes) // 32, hashes=hashes)
        for (level, number), hashes in stored.items()
    )
    Tile.objects.bulk_create(rows, batch_size=500)
    Log.objects.update_or_create(pk=1, defaults={"size": size})
    fields = {"message": "m" * 32, "envelope": "e" * 64, "case": "C-2026-1", "purpose": "a measurement"}

    def append(number: int) -> None:
        actions.append(kind="sent.palermo/benchmark+v1", counterparty="BB-POL", fields=fields, now=timezone.now())

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, row BLOB)")

    def commit(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bare (row) VALUES (%s)", [os.urandom(500)])

    return in_turn(append, commit, times)


def make_node(home: Path) -> None:
    """An empty node in a folder of its own, in this process."""
    from palermo.config import node_file

    node_file.create(home, node_file.NodeFile("AA-BENCH", https=False))
    os.environ |= {"PALERMO_HOME": str(home), "DJANGO_SETTINGS_MODULE": "palermo.config.settings"}
    os.environ.pop("DATABASE_URL", None)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", "ledger", verbosity=0)


def measure(size: int, times: int) -> Figures:
    """All of it at one size."""
    stored = stored_tiles(size)
    node, commit = node_append(stored, size, times)
    inclusion, consistency = proof_sizes(stored, size)
    tree, peer = tree_append(stored, size, times), peer_append(size, times)
    return Figures(size, tree, peer, node, commit, inclusion, consistency)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--appends", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="palermo-ledger-") as folder:
        make_node(Path(folder) / "home")
        found = [measure(size, options.appends) for size in options.sizes]
    print("   entries   tree/pymerkle   node append/bare commit   inclusion   consistency (hashes)")
    for row in found:
        ratios = f"{row.tree / row.peer:>13.2f}   {row.node / row.commit:>23.2f}"
        print(f"{row.size:>10}   {ratios}   {row.inclusion:>9}   {row.consistency:>11}")
    first, last = found[0], found[-1]
    print(
        f"An append at {last.size} entries takes {last.node / first.node:.2f} times one at {first.size} in a node, "
        f"{last.tree / first.tree:.2f} times in the tree alone."
    )


if __name__ == "__main__":
    main()
