"""``palermo directory``: describe an authority, found a network, sign its directory, import it into a node."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import Home, enter, stop
from palermo.sealing import directory as sealed
from palermo.sealing import records
from palermo.sealing.envelope import PROTOCOL_VERSION
from palermo.sealing.errors import SealingError
from palermo.sealing.keyfile import read_private, write_private
from palermo.sealing.keys import SigningKey

app = typer.Typer(help="Who takes part: describe an authority, sign and import the directory.", no_args_is_help=True)

FOUNDER_KEY = "founder.key"
DIRECTORY = "directory.signed"
TRUST_ROOT = "trust-root.json"
SIGNING_KEY_YEARS = 5


@app.command()
def entry(
    home: Home,
    out: Annotated[Path, typer.Option(help="File to write; send it to a founder of the network.")],
    name: Annotated[str, typer.Option(help="The authority's full name.")],
    jurisdiction: Annotated[str, typer.Option(help="ISO 3166-1 code of its state, or the organisation's own.")],
    role: Annotated[list[sealed.Role], typer.Option(help="What it is competent for; repeatable.")],
    endpoint: Annotated[str, typer.Option(help="URL under which partners' nodes reach this one.")],
    contact: Annotated[str, typer.Option(help="Contact point that partners may call.")],
    language: Annotated[list[str], typer.Option(help="ISO 639-1 code of a language it accepts; repeatable.")],
) -> None:
    """Describe this node's authority, with its public keys, for the directory."""
    enter(home)
    from palermo.node.directory import own_keys, queries

    now = datetime.now(UTC).replace(microsecond=0)
    code, signing = queries.own_code(), own_keys.signing_key()
    until = now + timedelta(days=365 * SIGNING_KEY_YEARS)
    own_keys.ensure(now)
    own_keys.renew(now)
    statements = tuple(signed for period, signed in own_keys.statements() if now < period.not_after)
    described = sealed.AuthorityEntry(
        code=code,
        name=name,
        jurisdiction=jurisdiction,
        roles=tuple(role),
        languages=tuple(language),
        endpoint=endpoint,
        contact_point=contact,
        log_origin=queries.own_log_origin(),
        signing_keys=(sealed.SigningKeyPeriod(signing.public.to_bytes(), now, until),),
        recipient_keys=statements,
        protocol=PROTOCOL_VERSION,
        cosigner_key=own_keys.cosigner_key().public.to_bytes(),
    )
    out.write_bytes(records.to_bytes(described))
    typer.echo(f"{code}: identity {signing.public.fingerprint}")
    typer.echo(f"Written to {out}. Read the identity to the founder aloud: it must be the same on both sides.")


@app.command()
def found(
    folder: Annotated[Path, typer.Argument(help="New folder for the founder's key and the trust root.")],
    network: Annotated[str, typer.Option(help="The network's name.")],
) -> None:
    """Found a network: make the founder's key and the trust root that members import."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = SigningKey.generate()
    try:
        write_private(folder / FOUNDER_KEY, key.to_bytes(), None)
    except SealingError as error:
        raise stop(str(error)) from error
    root = sealed.TrustRoot(network, (key.public.to_bytes(),))
    (folder / TRUST_ROOT).write_bytes(root.to_bytes())
    typer.echo(f"Trust root {folder / TRUST_ROOT}, fingerprint {root.fingerprint}")


@app.command()
def sign(
    folder: Annotated[Path, typer.Argument(help="The founder's folder.")],
    entries: Annotated[list[Path], typer.Argument(help="Entry files of all members, made by `directory entry`.")],
) -> None:
    """Sign the next version of the directory with these members."""
    try:
        key = SigningKey.from_bytes(read_private(folder / FOUNDER_KEY, None))
        root = sealed.TrustRoot.from_bytes((folder / TRUST_ROOT).read_bytes())
        members = tuple(records.from_bytes(sealed.AuthorityEntry, path.read_bytes(), str(path)) for path in entries)
        version, previous = _next_version(folder / DIRECTORY, root)
        directory = sealed.Directory(
            network=root.network,
            version=version,
            created_at=datetime.now(UTC).replace(microsecond=0),
            founders=tuple(root.keys),
            entries=members,
            previous_digest=previous,
        )
        data = sealed.sign_directory(directory, key)
    except (SealingError, OSError) as error:
        raise stop(str(error)) from error
    (folder / DIRECTORY).write_bytes(data)
    typer.echo(f"Version {version} with {len(members)} authorities: {folder / DIRECTORY}")


def _next_version(path: Path, root: sealed.TrustRoot) -> tuple[int, str]:
    if not path.exists():
        return 1, ""
    data = path.read_bytes()
    return sealed.open_directory(data, root).version + 1, sealed.directory_digest(data)


@app.command(name="import")
def import_(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The signed directory.")],
    root: Annotated[Path | None, typer.Option(help="The trust root; needed the first time.")] = None,
) -> None:
    """Import the directory into a node, if a founder of its network signed it."""
    enter(home)
    from palermo.node.directory import actions, roots
    from palermo.node.directory.queries import DirectoryError

    try:
        if root is not None:
            typer.echo(f"Trust root {roots.take_trust(root.read_bytes(), now=datetime.now(UTC)).fingerprint}")
        change = actions.import_directory(file.read_bytes(), now=datetime.now(UTC))
    except (SealingError, DirectoryError, OSError) as error:
        raise stop(str(error), 1) from error
    typer.echo(
        f"Directory version {change.version}: {len(change.added)} added, {len(change.changed)} changed, "
        f"{len(change.removed)} removed."
    )
