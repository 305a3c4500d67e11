"""What publishing and asking cost, as a ratio to the two libsodium calls that no blind match can do without.

The yardstick is a bare loop of hash-to-group and scalar multiplication through ``rbcl`` on the same cores in the same
run. Publishing needs one of each an item; a query needs one hash and six multiplications (blind, evaluate, prove,
verify twice, unblind). Times are processor seconds of all threads, so that other work on the machine does not count.

    .venv/bin/python benchmarks/blind.py [--published 10000] [--asked 5000]
"""

import argparse
import importlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from palermo.blind import Item, filters, group
from palermo.blind.compare import Step, compare

YARDSTICK_ELEMENTS = 10_000


def bare_loop(elements: int) -> float:
    """Processor seconds for one hash-to-group and one scalar multiplication an element, on all cores."""
    rbcl = importlib.import_module("rbcl")
    scalar = group.random_scalar(os.urandom)
    cores = len(os.sched_getaffinity(0))
    parts = [[os.urandom(64) for _ in range(elements // cores)] for _ in range(cores)]

    def work(part: list[bytes]) -> None:
        for digest in part:
            rbcl.crypto_scalarmult_ristretto255(scalar, rbcl.crypto_core_ristretto255_from_hash(digest))

    began = time.process_time()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, parts))
    return time.process_time() - began


def items(numbers: range, owner: str) -> list[Item]:
    """Invented phone numbers."""
    return [Item("phone", f"+999{number:09}", f"{owner}/{number}") for number in numbers]


def fastest(measure: Callable[[], float], times: int = 3) -> float:
    """The least of several measurements: other work on the machine only adds."""
    return min(measure() for _ in range(times))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--published", type=int, default=10_000)
    parser.add_argument("--asked", type=int, default=5_000)
    options = parser.parse_args()
    held = items(range(options.published), "h")
    asked = items(range(options.published - options.asked // 10, options.published + options.asked * 9 // 10), "q")

    bare = fastest(lambda: bare_loop(YARDSTICK_ELEMENTS)) / YARDSTICK_ELEMENTS
    now = datetime.now(UTC)
    runs = [compare(asked, held, now=now, rng=os.urandom, clock=time.process_time) for _ in range(3)]
    steps = [min(same, key=lambda step: step.seconds) for same in zip(*(run.steps for run in runs), strict=True)]
    report(bare, steps, options.published, options.asked)


def report(bare: float, steps: list[Step], published: int, asked: int) -> None:
    """One row a step: microseconds and bytes an item of the party's own, and the ratio to the bare loop."""
    print(f"bare loop (hash to group, multiply): {bare * 1e6:.1f} processor us an element")
    print(f"{published:,} items published, {asked:,} asked, one in ten held by both\n")
    print(f"{'step':<10}{'party':<8}{'seconds':>9}{'us/item':>9}{'x bare':>8}{'bytes':>12}{'bytes/item':>12}")
    for step in steps:
        of = published if step.name == "publish" else asked
        each = step.seconds / of
        print(
            f"{step.name:<10}{step.party:<8}{step.seconds:>9.3f}{each * 1e6:>9.1f}{each / bare:>8.2f}"
            f"{step.bytes:>12,}{step.bytes / of:>12.2f}"
        )
    query = sum(step.seconds for step in steps if step.name != "publish") / asked
    print(f"\npublish: {steps[0].seconds / published / bare:.2f} x bare; a whole query: {query / bare:.2f} x bare")
    print(f"a filter of {published:,} items is padded to {filters.padded_count(published):,}")


if __name__ == "__main__":
    main()
