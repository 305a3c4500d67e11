"""The tests of ledger and exchange, and of hostile texts, once more on PostgreSQL, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [
    "tests/node/ledger",
    "tests/node/exchange",
    "tests/node/exchange/on_postgres.py",
    "tests/node/matching/test_match_hostile.py",
]


@pytest.mark.postgres
@pytest.mark.slow
def test_ledger_and_exchange_on_postgresql(postgres_url):
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    environment.pop("PYTEST_XDIST_WORKER", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *ROOMS]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
