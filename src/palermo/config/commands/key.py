"""``palermo key``: a founder's or the recovery key: make one, show it, change its passphrase. Needs no node."""

from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import passphrases, stop
from palermo.lake.files import write_whole
from palermo.sealing import records
from palermo.sealing.errors import SealingError
from palermo.sealing.founding import PublicKeyFile
from palermo.sealing.keyfile import lock_private, read_private, write_private
from palermo.sealing.keys import SigningKey, VerifyKey

app = typer.Typer(help="Make and show keys of founders, and change passphrases. Needs no node.", no_args_is_help=True)


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="New file for the private key. Its public half goes to FILE.pub.")],
    no_passphrase: Annotated[bool, typer.Option("--no-passphrase", help="Leave it open: trials only.")] = False,
) -> None:
    """Make a signing key, locked by a passphrase (Argon2id and AES-256-GCM).

    The passphrase comes from PALERMO_KEY_PASSPHRASE or PALERMO_KEY_PASSPHRASE_FILE; without them you are asked.
    """
    passphrase = None if no_passphrase else passphrases.new("Passphrase of the new key")
    key = SigningKey.generate()
    try:
        write_private(file, key.to_bytes(), passphrase)
    except SealingError as error:
        raise stop(str(error)) from error
    public = file.with_name(f"{file.name}.pub")
    write_whole(public, public_file(key.public))
    typer.echo(f"Key {key.key_id}\nFingerprint {key.public.fingerprint}")
    typer.echo(f"Keep {file} to yourself. Hand over {public}, and read the fingerprint aloud.")


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="A public key file, or the URI of a private key, such as file:my.key.")],
) -> None:
    """Print a key's id and fingerprint."""
    path = Path(key)
    public = read_public(path) if path.suffix == ".pub" else passphrases.open_key(key, Path.cwd()).public
    typer.echo(f"Key {public.key_id}\nFingerprint {public.fingerprint}")


@app.command()
def passphrase(
    file: Annotated[Path, typer.Argument(help="The private key's file, of a founder or in a node's keys folder.")],
    none: Annotated[bool, typer.Option("--none", help="Leave it without one: readable by its owner alone.")] = False,
) -> None:
    """Change the passphrase of a private key.

    The present one comes from PALERMO_KEY_PASSPHRASE(_FILE), the new one from PALERMO_NEW_KEY_PASSPHRASE(_FILE); where
    they are not set you are asked. All keys of a node have one passphrase: change each while the node is stopped.
    """
    present = passphrases.given()
    try:
        if present is None and _is_locked(file):
            present = passphrases.asked("Present passphrase")
        fresh = None if none else passphrases.new("New passphrase", variable=passphrases.NEW_VARIABLE)
        lock_private(file, present, fresh)
    except SealingError as error:
        raise stop(str(error)) from error
    typer.echo(f"{file} is {'open to its owner' if none else 'locked by the new passphrase'}.")


def public_file(key: VerifyKey) -> bytes:
    """The content of a public key file."""
    return records.to_bytes(PublicKeyFile(key.to_bytes()))


def read_public(path: Path) -> VerifyKey:
    """The key in a public key file; ends the command with a sentence where it is none."""
    try:
        return PublicKeyFile.read(path.read_bytes())
    except (OSError, SealingError) as error:
        raise stop(f"{path} is no public key file ({error}).") from error


def _is_locked(file: Path) -> bool:
    try:
        read_private(file, None)
    except SealingError as error:
        if passphrases.LOCKED in str(error):
            return True
        raise
    return False
