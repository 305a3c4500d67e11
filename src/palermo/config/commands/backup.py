"""``palermo node backup`` and ``palermo node restore``: a whole node in one file, under a passphrase."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.backup.content import Description
from palermo.config.commands import Home, enter, passphrases, stop
from palermo.sealing.errors import SealingError

VARIABLE = "PALERMO_BACKUP_PASSPHRASE"
_STEP = 64 << 20


def backup(
    home: Home,
    file: Annotated[Path, typer.Argument(help="New file for the back-up.")],
) -> None:
    """Back up the node into one file, while it works: database, keys and all files, locked by a passphrase.

    The passphrase comes from PALERMO_BACKUP_PASSPHRASE or PALERMO_BACKUP_PASSPHRASE_FILE; without them you are asked.
    """
    passphrase = passphrases.new("Passphrase of the back-up", variable=VARIABLE)
    enter(home)
    from palermo.config.backup import making

    try:
        size = making.make(file, passphrase, now=datetime.now(UTC), progress=_progress("backed up"))
    except (SealingError, OSError) as error:
        raise stop(f"There is no back-up: {error}", 1) from error
    typer.echo(f"{size:,} bytes backed up to {file}. Keep the passphrase apart from it.")


def restore(
    file: Annotated[Path, typer.Argument(help="The back-up.")],
    home: Annotated[Path, typer.Option("--home", help="New folder for the node.")],
) -> None:
    """Restore a node from a back-up into a new folder (and the empty database that DATABASE_URL names, if it does).

    The node appends and sends nothing until its log was recovered from its witnesses: start it, and it asks them.
    """
    passphrase = passphrases.given(VARIABLE) or passphrases.asked("Passphrase of the back-up")
    from palermo.config.backup import restoring

    os.umask(0o077)
    try:
        folder, described = restoring.unpack(file, passphrase, home, _progress("read"))
        if described.database == "sqlite":
            restoring.place_sqlite(folder)
        else:
            _load(folder, described)
        restoring.finish(folder, home)
    except (SealingError, OSError) as error:
        raise stop(f"Nothing was restored: {error}", 1) from error
    typer.echo(f"{described.authority}, as it was at {described.created_at:%Y-%m-%d %H:%M} UTC, is in {home}.")
    typer.echo(f"Its log had {described.log_size} entries. Start it: it first recovers what is newer.")


def _load(folder: Path, described: Description) -> None:
    from palermo.config import node_file

    node_file.keep_database_url(folder / "home", os.environ.get("DATABASE_URL", ""))
    enter(folder / "home")
    from django.db import connection

    from palermo.config.backup import databases
    from palermo.sealing.errors import FormatError

    if connection.vendor != "postgresql":
        raise FormatError("back-up", "is of a node on PostgreSQL: name an empty database in DATABASE_URL")
    databases.load(folder / "database", described.tables, described.migrations)


def _progress(done: str) -> Callable[[int], None]:
    """Tells how far it is, every 64 MiB, on standard error."""
    told = 0

    def tell(size: int) -> None:
        nonlocal told
        if size - told >= _STEP:
            told = size
            typer.echo(f"{size >> 20:,} MiB {done}", err=True)

    return tell


def recover(
    home: Home,
    ask_again: Annotated[bool, typer.Option("--ask-again", help="Ask witnesses and partners once more.")] = False,
    skip: Annotated[
        list[str] | None, typer.Option(help="Code of a partner that will not answer; repeatable. You send to it again.")
    ] = None,
    without_witnesses: Annotated[
        bool, typer.Option("--without-witnesses", help="Go on from the back-up's own log: others may see a fork.")
    ] = False,
) -> None:
    """Say how far a restored node's recovery is: exit 0 when there is nothing to recover, else 3.

    The running node recovers by itself. Where no witness keeps the log's tiles, open a new log (palermo ledger
    draft-new). --without-witnesses is for a network without witnesses and without a recovery key: partners that hold a
    later checkpoint will name this node for showing two histories.
    """
    enter(home)
    from palermo.node import restored

    if ask_again:
        restored.ask_again()
    for code in skip or []:
        restored.note_answered(code)
    if without_witnesses:
        restored.note_log_recovered()
    mark = restored.read()
    if mark is None:
        typer.echo("There is nothing to recover.")
        return
    typer.echo(f"Restored from a back-up of {mark.backed_up_at:%Y-%m-%d %H:%M} UTC, with {mark.log_size} log entries.")
    typer.echo("The log is recovered." if mark.log_recovered else _waiting())
    if mark.waiting is None:
        typer.echo("Nobody was asked yet: start the node (palermo node serve).")
    elif mark.waiting:
        typer.echo(f"Nothing new is sent before these partners have answered: {', '.join(mark.waiting)}")
    raise typer.Exit(3)


def _waiting() -> str:
    """Why nothing is appended yet, and what to do where waiting will not help."""
    from palermo.node.ledger.actions.recovering import nobody_keeps_it

    if nobody_keeps_it():
        return "No witness keeps this node's log, so nothing is appended. Open a new one: palermo ledger draft-new"
    return "The log waits for its witnesses: nothing is appended."
