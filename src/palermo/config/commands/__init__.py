"""Commands that run inside a node: they set Django up for a home folder and call the apps' actions."""

import os
from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path, typer.Option("--home", help="The node's home folder.", envvar="PALERMO_HOME", show_default=False)
]


def stop(sentence: str, code: int = 2) -> typer.Exit:
    """Say what is wrong on standard error; raise what this returns."""
    typer.echo(f"palermo: {sentence}", err=True)
    return typer.Exit(code)


def enter(home: Path) -> None:
    """Set Django up for the node in ``home``; ends the command with a sentence where that is no node."""
    from palermo.config import node_file

    try:
        node_file.read(home)
    except node_file.NodeFileError as error:
        raise stop(str(error)) from error
    os.umask(0o077)  # what a node writes is for its own account alone
    os.environ["PALERMO_HOME"] = str(home.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "palermo.config.settings")
    import django

    django.setup()
    from palermo.config import wiring

    wiring.connect()
