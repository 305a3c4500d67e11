"""Django in a process that is no node's: the home it must have, and no database until a member acts."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def prepared() -> Iterator[Path]:
    """Set Django up over an empty home; yields a folder for worlds, which is gone in the end.

    Import what reads settings (``simulation.world`` and most others) within, not before.
    """
    from palermo.config import node_file

    with tempfile.TemporaryDirectory(prefix="palermo-network-") as folder:
        node_file.create(Path(folder) / "home", node_file.NodeFile(authority="AA-POL", https=False))
        os.environ["PALERMO_HOME"] = str(Path(folder) / "home")
        os.environ["DJANGO_SETTINGS_MODULE"] = "palermo.config.settings"
        import django

        django.setup()
        yield Path(folder)
