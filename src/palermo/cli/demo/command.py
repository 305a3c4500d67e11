"""The command itself: walks the road with its progress shown, prints what each party learned, then serves the sites."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from palermo.cli.demo.road import Step, Walked
    from palermo.cli.demo.stage import Stage

app = typer.Typer()

SEED, SIZE = 2000, 10_000


@app.command()
def demo(
    directory: Annotated[Path | None, typer.Option("--dir", help="Folder for the demo's nodes; emptied first.")] = None,
    lists: Annotated[Path | None, typer.Option(help="Folder with the real lists: un/, ofac/, uk/.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the outcome of every step here.")] = None,
    serve: Annotated[bool, typer.Option(help="Serve the three sites afterwards, until Ctrl-C.")] = True,
    size: Annotated[int, typer.Option(help="Invented entities a node.", min=200)] = SIZE,
    seed: Annotated[int, typer.Option(help="Seed of the invention: the same seed, the same data.")] = SEED,
) -> None:
    """Walk the whole road with three authorities on this machine; exit 0 only if every step was verified."""
    from rich.console import Console

    from palermo.cli.demo.invention import invent
    from palermo.cli.demo.nodes import DemoError, Network
    from palermo.cli.demo.road import steps
    from palermo.cli.demo.stage import Stage
    from palermo.cli.demo.story import AUTHORITIES

    console = Console(stderr=False)
    folder = _fresh_folder(directory)
    try:
        road = steps(lists)
        with console.status("Making three nodes with keys of their own, and the directory of their network"):
            network = Network(folder, AUTHORITIES)
            network.make()
        stage = Stage(network, invent(seed, size), folder)
        with network.running():
            ok = _walk(console, stage, road, json_file)
            if ok and serve:
                _serve(console, stage)
    except DemoError as error:
        typer.echo(f"palermo demo: {error}", err=True)
        raise typer.Exit(1) from error
    finally:
        if directory is None and not (serve or json_file):
            shutil.rmtree(folder, ignore_errors=True)
    if not ok:
        raise typer.Exit(1)


def _fresh_folder(directory: Path | None) -> Path:
    """The demo's folder. A given one is emptied, but only if an earlier demo made it or nothing is in it."""
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="palermo-demo-"))
    marker = directory / "made-by-palermo-demo"
    if directory.exists() and not (marker.exists() or (directory.is_dir() and not any(directory.iterdir()))):
        typer.echo(f"palermo demo: {directory} holds other things. Choose an empty folder.", err=True)
        raise typer.Exit(2)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    marker.touch()
    return directory.resolve()


def _walk(console: "Console", stage: "Stage", road: "list[Step]", json_file: Path | None) -> bool:
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from palermo.cli.demo.road import walk

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    walked = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(road))
        for done in walk(stage, road, before=lambda step: progress.update(task, description=step.title)):
            progress.advance(task)
            walked.append(done)
            mark = "[green]done[/]" if done.ok else "[red]FAILED[/]"
            progress.console.print(f"{mark} {done.step.title} [dim]({done.seconds:.1f} s)[/]")
    ok = len(walked) == len(road) and all(done.ok for done in walked)
    _print_table(console, walked)
    if json_file is not None:
        _write_json(json_file, stage, walked, ok)
    return ok


def _print_table(console: "Console", walked: "list[Walked]") -> None:
    from rich.table import Table

    table = Table("step", "seconds", "counts", "what each party learned", title="The road", show_lines=True)
    for done in walked:
        counts = "\n".join(f"{name.replace('_', ' ')}: {count:,}" for name, count in done.outcome.counts.items())
        learned = "\n".join(f"[bold]{party}[/] {what}" for party, what in done.outcome.learned.items())
        table.add_row(done.step.title, f"{done.seconds:.1f}", counts, learned or f"[red]{done.failure}[/]")
    console.print(table)


def _write_json(path: Path, stage: "Stage", walked: "list[Walked]", ok: bool) -> None:
    steps = [
        {"name": done.step.name, "ok": done.ok, "seconds": round(done.seconds, 3), "counts": done.outcome.counts}
        for done in walked
    ]
    outcome = {
        "ok": ok,
        "steps": steps,
        "evidence_package": str(stage.package) if stage.package.exists() else None,
        "trust_root": str(stage.network.trust_root),
    }
    path.write_text(json.dumps(outcome, indent=2) + "\n", "utf-8")


def _serve(console: "Console", stage: "Stage") -> None:
    """Print addresses and log-ins, with the codes as they change, until Ctrl-C."""
    from rich.live import Live

    console.print(
        "The three sites are open. Sign in with a password and the code that stands beside it; Ctrl-C ends the demo."
    )
    console.print(f"Evidence package: {stage.package}\nTrust root: {stage.network.trust_root}", soft_wrap=True)
    with Live(_log_ins(stage), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(1)
                live.update(_log_ins(stage), refresh=console.is_terminal and int(time.time()) % 30 == 0)
        except KeyboardInterrupt:
            pass
    console.print("The nodes are stopped.")


def _log_ins(stage: "Stage") -> "Table":
    from rich.table import Table

    from palermo.cli.demo.person import one_time_code

    table = Table(
        "site", "username", "password", "code now", "secret for an authenticator app", title="Log-ins of the demo"
    )
    for log_in in stage.staff.log_ins:
        code = one_time_code(log_in.secret, time.time())
        table.add_row(stage.network.nodes[log_in.node].url, log_in.username, log_in.password, code, log_in.secret)
    return table
