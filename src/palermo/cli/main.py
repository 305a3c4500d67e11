"""Entry point: the ``palermo`` command and the table of its commands.

A command's module is imported when that command is called, never before, so that one command's imports cost no other:
``palermo evidence verify --help`` answers in under 300 ms. To add a command, write ``palermo/cli/NAME.py`` with a
``typer.Typer`` called ``app`` in it (one command in it: ``palermo NAME ...``; a callback or several:
``palermo NAME COMMAND ...``), and add one line to :data:`COMMANDS`.
"""

import importlib
from typing import NamedTuple, cast

import typer
from typer._click import Context, HelpFormatter  # typer carries its own click; its groups take these
from typer.core import TyperCommand, TyperGroup

import palermo


class Entry(NamedTuple):
    """Where a command lives, and the line that ``palermo --help`` shows for it without importing it."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("palermo.cli.demo.command", "Walk the whole road with three nodes on this machine."),
    "directory": Entry("palermo.config.commands.directory", "Who takes part: describe, sign and import the directory."),
    "courier": Entry("palermo.config.commands.courier", "Carry sealed messages by USB stick where no line goes."),
    "key": Entry("palermo.config.commands.key", "Make and show founders' keys, and change passphrases."),
    "node": Entry("palermo.config.commands.node", "Make, run and check the node of one authority."),
    "blind": Entry("palermo.cli.blind", "Find what two parties both hold, and nothing else."),
    "intake": Entry("palermo.cli.intake", "Read a list or a table into entities, one JSON object a line."),
    "ledger": Entry("palermo.config.commands.ledger", "Audit a ledger in its node, or an exported part anywhere."),
    "law": Entry("palermo.cli.law.command", "What the treaties say between two States, without node or network."),
    "evidence": Entry("palermo.cli.evidence", "Check a sealed evidence package, without node or network."),
}


class LazyGroup(TyperGroup):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: Context) -> list[str]:
        """The names in the table, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | TyperGroup | None:
        """The command of that name, its module imported now; None when there is none."""
        entry = COMMANDS.get(cmd_name)
        return None if entry is None else load(cmd_name, entry)

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """List the commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


def load(name: str, entry: Entry) -> TyperCommand | TyperGroup:
    """Import a command's module and build the command, plain (rich costs 300 ms) and without shell completion."""
    app: typer.Typer = importlib.import_module(entry.module).app
    app.rich_markup_mode = None
    command = cast(TyperCommand | TyperGroup, typer.main.get_command(app))
    command.name = name
    command.params = [param for param in command.params if param.name not in {"install_completion", "show_completion"}]
    return command


app = typer.Typer(
    name="palermo",
    help="Fight transnational organised crime together, showing each other no more than needed.",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
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
