"""``palermo node``: make a node, run it, check it, let an administrator in."""

import os
from typing import Annotated

import typer

from palermo.config.commands import Home, backup, enter, stop, transfers

app = typer.Typer(help="Make, run, check, back up and restore the node of one authority.", no_args_is_help=True)
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(transfers.transfers)
app.command()(backup.recover)


def _link(token: str) -> str:
    from django.conf import settings

    node = settings.NODE
    scheme, port = ("https", "") if node.https else ("http", f":{node.port}")
    return f"{scheme}://{node.hosts[0]}{port}/join/{token}/"


@app.command()
def init(
    home: Home,
    code: Annotated[str, typer.Option(help="The authority's code in the directory, such as AA-POL.")],
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8400,
    bind: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    host: Annotated[list[str] | None, typer.Option(help="Name under which the site is reached; repeatable.")] = None,
    time_zone: Annotated[str, typer.Option(help="Time zone of the office, such as Europe/Rome.")] = "UTC",
    http: Annotated[bool, typer.Option("--http", help="No TLS in front of this node: loopback trials only.")] = False,
    checkpoint_seconds: Annotated[int, typer.Option(help="Seconds between two checkpoints of the ledger.")] = 900,
    admin: Annotated[str, typer.Option(help="Username of the first administrator.")] = "admin",
    admin_name: Annotated[str, typer.Option(help="Full name of the first administrator.")] = "First Administrator",
) -> None:
    """Make a node: settings, keys, database, and a one-time link for the first administrator."""
    from palermo.config import node_file
    from palermo.sealing import directory as sealed

    if not sealed.CODE.fullmatch(code):
        raise stop(f"The code is {sealed.CODE_RULE}.")
    hosts = tuple(host) if host else ("127.0.0.1", "localhost")
    try:
        node = node_file.NodeFile(
            code, bind, port, hosts, time_zone, https=not http, checkpoint_seconds=checkpoint_seconds
        )
        if (home / "complete").exists() or not (home / node_file.NAME).exists():
            node_file.create(home, node, os.environ.get("DATABASE_URL", ""))
        elif node_file.read(home) != node:
            raise node_file.NodeFileError(f"{home} holds a half-made node with other settings. Remove it first.")
    except node_file.NodeFileError as error:
        raise stop(str(error)) from error
    enter(home)
    from django.core.management import call_command
    from django.utils import timezone

    from palermo.node.directory import own_keys

    call_command("migrate", verbosity=0)
    own_keys.ensure(timezone.now())
    token = _first_token(admin, admin_name)
    typer.echo(f"Node {code} is ready in {home}.")
    typer.echo(f"The first administrator signs up once at {_link(token)}")
    (home / "complete").touch()  # last: whoever never saw the link calls the command again and gets a new one


def _first_token(username: str, full_name: str) -> str:
    """The first administrator's one-time token; a new one where a command that was killed had made them already."""
    from django.utils import timezone

    from palermo.node.office import actions
    from palermo.node.office.errors import ConflictError, NodeError

    try:
        return actions.create_first_administrator(username=username, full_name=full_name, now=timezone.now())
    except ConflictError:
        pass
    try:
        return actions.invite_from_console(username=username, now=timezone.now())
    except NodeError as error:
        raise stop(error.sentence) from error


@app.command()
def invite(home: Home, username: Annotated[str, typer.Argument(help="Whose link is to be renewed.")]) -> None:
    """Print a new one-time link for an officer, for the case that no administrator can sign in any more."""
    enter(home)
    from django.utils import timezone

    from palermo.node.office import actions
    from palermo.node.office.errors import NodeError

    try:
        typer.echo(_link(actions.invite_from_console(username=username, now=timezone.now())))
    except NodeError as error:
        raise stop(error.sentence) from error


@app.command()
def serve(home: Home) -> None:
    """Run the web site and the background worker until Ctrl-C."""
    enter(home)
    from django.core.management import call_command

    from palermo.config import serve as serving

    call_command("migrate", verbosity=0)
    try:
        serving.serve(home.resolve())
    except serving.ServeError as error:
        raise stop(str(error), 1) from error


@app.command()
def check(home: Home) -> None:
    """Re-derive everything that is stored and name whatever was changed: exit 0 if all is whole, else 1."""
    enter(home)
    from palermo.config import checks

    faults = 0
    for name, found in checks.run():
        faults += len(found)
        typer.echo(f"{'ok     ' if not found else 'DAMAGED'} {name}")
        for fault in found:
            typer.echo(f"        {fault}")
    if faults:
        raise stop(f"{faults} faults. Do not append to this node: restore it from a back-up and tell its partners.", 1)


@app.command()
def why(
    home: Home,
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE-ID", help="The message's id, as its page shows it.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Say why a message was not delivered, or how far it came: sent, received or refused. Exit 1 if it is unknown."""
    enter(home)
    from django.utils import timezone

    from palermo.config.commands import why as explanations
    from palermo.node.exchange import queries
    from palermo.node.office.errors import NotFoundError

    try:
        found = queries.why(message_id, now=timezone.now())
    except NotFoundError as error:
        if as_json:
            typer.echo(explanations.unknown_as_json(message_id, error.sentence))
            raise typer.Exit(1) from error
        raise stop(error.sentence, 1) from error
    typer.echo(explanations.as_json(found) if as_json else explanations.as_text(found))
