"""Where the demo's nodes keep their rows: each in an SQLite file of its home, or, where ``DATABASE_URL`` names a
PostgreSQL server, each in a database of its own there.

The name of a node's database follows from its home, so a demo walked again in the same folder starts on an empty one.
"""

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

VARIABLE = "DATABASE_URL"


def server() -> str:
    """The address of a database on the server that the demo's nodes are to use; "" for SQLite."""
    return os.environ.get(VARIABLE, "")


def url_of(home: Path) -> str:
    """The address of a node's own database on that server; "" for SQLite."""
    return urlsplit(server())._replace(path=f"/{_name(home)}").geturl() if server() else ""


def environment(home: Path | None = None) -> dict[str, str]:
    """The environment of a node's commands and processes: its home says which database is its own.

    With ``home``, that of ``palermo node init``, which writes it there.
    """
    others = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return {**others, VARIABLE: url_of(home)} if home is not None and server() else others


def make(home: Path) -> None:
    """Make the empty database of a node's home, in place of an earlier demo's."""
    if server():
        drop(home)
        _say(f'CREATE DATABASE "{_name(home)}"')


def drop(home: Path) -> None:
    """Remove the database of a node's home, if there is one."""
    if server():
        _say(f'DROP DATABASE IF EXISTS "{_name(home)}" WITH (FORCE)')


def _name(home: Path) -> str:
    return f"palermo_demo_{hashlib.sha256(bytes(home.resolve())).hexdigest()[:24]}"


def _say(sql: str) -> None:
    import psycopg

    with psycopg.connect(server(), autocommit=True) as connection:
        connection.execute(sql.encode())
