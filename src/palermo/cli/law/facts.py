"""``palermo law facts`` and ``palermo law offences``: an administrator's files checked, and the taxonomy shown."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from palermo.law.register import Register

Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--facts",
        help="An administrator's file that is laid over the facts (may be repeated). Those in the folder 'law' of "
        "PALERMO_HOME are read first.",
    ),
]


def register_of(given: list[Path] | None) -> "Register":
    """The facts with the node's files and the given ones laid over them; exit code 2 where one is unusable."""
    from palermo.law.register import load
    from palermo.law.strict import FactsError

    home = os.environ.get("PALERMO_HOME")
    kept = sorted((Path(home) / "law").glob("*.toml")) if home else []
    try:
        return load([*kept, *(given or [])])
    except FactsError as error:
        typer.echo(f"{error.source} cannot be used:", err=True)
        for problem in error.problems:
            typer.echo(f"  {problem}", err=True)
        typer.echo("Mend this and try again; 'palermo law facts FILE' checks a file.", err=True)
        raise typer.Exit(2) from error


def facts(files: Annotated[list[Path], typer.Argument(help="The files, in the order in which they count.")]) -> None:
    """Check an administrator's files of treaties, parties and declarations, and say what they add.

    Exit code 0: they can be used. 2: one cannot, and every fault of it is named.
    """
    from palermo.law.register import KINDS

    register = register_of(files)
    for kind in KINDS:
        if rows := getattr(register, kind):
            typer.echo(f"{len(rows):>5}  [[{kind}]]")
    typer.echo("These files can be used.")


def offences(
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List the offences by code: what was done, where the instruments speak of it, and what laws call it."""
    import json

    from palermo.law.offences import offences as every
    from palermo.law.shape import plain

    if as_json:
        typer.echo(json.dumps(plain(list(every().values())), indent=2, ensure_ascii=False))
        return
    for offence in every().values():
        typer.echo(f"{offence.code}: {offence.conduct}")
        if offence.covers:
            typer.echo("    " + ", ".join(f"{one.instrument} {one.cite} ({one.how})" for one in offence.covers))
        if offence.names:
            typer.echo("    " + "; ".join(offence.names))
