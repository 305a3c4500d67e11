"""``palermo ledger``: what an auditor can check about an exported part of a log, without node or network."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palermo.cli.evidence import EXIT_CODES, trust_root_of

if TYPE_CHECKING:
    from palermo.sealing.ledger_export import ExportReport

app = typer.Typer(help="Check an exported part of a ledger, without node or network.", no_args_is_help=True)


@app.callback()
def ledger() -> None:
    """Check an exported part of a ledger, without node or network."""


@app.command()
def verify(
    export: Annotated[Path, typer.Argument(help="The file of JSON lines that the ledger page gave out.")],
    trust: Annotated[Path | None, typer.Option(help="The network's trust root file, as handed over in person.")] = None,
) -> None:
    """Recompute leaves, root and checkpoint, and say how many disclosures of each kind went to whom.

    Exit code 0: all holds under the trust root. 1: something is broken, or from another network. 3: intact, but
    without a trust root its origin is unproven. 2: the arguments cannot be used.
    """
    from palermo.sealing.ledger_export import verify_export

    if not export.is_file():
        raise typer.BadParameter(f"{export} is no file", param_hint="EXPORT")
    report = verify_export(_lines(export), trust_root_of(trust))
    _print(report)
    raise typer.Exit(EXIT_CODES[report.verdict])


def _lines(path: Path) -> Iterator[bytes]:
    """The file's lines, none longer than any that we write: a file without line ends must not fill the memory."""
    from palermo.sealing.ledger_export import MAX_HEADING_BYTES

    with path.open("rb") as file:
        while line := file.readline(MAX_HEADING_BYTES + 2):
            yield line


def _print(report: "ExportReport") -> None:
    words = {True: "holds", False: "FAILS", None: "-"}
    for check in report.checks:
        typer.echo(f"{check.number:>2}  {words[check.ok]:<5}  {check.name:<10}  {check.detail}")
    typer.echo("")
    if report.verdict == "refused":
        typer.echo("Refused: do not rely on this file.")
    else:
        typer.echo(f"From {report.earliest:%Y-%m-%d %H:%M:%S} to {report.latest:%Y-%m-%d %H:%M:%S} UTC:")
        for (kind, counterparty), number in sorted(report.counts.items()):
            typer.echo(f"{number:>7}  {_plain(kind)}  {_plain(counterparty) or '(nobody)'}")
        unproven = report.verdict == "unproven"
        typer.echo("Intact, origin unproven: give the network's trust root with --trust." if unproven else "Proven.")
    if report.fingerprint is not None:
        typer.echo(f"Trust root: {report.fingerprint}")


def _plain(text: str) -> str:
    """A partner's text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
