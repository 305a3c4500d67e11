"""Bulk tables on disk: what an authority holds, as Parquet read by DuckDB."""

from palermo.lake.errors import (
    DamagedHoldingError,
    HoldingNameError,
    LakeError,
    RepeatedEntityError,
    UnknownHoldingError,
)
from palermo.lake.reports import HoldingCounts, HoldingVersion, LoadReport
from palermo.lake.store import Lake

__all__ = [
    "DamagedHoldingError",
    "HoldingCounts",
    "HoldingNameError",
    "HoldingVersion",
    "Lake",
    "LakeError",
    "LoadReport",
    "RepeatedEntityError",
    "UnknownHoldingError",
]
