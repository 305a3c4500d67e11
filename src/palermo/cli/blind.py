"""``palermo blind``: find what two parties both hold. Both play in this one process, for trials."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from palermo.blind.compare import Common, Comparison
    from palermo.blind.items import Item

EXIT_UNUSABLE = 2
SHOW_EVERY = 1_000
Show = Callable[[int, int | None], None]
"""Called with the selectors done and, where known, their number."""

app = typer.Typer(help="Find what two parties both hold, and nothing else.", no_args_is_help=True)


@app.callback()
def blind() -> None:
    """Find what two parties both hold, and nothing else."""


@app.command()
def compare(
    ours: Annotated[Path, typer.Argument(metavar="OURS", help="Entities of the party that asks (JSON lines).")],
    theirs: Annotated[Path, typer.Argument(metavar="THEIRS", help="Entities of the party that holds (JSON lines).")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the pairs: kind,our_id,their_id.")],
) -> None:
    """Run the blind match between two files of FollowTheMoney entities, both parties in this process.

    Prints the selectors, seconds and bytes of each step. Exit: 0 done, 2 unusable input.
    """
    import os
    import time
    from datetime import UTC, datetime

    from palermo.blind.compare import OURS, THEIRS, Step
    from palermo.blind.compare import compare as run
    from palermo.blind.errors import BlindError

    steps, items = [], []
    with _progress() as show:
        for party, path in ((OURS, ours), (THEIRS, theirs)):
            began = time.perf_counter()
            items.append(_read(path, show))
            steps.append(Step("read", party, len(items[-1]), time.perf_counter() - began, 0))
        try:
            comparison = run(items[0], items[1], now=datetime.now(UTC), rng=os.urandom, progress=show)
            _write(out, comparison.common)
        except (BlindError, OSError) as error:
            raise _unusable(str(error)) from error
    _report(comparison._replace(steps=[*steps, *comparison.steps]), out)


def _read(path: Path, show: Show) -> list[Item]:
    """The selectors of a file's entities; exit 2 if it cannot be read."""
    from palermo.blind.compare import items_of
    from palermo.subjects import EntityError

    items: list[Item] = []
    try:
        for item in items_of(path):
            items.append(item)
            if len(items) % SHOW_EVERY == 0:
                show(len(items), None)
    except EntityError as error:
        raise _unusable(f"{path}: {error}") from error
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror}") from error
    return items


def _unusable(sentence: str) -> typer.Exit:
    typer.echo(f"palermo blind compare: {sentence}", err=True)
    return typer.Exit(EXIT_UNUSABLE)


def _write(out: Path, common: Sequence[Common]) -> None:
    """The pairs as CSV, in order; the file appears whole or not at all."""
    import csv

    growing = out.with_name(out.name + ".partial")
    with growing.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("kind", "our_id", "their_id"))
        writer.writerows(common)
    growing.replace(out)


@contextmanager
def _progress() -> Generator[Show]:
    """A bar on stderr of selectors read, then published, then asked; only where somebody watches."""
    import sys

    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Reading", total=None)

        def show(done: int, total: int | None) -> None:
            name = "Reading" if total is None else "Publishing" if done < total else "Asking"
            bar.update(task, description=name, completed=done, total=None if name == "Asking" else total)

        yield show


def _report(comparison: Comparison, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "party")
    for heading in ("selectors", "seconds", "bytes"):
        table.add_column(heading, justify="right")
    for step in comparison.steps:
        table.add_row(step.name, step.party, f"{step.selectors:,}", f"{step.seconds:.3f}", f"{step.bytes:,}")
    Console().print(table)
    pairs = {(one.our_id, one.their_id) for one in comparison.common}
    typer.echo(f"{len(pairs):,} pairs of entities share a selector; wrote {len(comparison.common):,} rows to {out}.")
