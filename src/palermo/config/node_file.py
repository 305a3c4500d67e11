"""``node.toml``: who a node is and where it listens. Read by the settings, written by ``palermo node init``."""

import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path

NAME = "node.toml"
SECRET_KEY = "secret.key"
DATABASE_URL = "database-url"
UPLOADS = "uploads"


class NodeFileError(Exception):
    """A home folder that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class NodeFile:
    """What ``node.toml`` says. ``bind``: address to listen on. ``hosts``: names that browsers and partners may use.

    ``poll_seconds``: how often a node that is reached by a relay asks it for its post, at most.
    ``time_stamps``: URL of a time-stamping authority (RFC 3161) that stamps our evidence packages; "" for none.
    ``checkpoint_seconds``: the time between two checkpoints of the ledger; ``ledger_years``: how long the values of its
    entries are kept.
    """

    authority: str
    bind: str = "127.0.0.1"
    port: int = 8400
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")
    time_zone: str = "UTC"
    language: str = "en"
    https: bool = True
    poll_seconds: int = 30
    time_stamps: str = ""
    checkpoint_seconds: int = 900
    ledger_years: int = 10

    def __post_init__(self) -> None:
        """Refuse times that no ledger can keep to."""
        for name, least, most in (("checkpoint_seconds", 1, 86_400), ("ledger_years", 1, 100)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise NodeFileError(f"{name} is {value!r}: give a whole number from {least} to {most}.")

    def to_toml(self) -> str:
        """The file's text."""
        hosts = ", ".join(f'"{host}"' for host in self.hosts)
        return (
            f'authority = "{self.authority}"\nbind = "{self.bind}"\nport = {self.port}\nhosts = [{hosts}]\n'
            f'time_zone = "{self.time_zone}"\nlanguage = "{self.language}"\nhttps = {str(self.https).lower()}\n'
            f"poll_seconds = {self.poll_seconds}\n"
            f"checkpoint_seconds = {self.checkpoint_seconds}\nledger_years = {self.ledger_years}\n"
        ) + (f'time_stamps = "{self.time_stamps}"\n' if self.time_stamps else "")


def read(home: Path) -> NodeFile:
    """Read ``home/node.toml``; :class:`NodeFileError` names what is wrong with it."""
    path = home / NAME
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NodeFileError(f"{path} does not exist. Make a node first: palermo node init --home {home} …") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NodeFileError(f"{path} is not valid TOML: {error}") from error
    if isinstance(values.get("hosts"), list):
        values["hosts"] = tuple(values["hosts"])
    try:
        return NodeFile(**values)
    except TypeError as error:
        raise NodeFileError(f"{path} has an unknown or missing setting: {error}") from error


def create(home: Path, node: NodeFile, database_url: str = "") -> None:
    """Make a home folder with ``node.toml`` and a fresh secret key; refuses to overwrite one.

    ``database_url`` is kept there too, so that no later command takes an empty SQLite file for the node's database.
    """
    if (home / NAME).exists():
        raise NodeFileError(f"{home} already holds a node. Choose another folder, or use the one that is there.")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / UPLOADS).mkdir(mode=0o700, exist_ok=True)
    _write_secret(home / SECRET_KEY, secrets.token_urlsafe(64))
    keep_database_url(home, database_url)
    half_written = home / f".{NAME}"
    half_written.write_text(node.to_toml(), "utf-8")
    half_written.replace(home / NAME)  # its presence says that the key is there too


def keep_database_url(home: Path, database_url: str) -> None:
    """Keep the address of a node's database in its home; "" for SQLite's file there."""
    if database_url:
        _write_secret(home / DATABASE_URL, database_url)


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
