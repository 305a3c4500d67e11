"""``palermo evidence``: what anyone can check about a sealed evidence package, without node or network."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from palermo.cli.deletion import verify_deletion
from palermo.cli.verdicts import EXIT_CODES, print_checks, trust_root_of

if TYPE_CHECKING:
    from palermo.sealing.verify import Report

app = typer.Typer(
    help="Check a sealed evidence package, or a deletion statement, without node or network.", no_args_is_help=True
)


app.command()(verify_deletion)


@app.callback()
def evidence() -> None:
    """Check a sealed evidence package, or a deletion statement, without node or network."""


@app.command()
def verify(
    package: Annotated[Path, typer.Argument(help="The package: NAME.palermo.zip, or the folder it was unpacked to.")],
    trust: Annotated[Path | None, typer.Option(help="The network's trust root file, as handed over in person.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    certificate: Annotated[
        Path | None, typer.Option(help="Write the result as a one-page PDF to this file, whatever it is.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="Check as of this time, such as 2026-03-01T12:00:00Z, instead of now.")
    ] = None,
) -> None:
    """Check every byte of a package: what it holds, who signed it, and that the provider's log knows of it.

    Exit code 0: all checks hold under the trust root. 1: something is broken, or from another network. 3: intact, but
    not proven in full: no trust root was given, or the package lacks witnesses or signatures. 2: unusable arguments.
    """
    import json

    from palermo.sealing.verify import verify_package

    if not package.exists():
        raise typer.BadParameter(f"{package} does not exist", param_hint="PACKAGE")
    now = _time(at)
    report = verify_package(package, trust_root_of(trust), now)
    if certificate is not None:
        _write_certificate(certificate, report, package, now)
    if as_json:
        typer.echo(json.dumps(_as_json(report, package), indent=2, ensure_ascii=False))
    else:
        _print(report)
        if certificate is not None:
            typer.echo(f"Certificate: {certificate}")
    raise typer.Exit(EXIT_CODES[report.verdict])


def _time(text: str | None) -> datetime:
    from palermo.sealing.errors import FormatError
    from palermo.sealing.records import parse_time

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_time(text, "time")
    except FormatError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error


def _write_certificate(target: Path, report: "Report", package: Path, now: datetime) -> None:
    from palermo.sealing.verification_certificate import Examined, certificate

    if target.resolve() == package.resolve():
        raise typer.BadParameter("that is the package itself: name another file", param_hint="--certificate")
    try:
        target.write_bytes(certificate(report, Examined.of(package), now))
    except OSError as error:
        raise typer.BadParameter(
            f"{target} cannot be written ({error.strerror})", param_hint="--certificate"
        ) from error


def _print(report: "Report") -> None:
    print_checks(report.checks, 18)
    typer.echo(_verdict_sentence(report))
    if report.fingerprint is not None:
        typer.echo(f"Trust root: {report.fingerprint}")


def _verdict_sentence(report: "Report") -> str:
    from palermo.sealing.verify import summary

    words = {"proven": "Proven: ", "unproven": "", "refused": "Refused: "}
    return words[report.verdict] + summary(report)


def _as_json(report: "Report", package: Path) -> dict[str, Any]:
    manifest = report.manifest
    return {
        "package": str(package),
        "verdict": report.verdict,
        "exit_code": EXIT_CODES[report.verdict],
        "summary": _verdict_sentence(report),
        "trust_root_fingerprint": report.fingerprint,
        "claims": None
        if manifest is None
        else {
            "package_id": manifest.package_id,
            "provider": manifest.provider,
            "recipient": manifest.recipient,
            "case_reference": manifest.case_reference,
            "request_reference": manifest.request_reference,
        },
        "checks": [vars(check) for check in report.checks],
    }
