"""Where everything lies in the lake. No other module builds a path.

.. code-block:: text

    ROOT/
      locks/HOLDING.lock                 held while a holding is loaded or dropped
      holdings/HOLDING/
        CURRENT                          which version counts, and the digest of its manifest
        staging-*/                       a version being written; swept by the next load
        versions/VERSION/
          manifest.json                  counts, and size and SHA-256 of each file below
          entities.parquet               id, schema, caption, protected, json; sorted by id
          selectors.parquet              kind, value, entity_id, protected; sorted by all three
          changes.parquet                id, change: against the version before; sorted by id
      trash-*/                           a dropped holding on its way out
"""

import re
from pathlib import Path

from palermo.lake.errors import HoldingNameError

ENTITIES = "entities.parquet"
SELECTORS = "selectors.parquet"
CHANGES = "changes.parquet"
MANIFEST = "manifest.json"
CURRENT = "CURRENT"
STAGING_PREFIX = "staging-"
TRASH_PREFIX = "trash-"

_HOLDING = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,127}")


def holdings_folder(root: Path) -> Path:
    """The folder of all holdings."""
    return root / "holdings"


def holding_folder(root: Path, holding: str) -> Path:
    """A holding's folder. Raises `HoldingNameError` for a name that could lead elsewhere."""
    if not _HOLDING.fullmatch(holding):
        raise HoldingNameError(holding)
    return holdings_folder(root) / holding


def lock_file(root: Path, holding: str) -> Path:
    """The file locked by whoever writes the holding; it stays when the holding goes."""
    return root / "locks" / f"{holding_folder(root, holding).name}.lock"


def current_file(root: Path, holding: str) -> Path:
    """The small file that says which version counts."""
    return holding_folder(root, holding) / CURRENT


def staging_folder(root: Path, holding: str, token: str) -> Path:
    """A folder to write a new version in."""
    return holding_folder(root, holding) / f"{STAGING_PREFIX}{token}"


def spill_folder(staging: Path) -> Path:
    """Where sorting spills what doesn't fit in memory."""
    return staging / "spill"


def arrivals_file(staging: Path, table: str) -> Path:
    """Rows of a table (`ENTITIES` or `SELECTORS`) as they arrived, unsorted."""
    return staging / f"arrived-{table}"


def versions_folder(root: Path, holding: str) -> Path:
    """The folder of a holding's versions."""
    return holding_folder(root, holding) / "versions"


def version_folder(root: Path, holding: str, version: str) -> Path:
    """One version's folder."""
    return versions_folder(root, holding) / version


def trash_folder(root: Path, token: str) -> Path:
    """Where a dropped holding goes before its files are removed."""
    return root / f"{TRASH_PREFIX}{token}"
