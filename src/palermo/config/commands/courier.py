"""``palermo courier``: move sealed messages by USB stick, with the same receipts as by line."""

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palermo.config.commands import Home, enter, stop

if TYPE_CHECKING:
    from palermo.node.exchange.courier import Exported
    from palermo.node.exchange.courier_arrivals import Imported, PartFault

EXIT_REFUSED = 1
EXIT_UNUSABLE = 2
EXIT_PARTLY = 3
EXIT_NOTHING = 4
PROGRESS_AFTER_SECONDS = 2.0
MOST_NAMED = 20

app = typer.Typer(help="Carry sealed messages by USB stick where no line goes, with the same receipts.")


@app.command(epilog="Exit: 0 written, 1 not written (full or unwritable), 2 unusable arguments, 4 nothing to carry.")
def export(
    home: Home,
    file: Annotated[Path, typer.Argument(help="File to write; or a folder, such as the stick's: the file is named.")],
    to: Annotated[str, typer.Option("--to", metavar="AUTHORITY", help="Whom it is for: a code of the directory.")],
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Leave out what an earlier file or a relay took already.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE if it is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write to FILE what waits for AUTHORITY, sealed: messages without receipt, and receipts on their way back.

    Exporting again costs nothing: what arrives twice has its effect once. Tell the courier to deliver before the times
    that are printed.
    """
    enter(home)
    from django.utils import timezone

    from palermo.node.directory.queries import DirectoryError
    from palermo.node.exchange import courier

    now = timezone.now().replace(microsecond=0)
    path = file / courier.file_name(to, now) if file.is_dir() else file
    if path.exists() and not overwrite:
        raise stop(f"{path} is there already. Choose another name, or give --overwrite.", EXIT_UNUSABLE)
    try:
        with _progress("Writing") as progress:
            done = courier.export(path, recipient=to, only_new=only_new, now=now, progress=progress)
    except courier.NothingToCarryError as error:
        raise stop(error.sentence, EXIT_NOTHING) from error
    except DirectoryError as error:
        raise stop(str(error), EXIT_UNUSABLE) from error
    except OSError as error:
        raise stop(f"{path} could not be written ({error.strerror}). Nothing is lost: export again.", 1) from error
    typer.echo(json.dumps(_exported_facts(done), indent=2) if as_json else _exported_words(done))
    for warning in done.warnings(now):
        typer.echo(f"palermo: {warning}", err=True)


@app.command(name="import", epilog="Exit: 0 all taken, 1 refused, 2 unusable arguments, 3 some parts were not taken.")
def import_(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The courier file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what became of it as JSON.")] = False,
) -> None:
    """Take in FILE. A damaged part costs that part alone; importing twice changes nothing.

    Receipts go back by line where the directory gives one, else with the next `palermo courier export`.
    """
    enter(home)
    from django.utils import timezone

    from palermo.node.exchange import courier_arrivals

    try:
        with file.open("rb") as stream, _progress("Reading", file.stat().st_size) as progress:
            done = courier_arrivals.import_stream(stream, now=timezone.now(), progress=progress)
    except courier_arrivals.CourierRefusalError as error:
        raise stop(error.sentence, EXIT_REFUSED) from error
    except OSError as error:
        raise stop(
            f"{file} could not be read ({error.strerror}). Copy it from the stick again.", EXIT_UNUSABLE
        ) from error
    typer.echo(json.dumps(_imported_facts(done), indent=2) if as_json else _imported_words(done))
    if not done.whole:
        raise typer.Exit(EXIT_PARTLY)


# --- what is printed ------------------------------------------------------------------------


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _exported_facts(done: "Exported") -> dict[str, object]:
    return {
        "file": str(done.path),
        "recipient": done.manifest.recipient,
        "messages": done.messages,
        "letters": done.letters,
        "pieces": done.pieces,
        "bytes": done.manifest.size,
        "carried_before": done.carried_before,
        "left": done.left,
        "keys_end_at": _time(done.manifest.keys_end_at),
        "opens_until": _time(done.opens_until),
        "deliver_before": _time(done.manifest.deliver_before),
        "sha256": done.digest,
    }


def _exported_words(done: "Exported") -> str:
    what = f"{_counted(done.messages, 'message')}, {_counted(done.letters, 'letter')}"
    if done.pieces:
        what += f", {_counted(done.pieces, 'piece')} of files"
    lines = [
        f"{done.path}: {what} for {done.manifest.recipient}, {done.manifest.size:,} bytes.",
        f"The first recipient key ends {_time(done.manifest.keys_end_at)}; it opens until {_time(done.opens_until)}.",
    ]
    if done.manifest.deliver_before:
        lines.append(f"Deliver before {_time(done.manifest.deliver_before)}.")
    if done.carried_before:
        lines.append(f"{done.carried_before} of the parts were carried before, without a receipt so far.")
    return "\n".join(lines)


def _imported_facts(done: "Imported") -> dict[str, object]:
    return {
        "sender": done.manifest.sender,
        "made_at": _time(done.manifest.made_at),
        "new": done.new,
        "known": done.known,
        "letters": done.letters,
        "rejected": [_fault(fault) for fault in done.rejected],
        "damaged": [_fault(fault) for fault in done.damaged],
        "later": [_fault(fault) for fault in done.later],
        "fault": done.fault,
    }


def _fault(fault: "PartFault") -> dict[str, object]:
    return {"part": fault.number, "digest": fault.digest, "reason": fault.reason}


def _imported_words(done: "Imported") -> str:
    sender = done.manifest.sender
    lines = [
        f"From {sender}, made {_time(done.manifest.made_at)}: {done.new} new, {done.known} known before, "
        f"{_counted(done.letters, 'letter')}, {len(done.rejected)} rejected, {len(done.damaged)} damaged, "
        f"{len(done.later)} to be imported again."
    ]
    for word, faults in (("rejected", done.rejected), ("damaged", done.damaged), ("import again", done.later)):
        lines += [f"  part {fault.number}, {word}: {fault.reason}" for fault in faults[:MOST_NAMED]]
        if len(faults) > MOST_NAMED:
            lines.append(f"  and {len(faults) - MOST_NAMED} more")
    if done.fault:
        lines.append(f"The file as a whole: {done.fault}.")
    if done.damaged:
        lines.append(f"Ask {sender} to export again; what was taken stays taken.")
    if done.new or done.known or done.rejected:
        lines.append(f"The receipts go back by line, or: palermo courier export FILE --to {sender}")
    return "\n".join(lines)


@contextmanager
def _progress(word: str, total: int | None = None) -> Generator[Callable[[int], None]]:
    """A bar of bytes on stderr, from the second second on, and only where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(word), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(word, total=total)
    began = time.monotonic()

    def advance(count: int) -> None:
        bar.advance(task, count)
        if not bar.live.is_started and time.monotonic() - began > PROGRESS_AFTER_SECONDS:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()
