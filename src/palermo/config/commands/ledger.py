"""``palermo ledger``: audit a node's log where it is stored, or an exported part of one anywhere."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palermo.cli.ledger import verify
from palermo.config.commands import Home, enter, stop
from palermo.sealing.checkpoint import MAX_CHECKPOINT_BYTES
from palermo.sealing.cosignature import MAX_LINES_BYTES
from palermo.sealing.errors import SealingError
from palermo.sealing.quorum import MAX_WITNESSES

if TYPE_CHECKING:
    from palermo.node.ledger.auditing import Audit, Outside

MAX_NOTE_BYTES = MAX_CHECKPOINT_BYTES + MAX_WITNESSES * MAX_LINES_BYTES

app = typer.Typer(help="Audit a ledger: all of it in its node, or an exported part anywhere.", no_args_is_help=True)
app.command()(verify)


@app.command()
def audit(
    home: Home,
    against: Annotated[
        Path | None, typer.Option(help="A signed checkpoint of this log: from a witness, an envelope or an auditor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Derive the whole log again from what is stored, and name the first entry that does not fit.

    Exit code 0: all fits. 1: something does not, or the log is not the one that the checkpoint was signed for. 2: the
    arguments cannot be used.
    """
    enter(home)
    from palermo.node.ledger import auditing, queries

    outside = None if against is None else _read(against)
    with _progress(queries.size(), shown=not as_json) as progress:
        found = auditing.audit(progress, outside)
    typer.echo(json.dumps(_as_json(found), indent=2) if as_json else "\n".join(_lines(found)))
    raise typer.Exit(0 if found.whole else 1)


def _read(path: Path) -> "Outside":
    from palermo.node.directory.queries import DirectoryError
    from palermo.node.ledger import auditing

    try:
        with path.open("rb") as file:
            text = file.read(MAX_NOTE_BYTES + 1).decode("utf-8")
        if len(text) > MAX_NOTE_BYTES:
            raise stop(f"{path} is longer than any checkpoint ({MAX_NOTE_BYTES} bytes).")
        return auditing.read_outside(text)
    except (OSError, UnicodeDecodeError) as error:
        raise stop(f"{path} cannot be read: {error}") from error
    except (SealingError, DirectoryError) as error:
        raise stop(f"{path} is no checkpoint of this node's log ({error}).") from error


@contextmanager
def _progress(entries: int, *, shown: bool) -> Iterator[Callable[[int], object]]:
    """A bar on standard error, where somebody looks at it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Deriving entries"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("", total=entries)
        yield lambda done: bar.update(task, completed=done)


def _lines(found: "Audit") -> Iterator[str]:
    yield f"{found.entries} entries and {found.checkpoints} checkpoints were derived again."
    first = found.first
    if first is not None:
        yield f"The first that does not fit: {_sentence(first)}"
        yield from (f"    {_sentence(fault)}" for fault in found.faults if fault is not first)
    if found.outside is not None:
        yield f"Against the checkpoint of {found.outside.size} entries, cosigned by {found.outside.cosigned}:"
        yield f"    {found.parts or 'it is of this log, which continues it.'}"
    yield "The log is whole." if found.whole else "Do not append to this log: tell its partners, and restore the node."


def _sentence(fault: Any) -> str:
    return f"{fault.what}, {fault.where}: {fault.detail}"


def _as_json(found: "Audit") -> dict[str, Any]:
    def fields(fault: Any) -> dict[str, Any]:
        return {"what": fault.what, "where": fault.where, "detail": fault.detail, "entry": fault.entry}

    outside = found.outside
    return {
        "whole": found.whole,
        "entries": found.entries,
        "checkpoints": found.checkpoints,
        "first": None if found.first is None else fields(found.first),
        "faults": [fields(fault) for fault in found.faults],
        "against": None
        if outside is None
        else {
            "size": outside.size,
            "consistent": not found.parts,
            "detail": found.parts,
            "cosigned_by": list(outside.cosigned.signed),
            "quorum": outside.cosigned.reached,
        },
    }
