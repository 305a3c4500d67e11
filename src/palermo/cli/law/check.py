"""``palermo law check``: hold a request in a file against the law, before it is sent."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from palermo.cli.law.facts import Files, register_of

if TYPE_CHECKING:
    from palermo.law.checked import Checked, ClockRow, ConditionRow
    from palermo.law.findings import Finding
    from palermo.law.request_file import RequestFile

WORDS = {True: "yes", False: "NO", None: "unknown"}


def check(
    request: Annotated[
        Path, typer.Argument(metavar="REQUEST.json", help="The request; 'palermo law schema' shows it.")
    ],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day, as 2026-05-31. Without it: today.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    facts: Files = None,
) -> None:
    """Say what governs a request, what it lacks, which conditions, safeguards and clocks there are.

    With --on, clocks stand as they do at the end of that day in UTC. Exit code 0: the request is ready. 3: it is not
    ready: something is missing, stands in the way, or waits for a person. 2: the file or the arguments cannot be used.
    """
    import json

    from palermo.law.basis import SameStateError
    from palermo.law.checked import checked
    from palermo.law.shape import plain
    from palermo.law.states import UnknownStateError

    register = register_of(facts)
    asked = _request(request)
    now = on.replace(hour=23, minute=59, second=59, tzinfo=UTC) if on else datetime.now(UTC)
    try:
        found = checked(asked, register, now.date(), now)
    except (UnknownStateError, SameStateError) as error:
        raise typer.BadParameter(str(error), param_hint="REQUEST.json") from error
    if as_json:
        typer.echo(json.dumps(plain(found), indent=2, ensure_ascii=False))
    else:
        _print(found)
    raise typer.Exit(0 if found.ready else 3)


def schema() -> None:
    """Print the JSON Schema of the file that 'palermo law check' takes."""
    import json

    from palermo.law.request_schema import request_schema

    typer.echo(json.dumps(request_schema(), indent=2, ensure_ascii=False))


def _request(path: Path) -> "RequestFile":
    from palermo.law.request_file import RequestFileError, read

    try:
        return read(path)
    except RequestFileError as error:
        typer.echo(f"{path} cannot be checked:", err=True)
        for problem in error.problems:
            typer.echo(f"  {problem}", err=True)
        typer.echo("Mend this and try again; 'palermo law schema' prints what the file may hold.", err=True)
        raise typer.Exit(2) from error


def _print(found: "Checked") -> None:
    asks, asked = found.requesting, found.requested
    typer.echo(
        f"{found.type}: {asks.name} ({asks.code}) asks {asked.name} ({asked.code}), {found.offence}, {found.on}."
    )
    _section("Scope and basis", [_finding(row) for row in found.scope])
    governs = [f"{row.topic:<9} {_provisions(row.governing, row.possible)}" for row in found.governing]
    if found.always:
        governs.append(f"{'always':<9} {'; '.join(found.always)}")
    _section("Governing provisions", governs)
    _section("Contents", [_finding(row) for row in found.contents])
    _section("Conditions", [_condition(row) for row in found.conditions])
    _section("Never a ground", [f"{row.article}: {row.what}" for row in found.never])
    _section("Duties", [f"{row.article}, on {row.on}: {row.what}" for row in found.duties])
    _section("Safeguards", [f"{'open' if row.what_to_do else 'done':<8}{row.question}" for row in found.gates])
    _section("Clocks", [_clock(row) for row in found.clocks])
    _conclude(found)


def _section(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo(f"\n{title}")
        for line in lines:
            typer.echo(f"  {_plain(line)}")


def _conclude(found: "Checked") -> None:
    waiting = [row.what_to_do for row in found.gates if row.what_to_do]
    typer.echo("")
    if found.ready:
        typer.echo("Ready: nothing is missing.")
        return
    typer.echo("Not ready:")
    for line in (*found.missing, *found.bars, *waiting):
        typer.echo(f"  {_plain(line)}")


def _finding(row: "Finding") -> str:
    what_to_do = f" {row.what_to_do}" if row.what_to_do and not row.blocks else ""
    return f"{WORDS[row.present]:<8}{row.article}: {row.what.rstrip('.')}.{what_to_do}"


def _provisions(governing: tuple[str, ...], possible: tuple[str, ...]) -> str:
    if governing:
        return "; ".join(governing)
    return "unknown; possible: " + "; ".join(possible) if possible else "no provision"


def _condition(row: "ConditionRow") -> str:
    if row.closed_by:
        return f"{'closed':<8}{row.article}: {row.condition} No ground, by {row.closed_by}."
    met = "ask" if row.judged else {True: "MET", False: "not met", None: "unknown"}[row.met]
    return f"{met:<8}{row.article} ({row.effect}): {row.condition}"


def _clock(row: "ClockRow") -> str:
    source = row.article or "good practice"
    when = f", until {row.last_day or row.due}" if row.due else ""
    told = f" Tell: {', '.join(row.tell)}." if row.tell else ""
    note = f" {row.note}" if row.note else ""
    return f"{row.label} ({source}; binds: {row.binds}): {row.status}{when}.{told}{note}"


def _plain(text: str) -> str:
    """A text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)
