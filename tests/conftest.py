"""Fixtures for every test: a node's home before Django reads its settings, and where the public data lies.

With ``PALERMO_TEST_DATABASE=postgresql`` the whole run uses a PostgreSQL server of its own instead of SQLite
(``make test-postgresql``).
"""

import importlib.util
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from palermo.config import node_file

# No test is timed: machines are shared. In CI the examples are the same each time; elsewhere each run seeks new ones.
hypothesis_settings.register_profile(
    "palermo", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("palermo")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_HOME = Path(tempfile.mkdtemp(prefix="palermo-tests-"))
_RUNNING = ExitStack()


def _start_postgresql() -> None:
    """Start a server, once a run: its address reaches parallel workers through the environment."""
    spec = importlib.util.spec_from_file_location("server", Path(__file__).with_name("postgres") / "server.py")
    server = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(server)
    os.environ["DATABASE_URL"] = _RUNNING.enter_context(server.running())


if os.environ.get("PALERMO_TEST_DATABASE") == "postgresql" and "PYTEST_XDIST_WORKER" not in os.environ:
    _start_postgresql()
node_file.create(_HOME / "home", node_file.NodeFile(authority="AA-POL", https=False))
os.environ["PALERMO_HOME"] = str(_HOME / "home")
os.environ["DJANGO_SETTINGS_MODULE"] = "palermo.config.settings"
django.setup()


def pytest_unconfigure() -> None:
    """Remove the home that this process made, and stop the database server if it started one."""
    _RUNNING.close()
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data beside the checkout; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the public data folder is absent")
    return SHARED_DATA


@pytest.fixture
def home(settings, tmp_path) -> Path:
    """A home folder of the test's own: what the node writes to disk is gone afterwards."""
    folder = tmp_path / "home"
    folder.mkdir()
    settings.PALERMO_HOME = folder
    return folder
