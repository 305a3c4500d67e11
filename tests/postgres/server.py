"""A PostgreSQL server of the tests' own: made in a temporary folder, reached by a Unix socket, gone afterwards."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoServerError(Exception):
    """No server can be started here; the message says what is missing."""


def _programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``; Debian keeps them off the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        raise NoServerError("no PostgreSQL programs here (Debian: apt install postgresql)")
    return installed[-1].parent


def _as_server() -> list[str]:
    """PostgreSQL refuses to run as root: go on as the ``postgres`` user."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        raise NoServerError("running as root without setpriv, and PostgreSQL does not run as root")
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise NoServerError("running as root and there is no user `postgres` to run the server as") from None
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextmanager
def running() -> Iterator[str]:
    """Start a server with an empty database ``postgres``; yields its DATABASE_URL. Raises :class:`NoServerError`."""
    programs, prefix = _programs(), _as_server()
    folder = Path(tempfile.mkdtemp(prefix="palermo-pg-", dir="/tmp"))
    if prefix:
        shutil.chown(folder, "postgres", "postgres")

    def run(*command: str) -> None:
        done = subprocess.run(
            [*prefix, *command], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )
        if done.returncode != 0:
            raise NoServerError(f"{command[0]} failed:\n{done.stdout}")

    data = str(folder / "data")
    try:
        run(str(programs / "initdb"), "-D", data, "-U", "palermo", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=300"
        run(str(programs / "pg_ctl"), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql://palermo@/postgres?host={folder}"
        finally:
            run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
