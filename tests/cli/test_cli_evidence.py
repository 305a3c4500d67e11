"""``palermo evidence verify``: its exit codes and what it prints."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from palermo.cli.main import app


def _trial() -> ModuleType:
    """The trial network of the sealing tests."""
    path = Path(__file__).parents[1] / "sealing" / "conftest.py"
    spec = importlib.util.spec_from_file_location("sealing_trial_network", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good package, its trust root, and that of another network."""
    folder: Path = tmp_path_factory.mktemp("trial")
    make: Any = _trial().Network.make
    network = make(1)
    network.seal(folder / "answer.palermo.zip")
    (folder / "trust-root.json").write_bytes(network.trust_root.to_bytes())
    (folder / "other-root.json").write_bytes(make(2).trust_root.to_bytes())
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evidence", "verify", *map(str, arguments)])


def test_a_good_package_under_its_root_is_proven(trial: Path) -> None:
    result = run(trial / "answer.palermo.zip", "--trust", trial / "trust-root.json")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:16]] == [
        [str(number), "-" if number == 14 else "holds"] for number in range(1, 17)
    ]
    assert lines[-2].startswith("Proven")
    assert lines[-1].startswith("Trust root: ")
    assert len(lines[-1].split()) == 10


def test_without_a_root_it_is_intact_and_its_origin_unproven(trial: Path) -> None:
    result = run(trial / "answer.palermo.zip")
    assert result.exit_code == 3
    assert "Intact, origin unproven" in result.stdout
    assert "Trust root" not in result.stdout


def test_under_another_networks_root_it_is_refused(trial: Path) -> None:
    result = run(trial / "answer.palermo.zip", "--trust", trial / "other-root.json")
    assert result.exit_code == 1
    assert "16  FAILS  origin" in result.stdout
    assert "Check 16 fails" in result.stdout


def test_a_changed_package_is_refused_with_and_without_a_root(trial: Path, tmp_path: Path) -> None:
    data = (trial / "answer.palermo.zip").read_bytes()
    changed = tmp_path / "changed.palermo.zip"
    changed.write_bytes(data.replace(b"XB00 0001;100", b"XB00 0001;900"))
    for options in ((), ("--trust", trial / "trust-root.json")):
        result = run(changed, *options)
        assert result.exit_code == 1
        assert "data/0001-Kontoausz-ge-M-rz-.csv" in result.stdout


def test_json_says_the_same(trial: Path) -> None:
    result = run(trial / "answer.palermo.zip", "--trust", trial / "trust-root.json", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["verdict"] == "proven"
    assert report["claims"]["provider"] == "BO-CA"
    assert [check["ok"] for check in report["checks"]] == [True] * 13 + [None, True, True]
    assert len(report["trust_root_fingerprint"].replace(" ", "")) == 64
    assert json.loads(run(trial / "trust-root.json", "--json").stdout)["claims"] is None


def test_a_certificate_is_written_whatever_the_result(trial: Path, tmp_path: Path) -> None:
    package, root, target = trial / "answer.palermo.zip", trial / "trust-root.json", tmp_path / "result.pdf"
    pages = []
    for options, code in (
        (("--trust", root), 0),
        (("--trust", root), 0),
        ((), 3),
        (("--trust", trial / "other-root.json"), 1),
    ):
        result = run(package, *options, "--certificate", target, "--at", "2026-03-05T10:00:00Z")
        assert result.exit_code == code
        assert f"Certificate: {target}" in result.stdout
        pages.append(target.read_bytes())
    assert pages[0].startswith(b"%PDF-")
    assert pages[0] == pages[1]
    assert len(set(pages)) == 3
    before = package.read_bytes()
    for wrong in (package, tmp_path / "absent" / "x.pdf"):
        assert run(package, "--certificate", wrong).exit_code == 2
    assert run(package, "--at", "yesterday").exit_code == 2
    assert package.read_bytes() == before


def test_a_package_that_lacks_witnesses_is_not_proven_in_full(trial: Path, tmp_path: Path) -> None:
    network = _trial().Network.make(1)
    draft = network.draft()
    network.seal(tmp_path / "x.palermo.zip", draft, network.prove(draft.manifest_digest, witnesses=()))
    result = run(tmp_path / "x.palermo.zip", "--trust", trial / "trust-root.json")
    assert result.exit_code == 3
    assert "13 (witnesses)" in result.stdout
    assert "origin unproven" not in result.stdout


def test_unusable_arguments_are_neither_good_nor_broken(trial: Path, tmp_path: Path) -> None:
    package = trial / "answer.palermo.zip"
    for arguments in (
        (tmp_path / "absent",),
        (package, "--trust", tmp_path / "absent"),
        (package, "--trust", package),
        (package, "--unknown"),
        (),
    ):
        assert run(*arguments).exit_code == 2, arguments
