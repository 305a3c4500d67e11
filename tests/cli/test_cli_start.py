"""What a command loads before it works: its help is there in a blink (``benchmarks/start.py`` measures the blink)."""

import os
import subprocess
import sys

import pytest

from palermo.cli.main import COMMANDS

HEAVY = {"django", "duckdb", "followthemoney", "numpy", "pyarrow", "pydantic", "rich", "rigour"}
"""Packages whose import alone takes longer than a person notices."""


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_loads_nothing_heavy(command: str) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    start = [sys.executable, "-X", "importtime", "-c", "from palermo.cli.main import main; main()", command, "--help"]
    done = subprocess.run(start, env=plain, capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not loaded & HEAVY
