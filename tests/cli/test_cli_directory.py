"""Founders with files, offline; and a node that takes what they made."""

import json

import pytest
from typer.testing import CliRunner

from palermo.cli.demo.nodes import run_palermo
from palermo.cli.main import app

runner = CliRunner()


def run(*arguments, expect=0, **environment):
    done = runner.invoke(
        app, [str(argument) for argument in arguments], env={k: str(v) for k, v in environment.items()}
    )
    assert done.exit_code == expect, done.output
    return done.output


@pytest.fixture(scope="module", autouse=True)
def on_sqlite():
    """Nodes with a database of their own, whatever the rest of the run uses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        yield


@pytest.fixture(scope="module")
def founders(tmp_path_factory):
    """Three founders' keys, each locked by its own passphrase."""
    folder = tmp_path_factory.mktemp("founders")
    for name in "abc":
        printed = run("key", "new", folder / f"{name}.key", PALERMO_KEY_PASSPHRASE=f"passphrase of {name}")
        assert "Fingerprint" in printed
    return folder


@pytest.fixture(scope="module")
def member(tmp_path_factory):
    """A node with its entry file."""
    home = tmp_path_factory.mktemp("member") / "AA-POL"
    run_palermo("node", "init", "--home", home, "--code", "AA-POL", "--http")
    out = home / "entry.json"
    run_palermo(
        *("directory", "entry", "--home", home, "--out", out, "--name", "Police of Aurelia", "--jurisdiction", "AA"),
        *("--role", "police", "--contact", "duty desk", "--language", "en", "--endpoint", "http://127.0.0.1:1"),
    )
    return home


def found(founders, folder):
    pubs = [part for name in "abc" for part in ("--founder", founders / f"{name}.key.pub")]
    return run("directory", "found", folder, "--network", "trial", *pubs, "--threshold", 2)


def test_two_of_three_founders_sign_a_directory_and_the_next_root(founders, member, tmp_path):
    folder = tmp_path / "folder"
    assert "2 of 3 founders" in found(founders, folder)
    root, proposed = folder / "trust-root.json", folder / "directory.proposed"
    key = f"file:{founders / 'a.key'}"
    said = run(
        "directory", "sign", folder, member / "entry.json", "--key", key, PALERMO_KEY_PASSPHRASE="passphrase of a"
    )
    assert "1 more must sign" in said
    standing = json.loads(run("directory", "status", proposed, "--root", root, "--json", expect=3))
    assert (standing["complete"], standing["needs"][0]["missing"]) == (False, 1)
    assert "AA-POL joins: Police of Aurelia" in standing["content"]
    refused = run_palermo("directory", "import", "--home", member, proposed, "--root", root, expect=1)
    assert "imported" not in refused
    second = ("directory", "add-signature", proposed, "--root", root, "--key", founders / "b.key", "--yes")
    assert "does not open" in run(*second, expect=2, PALERMO_KEY_PASSPHRASE="wrong")
    assert "Complete" in run(*second, PALERMO_KEY_PASSPHRASE="passphrase of b")
    assert not proposed.exists()
    run("directory", "status", folder / "directory.signed", "--root", root)
    assert "1 added" in run_palermo("directory", "import", "--home", member, folder / "directory.signed")

    pubs = [part for name in "bc" for part in ("--founder", founders / f"{name}.key.pub")]
    said = run(
        *("directory", "rotate-root", folder, *pubs, "--threshold", 2, "--key", f"file:{founders / 'b.key'}"),
        PALERMO_KEY_PASSPHRASE="passphrase of b",
    )
    assert "1 more must sign, of the founders in trust root 1" in said
    file = folder / "trust-root-2.proposed"
    run(
        *("directory", "add-signature", file, "--root", root, "--key", founders / "c.key", "--yes"),
        PALERMO_KEY_PASSPHRASE="passphrase of c",
    )
    signed = folder / "trust-root-2.signed"
    assert "Trust root 2" in run_palermo("directory", "import", "--home", member, signed)
    run("directory", "take-root", folder, signed)
    assert "after version 2" in run("directory", "take-root", folder, signed, expect=1)

    rotated = member / "rotated.json"
    run_palermo("directory", "rotate-key", "--home", member, "--out", rotated, "--start-in", "0")
    run(
        *("directory", "amend", folder, rotated, "--key", f"file:{founders / 'c.key'}"),
        PALERMO_KEY_PASSPHRASE="passphrase of c",
    )
    said = run(
        *("directory", "add-signature", proposed, "--root", root, "--key", founders / "b.key", "--yes"),
        *("--current", folder / "directory.signed"),
        PALERMO_KEY_PASSPHRASE="passphrase of b",
    )
    assert "begins at" in said
    run_palermo("directory", "import", "--home", member, folder / "directory.signed")
    shown = json.loads(run_palermo("directory", "show", "--home", member, "--json"))
    assert (shown["version"], shown["root_version"], shown["currency"]) == (2, 2, "current")
    assert len([key for key in shown["members"][0]["keys"] if key["purpose"] == "signing"]) == 2
    assert (member / "keys" / "signing.uri").read_text().startswith("file:signing-")
    run_palermo("directory", "trust", "--home", member, "--out", tmp_path / "trust.json")
    assert (tmp_path / "trust.json").read_bytes() == root.read_bytes()
    assert "ok      directory" in run_palermo("node", "check", "--home", member)


def test_a_sole_founder_needs_one_command_each(member, tmp_path):
    folder = tmp_path / "alone"
    run("directory", "found", folder, "--network", "trial")
    assert run("directory", "found", folder, "--network", "trial", expect=2)
    run("directory", "sign", folder, member / "entry.json")
    assert (folder / "directory.signed").exists()
    run("directory", "amend", folder)
    key_id = json.loads(
        run("directory", "status", folder / "directory.signed", "--root", folder / "trust-root.json", "--json")
    )
    assert key_id["version"] == 2
    assert "lists no authority" in run("directory", "amend", folder, "--remove", "ZZ-POL", expect=2)


def test_a_keys_passphrase_is_changed(tmp_path):
    file = tmp_path / "my.key"
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("first\n")
    run("key", "new", file, PALERMO_KEY_PASSPHRASE_FILE=passphrase)
    run("key", "passphrase", file, PALERMO_KEY_PASSPHRASE="first", PALERMO_NEW_KEY_PASSPHRASE="second")
    assert "does not open" in run("key", "show", f"file:{file}", expect=2, PALERMO_KEY_PASSPHRASE="first")
    shown = run("key", "show", f"file:{file}", PALERMO_KEY_PASSPHRASE="second")
    assert shown == run("key", "show", f"{file}.pub")
    run("key", "passphrase", file, "--none", PALERMO_KEY_PASSPHRASE="second")
    assert {path.name for path in tmp_path.iterdir()} == {"my.key", "my.key.pub", "passphrase"}
    assert "needed" in run("key", "new", tmp_path / "other.key", expect=2)


def test_a_scheme_that_nobody_opens_is_named(tmp_path):
    refused = run("key", "show", "pkcs11:object=founder;pin-value=1234", expect=2)
    assert "pkcs11:" in refused
    assert "1234" not in refused
