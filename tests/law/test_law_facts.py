"""The citations: every provision kept as a fact stands in the treaty's text, and says what we say it says."""

import json
import re
from pathlib import Path

import pytest

from palermo.law.instruments import gates, untoc, untoc_provisions

ROMAN = {"i", "ii", "iii", "iv", "v"}


def paragraph_of(article: str, steps: list[str]) -> str:
    """The text of one paragraph, letter or numeral of an article, cut out by its markers."""
    text = article
    for step in steps:
        marker = rf"^{step}\.\s" if step.isdigit() else rf"^\({step}\)\s" if step in ROMAN else rf"^{step}\)\s"
        start = re.search(marker, text, re.MULTILINE)
        assert start, f"no ({step})"
        rest = text[start.end() :]
        nxt = r"^\d+\.\s" if step.isdigit() else r"^\([ivx]+\)\s|^[a-z]\)\s|^\d+\.\s"
        if not step.isdigit() and step not in ROMAN:
            nxt = r"^[a-z]\)\s|^\d+\.\s"
        end = re.search(nxt, rest, re.MULTILINE)
        text = rest[: end.start()] if end else rest
    return text


@pytest.mark.real
@pytest.mark.parametrize("cite", sorted(untoc_provisions()))
def test_every_cited_paragraph_exists_and_contains_its_key_phrase(cite: str, shared_data: Path) -> None:
    text = json.loads((shared_data / "law" / "UNTOC_articles_en.json").read_text("utf-8"))
    steps = re.findall(r"\(([^)]+)\)", cite)
    assert untoc(cite).key in re.sub(r"\s+", " ", paragraph_of(text[untoc(cite).article], steps))


def test_statements_are_our_own_words_and_short() -> None:
    for provision in untoc_provisions().values():
        assert provision.says.endswith(".") and len(provision.says) <= 130
        assert provision.name == f"UNTOC {provision.cite}"
        assert provision.article == re.match(r"\d+", provision.cite)[0]  # type: ignore[index]


def test_a_provision_without_facts_cannot_be_cited() -> None:
    with pytest.raises(KeyError):
        untoc("18(99)")


def test_gates_ask_a_question_and_name_a_source() -> None:
    assert {"death_penalty", "torture", "persecution", "fair_trial", "neutrality", "protection"} <= set(gates())
    for gate in gates().values():
        assert gate.question.endswith("?") and gate.source
