"""One finished road for all flows."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

for _name in ("stored_rows", "finished"):
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
        sys.modules[_name] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_name])
finished = sys.modules["finished"]


@pytest.fixture(scope="session")
def finished_road(tmp_path_factory) -> "finished.FinishedRoad":
    """The road as one run of the demo left it; to be read only."""
    own = tmp_path_factory.getbasetemp()
    return finished.walk_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
