"""A founded network to copy worlds from, and leave to use databases that are none of pytest's."""

from pathlib import Path

import pytest

from simulation import founding


@pytest.fixture(scope="session")
def founded(tmp_path_factory, django_db_blocker) -> Path:
    """Three authorities that share a directory."""
    with django_db_blocker.unblock():
        return founding.found(tmp_path_factory.mktemp("founded"), founding.codes(3))


@pytest.fixture(autouse=True)
def own_databases(django_db_blocker):
    """Every node of a world has a database of its own; the test's is not touched."""
    with django_db_blocker.unblock():
        yield
