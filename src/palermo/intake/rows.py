"""Lines and CSV rows of a file, within bounds, each with the line it starts on.

Nothing here guesses: text is UTF-8, unless the caller knows that a source also writes Windows-1252. What can't be read
(an undecodable byte, a NUL, a field that never ends) raises `RowError` for its row alone; the next call goes on.
"""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from palermo.intake.errors import IntakeError, Reject, RowError

MAX_LINE_BYTES = (1 << 20) + 2
"""Longest line: one FollowTheMoney entity and its line ending."""
MAX_CELL_CHARACTERS = 16_384
"""Longest cell of a list; the longest of those read today has 4,000. It bounds the work of taking prose apart."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def ignore_progress(byte_count: int) -> None:
    """Progress that nobody watches."""


def opened(path: Path) -> BinaryIO:
    """Open a file that has content. Raises `IntakeError` if it is missing, unreadable or empty."""
    try:
        if not path.is_file():
            raise IntakeError("no such file" if not path.exists() else "not a regular file", path)
        if path.stat().st_size == 0:
            raise IntakeError("the file is empty", path)
        return path.open("rb")
    except OSError as error:
        raise IntakeError(f"can't be read: {error.strerror}", path) from error


class Lines:
    """Iterator over a file's lines as text; goes on after the `RowError` of a line that is too long.

    A byte that is no UTF-8 becomes a lone surrogate (`undecodable` finds it), or Windows-1252 where `legacy` is true.
    """

    def __init__(self, file: BinaryIO, on_progress: Callable[[int], None], *, legacy: bool = False) -> None:
        self._file = file
        self._on_progress = on_progress
        self._legacy = legacy
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self._on_progress(len(line))
        if len(line) > MAX_LINE_BYTES:
            self._skip_rest(line)
            raise RowError(f"line longer than {MAX_LINE_BYTES} bytes")
        if self.number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        return self._decoded(line)

    def _skip_rest(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._file.readline(MAX_LINE_BYTES)
            self._on_progress(len(line))

    def _decoded(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError:
            if not self._legacy:
                return line.decode("utf-8", "surrogateescape")
        try:
            return line.decode("cp1252")
        except UnicodeDecodeError:
            return line.decode("utf-8", "surrogateescape")


def undecodable(text: str) -> bool:
    """Whether a lone surrogate stands for a byte that couldn't be decoded."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def csv_rows(
    path: Path,
    on_reject: Callable[[Reject], None],
    on_progress: Callable[[int], None] = ignore_progress,
    *,
    legacy: bool = False,
    delimiter: str = ",",
) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file with the line each starts on (from 1); bad ones go to `on_reject`, blank ones are passed over.

    Raises `IntakeError` if the file is missing or empty.
    """
    with opened(path) as file:
        lines = Lines(file, on_progress, legacy=legacy)
        reader = csv.reader(lines, strict=True, delimiter=delimiter)
        while True:
            start = lines.number + 1
            row: list[str] = []
            try:
                row = next(reader)
                _check(row)
            except StopIteration:
                return
            except (RowError, csv.Error) as error:
                fault = error if isinstance(error, RowError) else RowError(_csv_fault(error, start, lines.number))
                on_reject(Reject.of(path, start, fault, ",".join(row)))
                continue
            if any(field.strip(" \t\r\n\x1a") for field in row):  # \x1a ends files written by DOS programs
                yield start, row


def _csv_fault(error: csv.Error, first: int, last: int) -> str:
    span = "" if last <= first else f" (lines {first} to {last} left out)"
    return f"not CSV: {error}{span}"


def _check(row: list[str]) -> None:
    whole = "".join(row)
    if "\x00" in whole:
        raise RowError("holds a NUL byte")
    if undecodable(whole):
        raise RowError("holds a byte that is no UTF-8")
    if len(whole) > MAX_CELL_CHARACTERS and max(map(len, row)) > MAX_CELL_CHARACTERS:
        raise RowError(f"a cell of more than {MAX_CELL_CHARACTERS} characters")
