"""``palermo node transfers``: how far large files are, in both directions."""

import dataclasses
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from palermo.config.commands import Home, enter

if TYPE_CHECKING:
    from rich.table import Table

    from palermo.node.exchange.files.queries import FileRow

FOLLOW_SECONDS = 1.0
_MARKS = {"out": "→", "in": "←"}


def transfers(
    home: Home,
    every: Annotated[bool, typer.Option("--all", help="Show also those that were taken, refused or ended.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Keep showing, until none is under way.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show large files on their way: state, share that has arrived, and what keeps them."""
    enter(home)
    from palermo.node.exchange.files import queries

    if as_json:
        typer.echo(json.dumps([_facts(row) for row in queries.files(settled=every)], indent=2))
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    rows = queries.files(settled=every)
    if follow and console.is_terminal:
        with Live(_table(rows), console=console, auto_refresh=False) as live:
            while any(row.under_way for row in rows):
                time.sleep(FOLLOW_SECONDS)
                rows = queries.files(settled=every)
                live.update(_table(rows), refresh=True)
    elif console.is_terminal:
        console.print(_table(rows))
    else:
        typer.echo("\n".join(map(_line, rows)) or "No large file is on its way.")


def _facts(row: "FileRow") -> dict[str, object]:
    facts = {**dataclasses.asdict(row), "percent": row.percent}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in facts.items()}


def _line(row: "FileRow") -> str:
    said = f"{row.direction:3}  {row.partner:12}  {row.subject:24}  {row.state:8}  {row.percent:3d}%"
    said += f"  {row.arrived}/{row.pieces} pieces  {row.size} bytes"
    return f"{said}  {row.reason or row.problem}".rstrip()


def _table(rows: Sequence["FileRow"]) -> "Table":
    from rich.filesize import decimal
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Partner", "File", "State", "Arrived", "", "Size", "", title="Large files", box=None)
    for row in rows:
        table.add_row(
            _MARKS[row.direction],
            row.partner,
            Text(row.subject),
            row.state,
            ProgressBar(total=100, completed=row.percent, width=24),
            f"{row.percent}%",
            decimal(row.size),
            Text(row.reason or row.problem),
        )
    if not rows:
        table.caption = "No large file is on its way."
    return table
