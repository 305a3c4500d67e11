"""``palermo directory``: describe an authority, found a network, sign its directory, import it into a node."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import Home, drafts, enter, founding, stop
from palermo.lake.files import write_whole
from palermo.sealing import directory as sealed
from palermo.sealing import records
from palermo.sealing.errors import SealingError

app = typer.Typer(
    help="Who takes part: found a network, sign its directory together, import it; rotate and revoke keys.",
    no_args_is_help=True,
)
for _command in (
    *(founding.found, founding.sign, founding.amend, founding.rotate_root, founding.take_root),
    *(drafts.add_signature, drafts.status),
):
    app.command()(_command)


@app.command()
def entry(
    home: Home,
    out: Annotated[Path, typer.Option(help="File to write; send it to a founder of the network.")],
    name: Annotated[str, typer.Option(help="The authority's full name.")],
    jurisdiction: Annotated[str, typer.Option(help="ISO 3166-1 code of its state, or the organisation's own.")],
    role: Annotated[list[sealed.Role], typer.Option(help="What it is competent for; repeatable.")],
    contact: Annotated[str, typer.Option(help="Contact point that partners may call.")],
    language: Annotated[list[str], typer.Option(help="ISO 639-1 code of a language it accepts; repeatable.")],
    endpoint: Annotated[str, typer.Option(help='URL under which partners\' nodes reach this one; "" for none.')] = "",
    relay: Annotated[str, typer.Option(help="Code of the member that stores and forwards for it.")] = "",
) -> None:
    """Describe this node's authority, with its public keys, for the directory.

    Keys that the directory lists already keep their periods. Without endpoint and relay its post comes by courier.
    """
    enter(home)
    from palermo.node.directory import own_entry, own_keys, queries

    now = datetime.now(UTC).replace(microsecond=0)
    try:
        described = sealed.AuthorityEntry(
            code=queries.own_code(),
            name=name,
            jurisdiction=jurisdiction,
            roles=tuple(role),
            languages=tuple(language),
            endpoint=endpoint,
            contact_point=contact,
            log_origin=queries.own_log_origin(),
            signing_keys=(),
            relay=relay,
        )
        described = own_entry.with_keys(described, now)
    except (SealingError, queries.DirectoryError) as error:
        raise stop(str(error)) from error
    write_whole(out, records.to_bytes(described))
    typer.echo(f"{described.code}: identity {own_keys.signing_key().public.fingerprint}")
    typer.echo(f"Written to {out}. Read the identity to the founder aloud: it must be the same on both sides.")


@app.command()
def rotate_key(
    home: Home,
    out: Annotated[Path, typer.Option(help="Entry file to write; send it to a founder of the network.")],
    uri: Annotated[str, typer.Option(help="URI of the new key, such as one in a hardware module.")] = "",
    start_in: Annotated[int, typer.Option(min=0, help="Days until it signs: partners import the directory.")] = 7,
    overlap: Annotated[int, typer.Option(min=0, help="Days that the present key is valid beside it.")] = 38,
) -> None:
    """Prepare the next signing key of this node, and write the entry that lists it beside the present one.

    The node changes over by itself once a directory that lists the new key is imported and its time has come. The
    overlap should be longer than a message may be on its way (31 days).
    """
    enter(home)
    from palermo.node.directory import own_entry, own_keys, queries

    now = datetime.now(UTC).replace(microsecond=0)
    try:
        present = own_entry.listed()
        if present is None:
            raise stop("The directory does not list this authority yet: import one that does first.")
        prepared = own_keys.prepare_next(uri)
        start, beside = now + timedelta(days=start_in), timedelta(days=overlap)
        described = own_entry.with_next_key(own_entry.with_keys(present, now), start, beside)
    except (SealingError, queries.DirectoryError) as error:
        raise stop(str(error)) from error
    write_whole(out, records.to_bytes(described))
    typer.echo(f"{described.code}: next identity {prepared.public.fingerprint}")
    typer.echo(
        f"It signs from {records.format_time(start)} on. Written to {out}; read the identity to a founder aloud."
    )


@app.command(name="import")
def import_(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The signed directory, or the signed trust root that follows.")],
    root: Annotated[Path | None, typer.Option(help="The trust root; needed the first time.")] = None,
) -> None:
    """Import the directory, or the next trust root, into a node, if enough founders of its network signed it."""
    enter(home)
    from palermo.node.directory import actions, own_keys, roots
    from palermo.node.directory.queries import DirectoryError

    now = datetime.now(UTC)
    try:
        if root is not None:
            typer.echo(f"Trust root {roots.take_trust(root.read_bytes(), now=now).fingerprint}")
        data = file.read_bytes()
        if roots.is_signed_root(data):
            taken = roots.take_successor(data, now=now)
            typer.echo(f"Trust root {taken.version}, fingerprint {taken.fingerprint}")
            return
        change = actions.import_directory(data, now=now)
        own_keys.change_over(now)
    except (SealingError, DirectoryError, OSError) as error:
        raise stop(str(error), 1) from error
    typer.echo(
        f"Directory version {change.version}: {len(change.added)} added, {len(change.changed)} changed, "
        f"{len(change.removed)} removed."
    )


@app.command()
def show(
    home: Home,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the directory and trust root in force at a node: exit 0, or 3 when it has ended or there is none."""
    enter(home)
    from palermo.node.directory import currency, overview
    from palermo.node.directory.queries import DirectoryError

    try:
        seen = overview.overview(datetime.now(UTC))
    except (SealingError, DirectoryError) as error:
        raise stop(str(error), 1) from error
    typer.echo(json.dumps(asdict(seen), indent=2, default=str) if as_json else "\n".join(overview.lines(seen)))
    if seen.currency in (currency.Currency.NONE, currency.Currency.EXPIRED):
        raise typer.Exit(3)


@app.command()
def trust(
    home: Home,
    out: Annotated[Path, typer.Option(help="File to write, for `palermo evidence verify --trust`.")],
) -> None:
    """Write what this node trusts: its trust root, or the chain of all that the network has had."""
    enter(home)
    from palermo.node.directory import queries

    try:
        write_whole(out, queries.trust_file())
        typer.echo(f"Written to {out}, fingerprint {queries.trust().fingerprint}")
    except (SealingError, queries.DirectoryError, OSError) as error:
        raise stop(str(error), 1) from error
