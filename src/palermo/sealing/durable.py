"""A file that is there after a power cut: written, forced to disk, and its folder too."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Force a folder's list of names to disk, so that a new or renamed file in it survives. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
