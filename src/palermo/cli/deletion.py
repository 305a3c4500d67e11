"""``palermo evidence verify-deletion``: what anyone can check about a deletion statement, without node or network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palermo.cli.verdicts import EXIT_CODES, print_checks, trust_root_of

if TYPE_CHECKING:
    from palermo.sealing.deletion_report import DeletionReport

MAX_FILE_BYTES = 32 << 20


def verify_deletion(
    statement: Annotated[Path, typer.Argument(help="The signed statement: REFERENCE.dsse, from its page.")],
    directory: Annotated[Path, typer.Option(help="The network's signed directory, as members hold it.")],
    trust: Annotated[Path, typer.Option(help="The network's trust root file, as handed over in person.")],
    proof: Annotated[Path | None, typer.Option(help="The proof: REFERENCE.proof.json, from the same page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check a deletion statement: who signed that which items are gone, and that witnesses saw it in a log.

    Exit code 0: all holds, and enough witnesses cosigned where the network has them. 1: something is broken, or from
    another network. 3: intact, but no proof was given, or too few witnesses cosigned. 2: unusable arguments.
    """
    import json

    from palermo.sealing.deletion_report import examine_deletion

    root = trust_root_of(trust)
    if root is None:
        raise typer.BadParameter("name the network's trust root", param_hint="--trust")
    files = [_bytes(statement, "STATEMENT"), _bytes(directory, "--directory")]
    report = examine_deletion(files[0], None if proof is None else _bytes(proof, "--proof"), files[1], root)
    if as_json:
        typer.echo(json.dumps(_as_json(report), indent=2, ensure_ascii=False))
    else:
        _print(report)
    raise typer.Exit(EXIT_CODES[report.verdict])


def _bytes(path: Path, hint: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read ({error.strerror})", param_hint=hint) from error
    if len(data) > MAX_FILE_BYTES:
        raise typer.BadParameter(f"{path} is larger than any such file", param_hint=hint)
    return data


def _print(report: "DeletionReport") -> None:
    print_checks(report.checks, 10)
    if report.verdict == "refused" or report.statement is None:
        typer.echo("Refused: do not rely on this statement.")
    else:
        for item in report.statement.items:
            package = f", from package {item.package}" if item.package else ""
            typer.echo(f"  {item.sha256}: {item.copies} copies destroyed{package}")
        typer.echo("Proven." if report.verdict == "proven" else "Intact, but not proven by witnesses.")
    typer.echo(f"Trust root: {report.fingerprint}")


def _as_json(report: "DeletionReport") -> dict[str, Any]:
    from palermo.sealing.records import to_json

    return {
        "verdict": report.verdict,
        "exit_code": EXIT_CODES[report.verdict],
        "trust_root_fingerprint": report.fingerprint,
        "statement": None if report.statement is None else to_json(report.statement),
        "checks": [vars(check) for check in report.checks],
    }
