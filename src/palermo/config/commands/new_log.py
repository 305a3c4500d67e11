"""``palermo ledger draft-new``, ``sign-new``, ``open-new``: begin a log anew where the old one is lost.

The node drafts what is to be signed; whoever holds the network's recovery key signs it on another machine; the node
opens the log with it.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import Home, enter, passphrases, stop
from palermo.config.commands.notes import read_note
from palermo.lake.files import write_whole
from palermo.sealing import new_log as sealed
from palermo.sealing import records
from palermo.sealing.checkpoint import parse_checkpoint
from palermo.sealing.errors import SealingError
from palermo.sealing.records import format_time


def draft_new(
    home: Home,
    out: Annotated[Path, typer.Option(help="File to write; send it to the holder of the network's recovery key.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="A later checkpoint of the lost log, with the cosignatures beneath it.")
    ] = None,
) -> None:
    """Draft the opening of a new log, for a restored node whose log no witness can give back.

    It cites the newest checkpoint that a witness cosigned, of those in the back-up, those that witnesses sent, and the
    one given with --checkpoint. Exit code 0: written. 1: there is nothing to open, or to cite.
    """
    enter(home)
    from palermo.node.directory.queries import DirectoryError
    from palermo.node.ledger import actions
    from palermo.node.office.errors import NodeError

    outside = None if checkpoint is None else read_note(checkpoint)
    try:
        opening = actions.draft(outside, now=datetime.now(UTC))
    except (SealingError, NodeError, DirectoryError) as error:
        raise stop(str(error), 1) from error
    write_whole(out, records.to_bytes(opening))
    typer.echo("\n".join(_lines(opening)))
    typer.echo(f"Written to {out}. The holder of the recovery key signs it: palermo ledger sign-new {out}")


def sign_new(
    file: Annotated[Path, typer.Argument(help="The draft, as the node wrote it.")],
    key: Annotated[str, typer.Option("--key", help="URI of the recovery key, such as file:/media/stick/recovery.key.")],
    out: Annotated[Path, typer.Option(help="File to write; send it back to the node.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before signing.")] = False,
) -> None:
    """Sign the opening of a new log with the recovery key, after showing what it says. Needs no node.

    Ask the authority and a witness, in person or by telephone, whether the log is really lost: from then on partners
    take the new one.
    """
    try:
        opening = records.from_bytes(sealed.Opening, _bytes(file), str(file), max_bytes=sealed.MAX_OPENING_BYTES)
    except SealingError as error:
        raise stop(f"{file} is no draft of an opening ({error}).") from error
    typer.echo("\n".join(_lines(opening)))
    if not yes and not typer.confirm("Sign this?"):
        raise typer.Exit(1)
    signer = passphrases.open_key(key, Path.cwd())
    try:
        write_whole(out, sealed.sign_opening(opening, signer))
    except (SealingError, OSError) as error:
        raise stop(str(error), 1) from error
    typer.echo(f"Signed with the key {signer.key_id}: {out}")


def open_new(
    home: Home, file: Annotated[Path, typer.Argument(help="The opening, signed with the recovery key.")]
) -> None:
    """Open a new log with a signed opening: it becomes the first entry, and every partner is told.

    The running node then asks partners for what passed since the back-up, as after any restoration. Called again with
    the same file it changes nothing.
    """
    enter(home)
    from palermo.node.directory.queries import DirectoryError
    from palermo.node.exchange import recovery
    from palermo.node.office.errors import NodeError

    try:
        opening = recovery.open_new_log(_bytes(file), now=datetime.now(UTC))
    except (SealingError, NodeError, DirectoryError) as error:
        raise stop(f"No new log was opened: {error}", 1) from error
    typer.echo(f"{opening.origin} is open; its first entry is number {opening.first}. Take a new back-up now.")


def _bytes(file: Path) -> bytes:
    """A file's content, and no more of it than shows that it is too large; ends the command where it cannot be read."""
    try:
        with file.open("rb") as opened:
            return opened.read(sealed.MAX_OPENING_BYTES + 1)
    except OSError as error:
        raise stop(f"{file} cannot be read: {error}") from error


def _lines(opening: sealed.Opening) -> list[str]:
    """What an opening says, for who signs it."""
    cited = parse_checkpoint(opening.checkpoint) if opening.checkpoint else None
    by = ", ".join(one.witness for one in opening.cosignatures) or "nobody"
    lost = f"{opening.kept} to {opening.first - 1}" if opening.kept < opening.first else "none that was cosigned"
    return [
        f"{opening.authority} in {opening.network} lost its log {opening.lost_origin}, and would go on with "
        f"{opening.origin}.",
        f"Last checkpoint: {cited.size} entries, root {cited.root.hex()}" if cited else "It cites no checkpoint.",
        f"Cosigned by: {by}",
        f"Entries that it still holds: {opening.kept}. Lost: {lost}. The new log begins at entry {opening.first}.",
        f"Drafted {format_time(opening.drafted_at)}",
    ]
