"""A directory or trust root on its way between founders: show it, add a signature, see who still has to sign."""

import json
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import passphrases, stop
from palermo.lake.files import write_whole
from palermo.sealing import directory as sealed
from palermo.sealing import founding, records, trust_root
from palermo.sealing.errors import SealingError

PROPOSED, SIGNED = ".proposed", ".signed"

Root = Annotated[Path, typer.Option("--root", help="The network's trust root, or the chain of them.")]


def add_signature(
    file: Annotated[Path, typer.Argument(help="The directory or trust root to sign, as another founder sent it.")],
    root: Root,
    key: Annotated[str, typer.Option("--key", help="URI of your founder's key, such as file:my.key.")],
    current: Annotated[Path | None, typer.Option(help="The signed directory in force, to see what changes.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before signing.")] = False,
) -> None:
    """Add your signature to what another founder drafted, after showing what changes.

    When enough have signed, NAME.proposed is renamed to NAME.signed.
    """
    try:
        present, data = trust_root.read_trust(root.read_bytes()), file.read_bytes()
        draft = founding.read_draft(data, present.roots[-1])
        lines = _content_lines(draft, current, present)
    except (SealingError, OSError) as error:
        raise stop(str(error), 1) from error
    typer.echo("\n".join(lines))
    if not yes and not typer.confirm("Sign this?"):
        raise typer.Exit(1)
    signer = passphrases.open_key(key, Path.cwd())
    try:
        signed = founding.add_founder(data, present.roots[-1], signer)
        standing = founding.read_draft(signed, present.roots[-1])
    except SealingError as error:
        raise stop(str(error), 1) from error
    path = put(file, signed, standing)
    typer.echo(f"Signed: {path}")
    tell_needs(standing, path)


def status(
    file: Annotated[Path, typer.Argument(help="A directory or trust root, signed or on its way.")],
    root: Root,
    current: Annotated[Path | None, typer.Option(help="The signed directory in force, to see what changes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what a directory or trust root says, who has signed it, and who still has to: exit 0 if complete, else 3."""
    try:
        present = trust_root.read_trust(root.read_bytes())
        draft = founding.read_draft(file.read_bytes(), present.roots[-1])
        lines = _content_lines(draft, current, present)
    except (SealingError, OSError) as error:
        raise stop(str(error), 1) from error
    if as_json:
        typer.echo(json.dumps(_as_json(draft, lines), indent=2))
    else:
        typer.echo("\n".join([*lines, *(f"Signed by {key_id}" for key_id in draft.signed)]))
        tell_needs(draft, file)
    if not draft.complete:
        raise typer.Exit(3)


def _as_json(draft: founding.Draft, lines: list[str]) -> dict[str, object]:
    needs = [
        {"root": need.whose, "threshold": need.threshold, "missing": need.missing, "may_sign": list(need.may_sign)}
        for need in draft.needs
    ]
    return {
        "kind": draft.kind,
        "version": draft.version,
        "complete": draft.complete,
        "signed": list(draft.signed),
        "needs": needs,
        "content": lines,
    }


def _content_lines(draft: founding.Draft, current: Path | None, trust: trust_root.Trust) -> list[str]:
    if isinstance(draft.content, trust_root.TrustRoot):
        new = draft.content
        founders = [f"Founder {key_id}" for key_id in new.keys]
        return [f"Trust root {new.version} of {new.network}: {new.threshold} of {len(founders)}", *founders]
    directory = draft.content
    before = None if current is None else sealed.open_directory(current.read_bytes(), trust)
    until = "never" if directory.expires_at is None else records.format_time(directory.expires_at)
    head = f"Directory {directory.version} of {directory.network}: {len(directory.entries)} authorities, ends {until}"
    return [head, *founding.changes(before, directory)]


def put(path: Path, data: bytes, standing: founding.Draft) -> Path:
    """Write a draft, or the finished file once enough have signed: ``.proposed`` becomes ``.signed``."""
    if not standing.complete:
        write_whole(path, data)
        return path
    finished = path.with_suffix(SIGNED)
    write_whole(finished, data)
    if finished != path:
        path.unlink(missing_ok=True)
    return finished


def tell_needs(standing: founding.Draft, path: Path) -> None:
    """Say who still has to sign, or that nobody has to."""
    if standing.complete:
        typer.echo(f"Complete: {path} can be imported.")
    for need in standing.needs:
        if need.missing:
            typer.echo(f"{need.missing} more must sign, of the founders in {need.whose}: {', '.join(need.may_sign)}")
