"""How long ``palermo COMMAND --help`` takes, beside an empty interpreter and beside one that only imports typer.

Processor time of the fastest of several starts, so that other work on the machine does not count. The design asks for
less than 300 ms of every command that needs no node.

    .venv/bin/python benchmarks/start.py [--times 7]
"""

import argparse
import os
import subprocess
import sys

from palermo.cli.main import COMMANDS

MAIN = "from palermo.cli.main import main; main()"


def fastest(times: int, *arguments: str) -> float:
    """Milliseconds of processor time that one start takes."""

    def start() -> float:
        before = os.times()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    return 1000 * min(start() for _ in range(times))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=7, help="starts of each, of which the fastest counts")
    times = parser.parse_args().times
    empty, typer = fastest(times, "-c", ""), fastest(times, "-c", "import typer")
    print(f"{'empty interpreter':<24}{empty:>6.0f} ms\n{'import typer':<24}{typer:>6.0f} ms")
    for command in sorted(COMMANDS):
        took = fastest(times, "-c", MAIN, command, "--help")
        print(f"{'palermo ' + command + ' --help':<24}{took:>6.0f} ms  {took / typer:.1f}x import typer")


if __name__ == "__main__":
    main()
