"""How fast each list is read, and in how much memory, against a bare read of the same file in the same run.

    python benchmarks/intake.py [--data FOLDER] [--repeat N]

For each format: records a second; the time as a multiple of what the standard library takes just to parse the file
(``xml.etree.ElementTree.iterparse`` or ``csv.reader``, keeping nothing); and the peak of memory, each in a process of
its own, as a multiple of that bare read's. Loading the FollowTheMoney model is left out of the time (it is done once a
process) and counted in the memory.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "lists"
LISTS = {
    "un-sc": ["un/un_2025-04-19.xml"],
    "ofac-sdn": ["ofac/2021-07_sdn.csv", "ofac/2021-07_alt.csv", "ofac/2021-07_add.csv"],
    "uk-conlist": ["uk/conlist_2018-04-13.csv"],
}


def bare(paths: list[Path]) -> Callable[[], Iterator[object]]:
    """A generator of what the standard library alone makes of the files."""

    def read() -> Iterator[object]:
        for path in paths:
            if path.suffix == ".xml":
                for _, element in ET.iterparse(path):
                    yield element.tag
                    element.clear()
            else:
                with path.open(newline="", encoding="utf-8") as file:
                    yield from csv.reader(file)

    return read


def full(code: str, paths: list[Path]) -> Callable[[], Iterator[object]]:
    """A generator of the entities."""
    from palermo.intake import formats
    from palermo.intake.model import cleaned

    cleaned("Person", "nationality", "Kenya")  # loads the model and its tables of countries
    return lambda: formats()[code].read(paths, lambda _: None)


def measure(code: str, how: str, data: Path, repeat: int) -> None:
    """Run in a process of its own and print records, best seconds and peak kibibytes as JSON."""
    paths = [data / name for name in LISTS[code]]
    read = bare(paths) if how == "bare" else full(code, paths)
    seconds, count = float("inf"), 0
    for _ in range(repeat):
        began = time.perf_counter()
        count = sum(1 for _ in read())
        seconds = min(seconds, time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"records": count, "seconds": seconds, "kibibytes": peak}))


def measured(code: str, how: str, arguments: argparse.Namespace) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, __file__, "--data", str(arguments.data), "--repeat", str(arguments.repeat)]
    output = subprocess.run([*command, "--one", code, how], check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(output)
    return result


def main() -> None:
    """Measure all lists and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        code, how = arguments.one
        measure(code, how, arguments.data, arguments.repeat)
        return
    if not arguments.data.is_dir():
        sys.exit(f"no lists in {arguments.data}: give their folder with --data")
    print(f"{'format':<12}{'entities':>9}{'a second':>10}{'time / bare':>13}{'memory MB':>11}{'memory / bare':>15}")
    for code in LISTS:
        own, least = measured(code, "full", arguments), measured(code, "bare", arguments)
        print(
            f"{code:<12}{own['records']:>9,.0f}{own['records'] / own['seconds']:>10,.0f}"
            f"{own['seconds'] / least['seconds']:>12.1f}x{own['kibibytes'] / 1024:>11.0f}"
            f"{own['kibibytes'] / least['kibibytes']:>14.1f}x"
        )


if __name__ == "__main__":
    main()
