"""Tables as CSV files for a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# A spreadsheet takes a cell that begins so for a formula; what partners sent must stay text.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file of one line, for :func:`csv.writer`."""

    def write(self, text: str) -> str:
        """Hand the line back."""
        return text


def plain(cell: object) -> str:
    """A cell as text that no spreadsheet runs. Telephone numbers and the like get an apostrophe in front."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def download(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """A CSV file, row by row (UTF-8 with its mark, so that spreadsheets read every script)."""
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield "\ufeff"
        yield writer.writerow(head)
        for row in rows:
            yield writer.writerow([plain(cell) for cell in row])

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
