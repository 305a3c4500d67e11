"""A page of a long list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.http import HttpRequest

T = TypeVar("T")

PAGE = 50


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Rows of one page. ``pages`` is 0 where the number of pages is not known (the source does not count)."""

    rows: Sequence[T]
    page: int
    pages: int
    has_next: bool

    def numbers(self) -> list[int]:
        """Page numbers to link: the first, the last, and the neighbours of this one."""
        wanted = {1, self.pages, self.page - 1, self.page, self.page + 1}
        return sorted(number for number in wanted if 1 <= number <= self.pages)


def asked_page(request: HttpRequest) -> int:
    """The page number that the address asks for; 1 where it asks for none or for nonsense."""
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and 1 <= int(text) <= 1_000_000 else 1


def slice_of(request: HttpRequest, rows: Sequence[T], size: int = PAGE) -> Slice[T]:
    """The asked page of a list that is at hand in full."""
    pages = max(1, -(-len(rows) // size))
    page = min(asked_page(request), pages)
    return Slice(rows[(page - 1) * size : page * size], page, pages, page < pages)


def uncounted(request: HttpRequest, rows: Sequence[T], size: int) -> Slice[T]:
    """The asked page of a list whose source hands out pages of ``size`` and does not count them."""
    return Slice(rows, asked_page(request), 0, len(rows) >= size)
