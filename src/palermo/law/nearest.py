"""What a person may have meant: near matches of a name, for the error that says that it is unknown."""

import difflib
import unicodedata
from collections.abc import Iterable


def folded(text: str) -> str:
    """Case, accents, spaces, hyphens and other signs make no difference; letters of every script do."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parts if unicodedata.category(one)[0] in "LN")


def near(text: str, names: Iterable[str], most: int = 3) -> list[str]:
    """Up to ``most`` of the names that look like the text, the likeliest first; one that begins with it comes first."""
    by_fold: dict[str, str] = {}
    for name in names:
        by_fold.setdefault(folded(name), name)
    wanted = folded(text)
    if not wanted:
        return []
    begins = sorted(fold for fold in by_fold if fold.startswith(wanted))
    alike = [fold for fold in difflib.get_close_matches(wanted, by_fold, n=most, cutoff=0.6) if fold not in begins]
    return [by_fold[fold] for fold in (begins + alike)[:most]]
