"""``palermo intake``: read files of a known format into FollowTheMoney JSON lines."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from palermo.intake import Summary

EXIT_UNUSABLE = 2
EXIT_REJECTS = 3
PROGRESS_AFTER_SECONDS = 2.0

app = typer.Typer(help="Read a list or a table into entities.")


@app.command(epilog="Formats: csv, ftm, ofac-sdn, uk-conlist, un-sc. Exit: 0 all loaded, 3 some rejected, 2 unusable.")
def intake(
    format_code: Annotated[str, typer.Argument(metavar="FORMAT", help="What the files are, e.g. un-sc.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The files to read.")],
    out: Annotated[Path, typer.Option("--out", help="Where to write the entities, one JSON object a line.")],
    rejects: Annotated[
        Path | None, typer.Option("--rejects", help="Where to write the rows left out, and why.")
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="For csv: what the columns mean (TOML).")] = None,
) -> None:
    """Read FILE... as FORMAT and write FollowTheMoney entities to --out.

    A row that can't be used is named with file, line and reason, and the rest is loaded.
    """
    from palermo.intake import IntakeError
    from palermo.intake import intake as run_intake

    paths = [*files, *([mapping] if mapping else [])]
    try:
        with _progress(paths) as on_progress:
            summary = run_intake(format_code, paths, out, rejects, on_progress)
    except IntakeError as error:
        typer.echo(f"palermo intake: {error}", err=True)
        raise typer.Exit(EXIT_UNUSABLE) from error
    _report(summary, out, rejects)
    if summary.rejected:
        raise typer.Exit(EXIT_REJECTS)


@contextmanager
def _progress(paths: list[Path]) -> Generator[Callable[[int], None]]:
    """A bar of bytes read on stderr, from the second second on, and only where somebody watches."""
    import sys

    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    total = sum(path.stat().st_size for path in paths if path.is_file())
    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("read", total=total)
    began = time.monotonic()

    def advance(count: int) -> None:
        bar.advance(task, count)
        if not bar.live.is_started and time.monotonic() - began > PROGRESS_AFTER_SECONDS:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()


def _report(summary: Summary, out: Path, rejects: Path | None) -> None:
    """Rejects go to stderr as compilers print faults, the summary to stdout."""
    for reject in summary.first_rejects:
        typer.echo(f"{reject.file}:{reject.line}: {reject.reason}", err=True)
    if (more := summary.rejected - len(summary.first_rejects)) > 0:
        typer.echo(
            f"and {more} more: {f'see {rejects}' if rejects else 'name a file with --rejects to keep them'}", err=True
        )
    typer.echo(f"Loaded {summary.entities:,} entities into {out}; rejected {summary.rejected:,} rows.")
    for schema, count in sorted(summary.loaded.items()):
        typer.echo(f"  {schema:<16}{count:>9,}")
