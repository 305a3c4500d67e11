"""``palermo ledger``: what an auditor can check about an exported part of a log, without node or network."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palermo.cli.verdicts import EXIT_CODES, print_checks, trust_root_of

if TYPE_CHECKING:
    from palermo.sealing.ledger_export import ExportReport


def verify(
    export: Annotated[Path, typer.Argument(help="The file of JSON lines that the ledger page gave out.")],
    trust: Annotated[Path | None, typer.Option(help="The network's trust root file, as handed over in person.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Recompute leaves, root and checkpoint, and say how many disclosures of each kind went to whom.

    Exit code 0: all holds under the trust root. 1: something is broken, or from another network. 3: intact, but
    unproven: no trust root was given, or too few witnesses cosigned. 2: the arguments cannot be used.
    """
    import json

    from palermo.sealing.ledger_export import verify_export

    if not export.is_file():
        raise typer.BadParameter(f"{export} is no file", param_hint="EXPORT")
    report = verify_export(_lines(export), trust_root_of(trust))
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2, ensure_ascii=False))
    else:
        _print(report)
    raise typer.Exit(EXIT_CODES[report.verdict])


def _lines(path: Path) -> Iterator[bytes]:
    """The file's lines, none longer than any that we write: a file without line ends must not fill the memory."""
    from palermo.sealing.ledger_export import MAX_HEADING_BYTES

    with path.open("rb") as file:
        while line := file.readline(MAX_HEADING_BYTES + 2):
            yield line


def _print(report: "ExportReport") -> None:
    print_checks(report.checks, 10)
    if report.verdict == "refused":
        typer.echo("Refused: do not rely on this file.")
    else:
        _print_counts(report)
        typer.echo(_verdict(report))
    if report.fingerprint is not None:
        typer.echo(f"Trust root: {report.fingerprint}")


def _print_counts(report: "ExportReport") -> None:
    if report.earliest and report.latest:
        typer.echo(f"From {report.earliest:%Y-%m-%d %H:%M:%S} to {report.latest:%Y-%m-%d %H:%M:%S} UTC:")
    for (kind, counterparty), number in sorted(report.counts.items()):
        typer.echo(f"{number:>7}  {_plain(kind)}  {_plain(counterparty) or '(nobody)'}")
    for said, number in sorted(report.expired.items()):
        typer.echo(f"{number:>7}  expired: values destroyed {_plain(said)}")


def _verdict(report: "ExportReport") -> str:
    if report.verdict == "proven":
        return "Proven."
    if report.fingerprint is None:
        return "Intact, origin unproven: give the network's trust root with --trust."
    return "Intact, but too few witnesses cosigned it to show that the log has one history: export it again later."


def _as_json(report: "ExportReport") -> dict[str, Any]:
    heading, times = report.heading, (report.earliest, report.latest)
    return {
        "verdict": report.verdict,
        "trust_root_fingerprint": report.fingerprint,
        "authority": heading.authority if heading else None,
        "entries": [heading.start, heading.end] if heading else None,
        "period": [at.isoformat() if at else None for at in times],
        "disclosed": [
            {"kind": kind, "counterparty": counterparty, "number": number}
            for (kind, counterparty), number in sorted(report.counts.items())
        ],
        "expired": dict(sorted(report.expired.items())),
        "checks": [vars(check) for check in report.checks],
    }


def _plain(text: str) -> str:
    """A partner's text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
