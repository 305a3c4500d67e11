"""A node in one file: backed up while it works, restored elsewhere, and nothing of a damaged back-up taken."""

import sqlite3
from pathlib import Path

import pytest

from palermo.cli.demo.nodes import DemoError, run_palermo

PASSPHRASE = "a plainly fictitious passphrase"


@pytest.fixture(scope="module", autouse=True)
def on_sqlite():
    """Nodes with a database of their own, whatever the rest of the run uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        yield


@pytest.fixture(autouse=True)
def passphrase(monkeypatch):
    monkeypatch.setenv("PALERMO_BACKUP_PASSPHRASE", PASSPHRASE)


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    home = tmp_path_factory.mktemp("backup") / "AA-POL"
    run_palermo("node", "init", "--home", home, "--code", "AA-POL", "--http")
    (home / "blobs").mkdir(mode=0o700)
    (home / "blobs" / "large").write_bytes(bytes(3 << 20) + b"end")
    return home


def contents(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and not path.name.startswith(("db.sqlite3", ".restored")) and path.name != "restored.json"
    }


def test_a_restored_node_is_the_one_that_was_backed_up(node, tmp_path):
    file, home = tmp_path / "node.backup", tmp_path / "restored"
    with sqlite3.connect(node / "db.sqlite3") as writer:  # in the middle of another's transaction
        writer.execute("BEGIN IMMEDIATE")
        assert "backed up" in run_palermo("node", "backup", "--home", node, file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"SQLite format" not in file.read_bytes()
    assert not list(node.glob(".backup-*"))
    with pytest.raises(DemoError, match="exists already"):
        run_palermo("node", "backup", "--home", node, file)
    assert "AA-POL" in run_palermo("node", "restore", file, "--home", home)
    assert contents(home) == contents(node)
    assert {path.stat().st_mode & 0o077 for path in home.rglob("*")} == {0}
    assert (home / "restored.json").is_file()
    assert "ok      database" in run_palermo("node", "check", "--home", home)
    assert "Nobody was asked yet" in run_palermo("node", "recover", "--home", home, expect=3)
    assert "nothing to recover" in run_palermo("node", "recover", "--home", node)
    with pytest.raises(DemoError, match="is not empty"):
        run_palermo("node", "restore", file, "--home", home)


def test_nothing_of_a_damaged_or_foreign_back_up_is_taken(node, tmp_path, monkeypatch):
    file, home = tmp_path / "node.backup", tmp_path / "restored"
    run_palermo("node", "backup", "--home", node, file)
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole[: len(whole) // 2], whole[:40], b"", whole[:-5] + b"x" + whole[-4:]):
        file.write_bytes(damaged)
        with pytest.raises(DemoError, match="Nothing was restored"):
            run_palermo("node", "restore", file, "--home", home)
        assert not list(tmp_path.glob("*restor*")), "nothing is left"
    file.write_bytes(whole)
    monkeypatch.setenv("PALERMO_BACKUP_PASSPHRASE", "another one")
    with pytest.raises(DemoError, match="does not open"):
        run_palermo("node", "restore", file, "--home", home)
