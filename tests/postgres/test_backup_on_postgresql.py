"""A node on PostgreSQL in one file, without the database's own programs: taken at one moment, restored into another."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

spec = importlib.util.spec_from_file_location("server", Path(__file__).with_name("server.py"))
server = importlib.util.module_from_spec(spec)
spec.loader.exec_module(server)

pytestmark = pytest.mark.postgres


@pytest.fixture
def url():
    try:
        with server.running() as started:
            yield started
    except server.NoServerError as error:
        pytest.skip(str(error))


def palermo(*arguments: object, expect: int = 0) -> str:
    """Run the command in this environment; what it said."""
    command = [sys.executable, "-m", "palermo", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stderr
    return done.stdout + done.stderr


def rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with psycopg.connect(url) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"'))) for (name,) in tables}


def test_a_node_on_postgresql_is_restored_row_by_row(url, tmp_path, monkeypatch):
    monkeypatch.setenv("PALERMO_BACKUP_PASSPHRASE", "a plainly fictitious passphrase")
    other = url.replace("/postgres?", "/other?")
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("CREATE DATABASE other")
    monkeypatch.setenv("DATABASE_URL", url)
    home, file = tmp_path / "AA-POL", tmp_path / "node.backup"
    palermo("node", "init", "--home", home, "--code", "AA-POL", "--http")
    palermo("node", "backup", "--home", home, file)
    assert "not empty" in palermo("node", "restore", file, "--home", tmp_path / "restored", expect=1)
    assert not (tmp_path / "restored").exists()
    monkeypatch.setenv("DATABASE_URL", other)
    palermo("node", "restore", file, "--home", tmp_path / "restored")
    assert rows(other) == rows(url)
    assert "ok      directory" in palermo("node", "check", "--home", tmp_path / "restored")
    palermo("node", "invite", "--home", tmp_path / "restored", "admin")  # the sequences go on where they were
    monkeypatch.delenv("DATABASE_URL")
    assert "on PostgreSQL" in palermo("node", "restore", file, "--home", tmp_path / "third", expect=1)
