"""``palermo ledger``: audit a node's log where it is stored, or an exported part of one anywhere."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palermo.cli.ledger import verify
from palermo.config.commands import Home, enter, new_log
from palermo.config.commands.notes import read_note

if TYPE_CHECKING:
    from palermo.node.ledger.auditing import Audit
    from palermo.node.ledger.beginnings import Begun

app = typer.Typer(help="Audit a ledger: all of it in its node, or an exported part anywhere.", no_args_is_help=True)
app.command()(verify)
for _command in (new_log.draft_new, new_log.sign_new, new_log.open_new):
    app.command()(_command)


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

    outside = None if against is None else read_note(against)
    with _progress(queries.size(), shown=not as_json) as progress:
        found = auditing.audit(progress, outside)
    typer.echo(json.dumps(_as_json(found), indent=2) if as_json else "\n".join(_lines(found)))
    raise typer.Exit(0 if found.whole else 1)


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
    yield from (_opening(one) for one in found.logs)
    first = found.first
    if first is not None:
        yield f"The first that does not fit: {_sentence(first)}"
        yield from (f"    {_sentence(fault)}" for fault in found.faults if fault is not first)
    if found.outside is not None:
        yield f"Against the checkpoint of {found.outside.size} entries, cosigned by {found.outside.cosigned}:"
        yield f"    {found.parts or 'it is of this log, which continues it.'}"
    yield "The log is whole." if found.whole else "Do not append to this log: tell its partners, and restore the node."


def _opening(one: "Begun") -> str:
    by = ", ".join(one.cosigned_by) or "nobody"
    lost = f"Entries {one.kept} to {one.first - 1} are lost. " if one.kept < one.first else ""
    return (
        f"From entry {one.first} on it is {one.origin}, which the recovery key opened for the lost {one.lost_origin}. "
        f"{lost}Of that the checkpoint of {one.cited_size} entries is cited, cosigned by {by}."
    )


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
        "new_logs": [
            {
                "origin": one.origin,
                "first_entry": one.first,
                "lost_origin": one.lost_origin,
                "kept_entries": one.kept,
                "cited_size": one.cited_size,
                "cited_root": one.cited_root.hex(),
                "cosigned_by": list(one.cosigned_by),
            }
            for one in found.logs
        ],
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
