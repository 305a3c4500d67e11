"""What can go wrong with a file: the whole of it (`IntakeError`), or one row (`RowError`, reported as a `Reject`)."""

from dataclasses import dataclass
from pathlib import Path

MAX_ROW_CHARACTERS = 20_000
"""A rejected row is kept up to this length: enough to mend it, too little to fill a disk with one line."""


class IntakeError(Exception):
    """The input can't be used at all: missing, empty, of another format, hostile.

    `fault` says what is wrong and what to do; `path` and `line` (from 1) where, if known.
    """

    def __init__(self, fault: str, path: Path | None = None, line: int | None = None) -> None:
        self.fault = fault
        self.path = path
        self.line = line
        place = "" if path is None else f"{path}: " if line is None else f"{path}, line {line}: "
        super().__init__(place + fault)


class RowError(IntakeError):
    """One row can't be used; the rest of the file can."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row left out: its file, the line it starts on (from 1), why, and the row itself."""

    file: str
    line: int
    reason: str
    row: str

    @classmethod
    def of(cls, path: Path, line: int, error: RowError, row: str) -> "Reject":
        """A reject for a row that raised `error`; an endless row is cut."""
        text = row.encode("utf-8", "backslashreplace").decode()
        kept = text if len(text) <= MAX_ROW_CHARACTERS else text[:MAX_ROW_CHARACTERS] + "…"
        return cls(file=str(path), line=line, reason=error.fault, row=kept)
