"""What the tests of faults share: one finished road, and someone who kills nodes."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).resolve().parent


def _load(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_load("stored_rows", HERE.parent / "flows" / "stored_rows.py")
finished = _load("finished", HERE.parent / "flows" / "finished.py")
_load("killing", HERE / "killing.py")
_load("bookkeeping", HERE / "bookkeeping.py")
_load("cut_line", HERE / "cut_line.py")
_load("noting_node", HERE / "noting_node.py")


@pytest.fixture(scope="session")
def finished_road(tmp_path_factory) -> "finished.FinishedRoad":
    """The road as one run of the demo left it; to be read only."""
    own = tmp_path_factory.getbasetemp()
    return finished.walk_once(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)
