"""Countries with the words that lists put around them."""

import re
from collections.abc import Iterator

_BRACKETS = re.compile(r"\s*\([^()]*\)?")
_AROUND = re.compile(
    r"^(?:possibly|now|former|region:)\s+|\s+(?:citizen(?:ship)?|national(?:ity|s|ities)?)\b.*$|\s+by birth$",
    re.IGNORECASE,
)


def bare_countries(text: str) -> Iterator[str]:
    """What might be the country in a phrase, from all of it to its last part: the caller takes the first it knows.

    "Kuwait (at time of listing)", "Saudi Arabia citizenship", "Amman, Jordan", "former Yugoslavia" (the model knows
    the states of the last century too).
    """
    squashed = " ".join(text.split())
    yield squashed
    unbracketed = _BRACKETS.sub("", squashed).strip(" ,.")
    yield unbracketed
    yield _AROUND.sub("", _AROUND.sub("", unbracketed)).strip()
    if "," in unbracketed:
        yield unbracketed.rsplit(",", 1)[1].strip()
