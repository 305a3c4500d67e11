"""The treaties' English texts as they lie beside the checkout, cut down to one paragraph, letter or numeral."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROMAN = ("i", "ii", "iii", "iv", "v", "vi")
SOURCES = {
    "TIP": "UNTOC_protocol_trafficking_persons.md",
    "FIREARMS": "UNTOC_protocol_firearms.md",
    "UNCAC": "UNCAC_2003.md",
    "DRUGS1988": "UN_drugs_1988.md",
    "TF1999": "UN_terrorist_financing_1999.md",
    "COE-EXTRADITION": "CoE_extradition_1957.md",
    "COE-MLA": "CoE_mutual_assistance_1959.md",
    "BUDAPEST": "CoE_cybercrime_Budapest_2001.md",
}


def _marker(step: str) -> str:
    return rf"^{step}\.\s*" if step.isdigit() else rf"^\(?{step}[).](?:\s+|(?=[A-Z“]))|^\(?{step}\)"


def _next(step: str, roman: bool) -> str:
    if step.isdigit():
        return str(int(step) + 1)
    if roman:
        return ROMAN[ROMAN.index(step) + 1]
    return chr(ord(step) + 1)


def cut(article: str, steps: list[str]) -> str:
    """One paragraph of an article, found by its markers; a step after a letter is a Roman numeral.

    A step ends at the next of its kind, or at the next of any step above it.
    """
    text, ends, previous = article, [], ""
    for step in steps:
        roman = step in ROMAN and bool(previous) and not previous.isdigit()
        marker = rf"^\({step}\)\s*" if roman else _marker(step)
        start = re.search(marker, text, re.MULTILINE)
        assert start, f"no ({step}) in {article[:60]!r}"
        rest = text[start.end() :]
        following = _next(step, roman)
        ends.append(rf"^\({following}\)" if roman else _marker(following))
        found = [match.start() for end in ends[-1:] if (match := re.search(end, rest, re.MULTILINE))]
        text, previous = rest[: min(found)] if found else rest, step
    return text


def articles_of(path: Path) -> dict[str, str]:
    """The English articles of one source, by number, without links and emphasis."""
    if path.suffix == ".json":
        articles: dict[str, str] = json.loads(path.read_text("utf-8"))
        return articles
    english = re.split(r"^#+\s*Artikel\s+1\s*$", path.read_text("utf-8"), maxsplit=1, flags=re.MULTILINE)[0]
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", english).replace("*", "")
    parts = re.split(r"^#+\s*Article\s+(\d+)\s*$", plain, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="session")
def paragraph(shared_data: Path) -> Callable[[str, str], str]:
    """A function (instrument, citation) -> the text cited, white space made single."""
    law = shared_data / "law"
    texts = {code: articles_of(law / name) for code, name in SOURCES.items()}
    texts["UNTOC"] = articles_of(law / "UNTOC_articles_en.json")

    def find(code: str, cite: str) -> str:
        article, steps = cite.partition("(")[0], re.findall(r"\(([^)]+)\)", cite)
        return re.sub(r"\s+", " ", cut(texts[code][article], steps))

    return find
