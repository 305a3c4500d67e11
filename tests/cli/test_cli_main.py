"""The ``palermo`` command itself: a table of commands, each loaded only when it is called."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

import palermo
from palermo.cli import main as module
from palermo.cli.main import COMMANDS, app


def test_it_says_its_version() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"palermo {palermo.__version__}\n")


def test_help_lists_every_command_without_loading_any() -> None:
    program = "import sys; from palermo.cli.main import main\ntry: main()\nfinally: print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program, "--help"], capture_output=True, text=True, check=True)
    usage, _, loaded = done.stdout.partition("\nsys\n")
    for name, entry in COMMANDS.items():
        assert f"  {name} " in usage
        assert entry.summary.split(",")[0][:30] in usage
        assert entry.module not in loaded.split()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"palermo {name}" in result.stdout
    assert "--install-completion" not in result.stdout


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(app, ["evidnce"])
    assert result.exit_code == 2
    assert "No such command 'evidnce'" in result.output


def test_a_command_is_loaded_under_its_name_in_the_table() -> None:
    assert module.load("evidence", COMMANDS["evidence"]).name == "evidence"
