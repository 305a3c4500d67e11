"""Entry point: the ``palermo`` command and its groups.

Command modules import their rooms inside the functions, so that ``--help`` answers in a blink.
"""

import typer

import palermo

app = typer.Typer(
    name="palermo",
    help="Fight transnational organised crime together, showing each other no more than needed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"palermo {palermo.__version__}")
        raise typer.Exit


@app.callback()
def palermo_command(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Run ``palermo COMMAND --help`` for each command's options."""


def main() -> None:
    """Run the command line."""
    app()
