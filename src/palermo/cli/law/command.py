"""The group ``palermo law``. Each command lives in a module of its own, and imports the law when it is called."""

import typer

from palermo.cli.law import basis, check, facts

app = typer.Typer(help="What the treaties say between two States, without node or network.", no_args_is_help=True)
app.command("basis")(basis.basis)
app.command("check")(check.check)
app.command("schema")(check.schema)
app.command("offences")(facts.offences)
app.command("facts")(facts.facts)
