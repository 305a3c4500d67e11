"""What a founder does with files, offline: found a network, draft the next directory or trust root, and sign it first.

A founder's folder holds ``trust-root.json`` (what members trust: a root, or the chain of all of them),
``directory.signed`` (the version in force) and ``directory.proposed`` (the next one, until enough have signed).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from palermo.config.commands import passphrases, stop
from palermo.config.commands.drafts import PROPOSED, put, tell_needs
from palermo.config.commands.key import public_file, read_public
from palermo.lake.files import write_whole
from palermo.sealing import directory as sealed
from palermo.sealing import founding, records, trust_root
from palermo.sealing.errors import SealingError
from palermo.sealing.keyfile import write_private
from palermo.sealing.keys import SigningKey, VerifyKey

FOUNDER_KEY = "founder.key"
DIRECTORY = "directory.signed"
TRUST_ROOT = "trust-root.json"
EXPIRES_IN_DAYS = 180

Folder = Annotated[Path, typer.Argument(help="The founder's folder, with trust-root.json and directory.signed.")]
Key = Annotated[
    str, typer.Option("--key", help="URI of your founder's key, such as file:/media/stick/my.key.", show_default=False)
]
Founders = Annotated[
    list[Path] | None, typer.Option("--founder", help="A founder's public key file (`palermo key new`); repeatable.")
]
Expires = Annotated[int, typer.Option("--expires-in", min=1, max=3650, help="Days after which it is taken no more.")]
Witness = Annotated[
    list[str] | None, typer.Option("--witness", help="Code of a member that cosigns the others' logs; repeatable.")
]
Recovery = Annotated[
    Path | None, typer.Option("--recovery-key", help="Public key file of the key that lets a lost log begin anew.")
]
Stamps = Annotated[
    list[Path] | None, typer.Option("--timestamp-authority", help="Certificate (DER) for time stamps; repeatable.")
]


def found(
    folder: Annotated[Path, typer.Argument(help="New folder for the trust root.")],
    network: Annotated[str, typer.Option(help="The network's name.")],
    founder: Founders = None,
    threshold: Annotated[int, typer.Option(min=1, help="How many founders must sign a directory.")] = 1,
) -> None:
    """Found a network: make the trust root that members are given in person.

    With --founder for each founder's public key the network has several; --threshold of them sign each directory.
    Without, a single founder's key is made in FOLDER, locked by PALERMO_KEY_PASSPHRASE where that is set.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / TRUST_ROOT).exists():
        raise stop(f"{folder / TRUST_ROOT} exists already. Choose another folder for another network.")
    try:
        keys = [read_public(path) for path in founder or []] or [_own_founder(folder)]
        root = trust_root.TrustRoot(network, tuple(key.to_bytes() for key in keys), threshold=threshold)
        trust_root.TrustRoot.from_bytes(root.to_bytes())
    except SealingError as error:
        raise stop(str(error)) from error
    write_whole(folder / TRUST_ROOT, root.to_bytes())
    typer.echo(f"Trust root {folder / TRUST_ROOT}, fingerprint {root.fingerprint}")
    if len(keys) > 1:
        typer.echo(f"{threshold} of {len(keys)} founders sign each directory: {', '.join(root.keys)}")


def _own_founder(folder: Path) -> VerifyKey:
    key = SigningKey.generate()
    write_private(folder / FOUNDER_KEY, key.to_bytes(), passphrases.given())
    write_whole(folder / f"{FOUNDER_KEY}.pub", public_file(key.public))
    return key.public


def sign(
    folder: Folder,
    entries: Annotated[list[Path], typer.Argument(help="Entry files of all members, made by `directory entry`.")],
    key: Key = "",
    expires_in: Expires = EXPIRES_IN_DAYS,
    witness: Witness = None,
    recovery_key: Recovery = None,
    timestamp_authority: Stamps = None,
) -> None:
    """Draft the next version of the directory with exactly these members, and sign it."""
    now, trust, draft = _next(folder)
    given = tuple(_entry(path) for path in entries)
    try:
        codes = {entry.code for entry in given}
        left = founding.without(draft, [entry.code for entry in draft.entries if entry.code not in codes])
        draft = founding.with_entries(left, given)
    except SealingError as error:
        raise stop(str(error)) from error
    draft = _services(draft, now, expires_in, witness, recovery_key, timestamp_authority)
    _propose(folder, draft, trust, key)


def amend(
    folder: Folder,
    entries: Annotated[list[Path] | None, typer.Argument(help="Entry files of members that join or change.")] = None,
    key: Key = "",
    remove: Annotated[list[str] | None, typer.Option(help="Code of a member that leaves; repeatable.")] = None,
    revoke: Annotated[list[str] | None, typer.Option(help="Id of a signing key that ends now; repeatable.")] = None,
    expires_in: Expires = EXPIRES_IN_DAYS,
    witness: Witness = None,
    recovery_key: Recovery = None,
    timestamp_authority: Stamps = None,
) -> None:
    """Draft the next version of the directory from the one in force, with what changes, and sign it.

    Call it without a change before the present version ends: that prolongs it.
    """
    now, trust, draft = _next(folder)
    try:
        draft = founding.with_entries(founding.without(draft, remove or []), [_entry(path) for path in entries or []])
        for key_id in revoke or []:
            draft = founding.revoke(draft, key_id, now)
    except SealingError as error:
        raise stop(str(error)) from error
    draft = _services(draft, now, expires_in, witness, recovery_key, timestamp_authority)
    _propose(folder, draft, trust, key)


def _next(folder: Path) -> tuple[datetime, trust_root.Trust, sealed.Directory]:
    now = datetime.now(UTC).replace(microsecond=0)
    try:
        trust = trust_root.read_trust((folder / TRUST_ROOT).read_bytes())
        path = folder / DIRECTORY
        data = path.read_bytes() if path.exists() else None
        return now, trust, founding.next_directory(data, trust, at=now)
    except (SealingError, OSError) as error:
        raise stop(str(error)) from error


def _entry(path: Path) -> sealed.AuthorityEntry:
    try:
        return records.from_bytes(sealed.AuthorityEntry, path.read_bytes(), str(path))
    except (SealingError, OSError) as error:
        raise stop(f"{path} is no entry file ({error}).") from error


def _services(
    draft: sealed.Directory,
    now: datetime,
    days: int,
    witness: list[str] | None,
    recovery_key: Path | None,
    stamps: list[Path] | None,
) -> sealed.Directory:
    """With an end, and with the services that were named; what was not named stays as it is."""
    try:
        draft = replace(draft, expires_at=now + timedelta(days=days))
        if witness is not None:
            draft = replace(draft, witnesses=tuple(witness))
        if recovery_key is not None:
            draft = replace(draft, recovery_key=read_public(recovery_key).to_bytes())
        if stamps is not None:
            draft = replace(draft, timestamp_authorities=tuple(path.read_bytes() for path in stamps))
    except (SealingError, OSError) as error:
        raise stop(str(error)) from error
    return draft


def _propose(folder: Path, draft: sealed.Directory, trust: trust_root.Trust, key: str) -> None:
    signer = passphrases.open_key(key or f"file:{FOUNDER_KEY}", folder)
    try:
        data = sealed.sign_directory(draft, signer)
        standing = founding.read_draft(data, trust.roots[-1])
    except SealingError as error:
        raise stop(str(error)) from error
    path = put(folder / f"directory{PROPOSED}", data, standing)
    typer.echo(f"Version {draft.version} with {len(draft.entries)} authorities: {path}")
    tell_needs(standing, path)


def rotate_root(
    folder: Folder,
    founder: Annotated[list[Path], typer.Option("--founder", help="Public key file of each founder from now on.")],
    threshold: Annotated[int, typer.Option(min=1, help="How many of them must sign a directory.")],
    key: Key = "",
) -> None:
    """Draft the next trust root, with these founders, and sign it.

    A threshold of the present founders and a threshold of the new ones must sign it (`directory add-signature`). Then
    `directory take-root` takes it over here, and each member imports it before the next directory.
    """
    signer = passphrases.open_key(key or f"file:{FOUNDER_KEY}", folder)
    try:
        current = trust_root.read_trust((folder / TRUST_ROOT).read_bytes()).roots[-1]
        new = founding.next_root(current, [read_public(path) for path in founder], threshold)
        data = trust_root.sign_root(new, signer)
        standing = founding.read_draft(data, current)
    except (SealingError, OSError) as error:
        raise stop(str(error)) from error
    path = put(folder / f"trust-root-{new.version}{PROPOSED}", data, standing)
    typer.echo(f"Trust root {new.version}, fingerprint {new.fingerprint}: {path}")
    tell_needs(standing, path)


def take_root(
    folder: Folder, file: Annotated[Path, typer.Argument(help="The signed trust root that follows.")]
) -> None:
    """Take over the next trust root in a founder's folder: trust-root.json becomes the chain of all of them."""
    path = folder / TRUST_ROOT
    try:
        present, data = path.read_bytes(), file.read_bytes()
        current = trust_root.read_trust(present)
        chain = isinstance(current, trust_root.TrustChain)
        first, successors = trust_root.parse_chain(present) if chain else (present, ())
        new = trust_root.open_successor(data, current.roots[-1])
    except (SealingError, OSError) as error:
        raise stop(str(error), 1) from error
    write_whole(path, trust_root.write_chain(first, (*successors, data)))
    typer.echo(f"Trust root {new.version} in {path}, fingerprint {new.fingerprint}")
