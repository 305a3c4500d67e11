"""A network of many nodes, over bad lines and with machines that stop: what is lost, what is doubled, how fast it goes.

All nodes are the real code in one process (``benchmarks/simulation``): each with its own home, keys, database and
ledger, its posts going through its partners' real web application. A fifth of the posts is lost, half of them with
their answer alone; a tenth arrives twice; every twentieth node stops in each round, in the middle of what it does, and
starts again from its files. In the end every node's books are held against all that may never happen
(docs/explanation/what-may-never-happen.md); the first that did ends the run with exit code 1.

    .venv/bin/python benchmarks/network.py [--nodes 50] [--messages 10000] [--seed N]
"""

import argparse
import random
import sys
import time
from pathlib import Path

from simulation.process import prepared


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=50, help="how many, three at least")
    parser.add_argument("--messages", type=int, default=10_000, help="how many are sent in all")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="repeats a run")
    parser.add_argument("--loss", type=float, default=0.2, help="share of the posts that are lost")
    parser.add_argument("--duplication", type=float, default=0.1, help="share of the posts that arrive twice")
    asked = parser.parse_args()
    if asked.nodes < 3 or asked.messages < 1 or not 0 <= asked.loss + asked.duplication < 1:
        parser.error("three nodes and one message at least; loss and duplication below 1 together")
    print(f"seed {asked.seed}: {asked.nodes} nodes, {asked.messages} messages", flush=True)
    with prepared() as folder:
        run(folder, asked)


def run(folder: Path, asked: argparse.Namespace) -> None:
    """Found a network, let the traffic run, and hold its books against what may never happen."""
    from simulation import founding
    from simulation.invariants import ForbiddenError
    from simulation.traffic import Traffic, tally
    from simulation.world import World

    founded = founding.found(folder / "founded", founding.codes(asked.nodes))
    with World(folder / "world", founded, asked.seed) as world:
        traffic = Traffic(world, asked.messages, asked.loss, asked.duplication)
        began, used = time.monotonic(), time.process_time()
        traffic.run(_tell)
        took, used = time.monotonic() - began, time.process_time() - used
        print(file=sys.stderr)
        try:
            counted = tally(world)
        except ForbiddenError as error:
            sys.exit(f"What may never happen, happened: {error}. Seed {asked.seed}.")
        share = {fault.value: f"{count / traffic.went.total():.1%}" for fault, count in traffic.went.items()}
        print(f"posts            {world.network.posts} in {traffic.rounds} rounds: {share}")
        print(f"machines stopped {world.stops.total()} times, each started again")
        print(f"messages         {counted.sent}, lost {counted.lost}, doubled {counted.doubled}")
        print(f"receipts         {counted.receipts}")
        print(f"ledger entries   {counted.entries_out} sent, {counted.entries_in} received; all ledgers consistent")
        print(
            f"time             {took:.0f} s; of processor {used:.0f} s, {1000 * used / asked.messages:.0f} ms a message"
        )


def _tell(sent: int, settled: int) -> None:
    print(f"\r{sent} sent, {settled} settled", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
