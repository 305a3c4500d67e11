"""Each paragraph that the plan of this room names is cited by a rule and by a case; the test lists any that is not."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from palermo.law.clocks.table import clocks
from palermo.law.demands import of_instrument as demands_of
from palermo.law.grounds import of_instrument as grounds_of
from palermo.law.instruments import CODES, instrument
from palermo.law.offences import offences
from palermo.law.offers import TOPICS, offers
from palermo.law.request_types import request_types
from palermo.law.scope import PROTOCOLS

HERE = Path(__file__).parent
RULES = HERE.parents[1] / "src" / "palermo" / "law"
NAMED = {
    "UNTOC": "2(a) 2(b) 3(1) 3(2) 5 6 8 23 12(8) 13(1) 13(2) 13(3)(a) 13(3)(b) 13(3)(c) 13(7) 13(8) 14(2) 16(1) 16(5) "
    "16(10) 16(15) 16(16) 17 18(1) 18(2) 18(3) 18(4) 18(5) 18(6) 18(7) 18(8) 18(9) 18(10) 18(11) 18(12) 18(13) 18(14) "
    "18(15) 18(16) 18(18) 18(20) 18(21) 18(22) 18(23) 18(24) 18(25) 18(26) 18(27) 18(28) 18(29) 18(30) 19 20 21 27(1) "
    "38(2)",
    "UNCAC": "57(3)",
    "TF1999": "14",
    "COE-EXTRADITION": "6(2) 12(2) 14(1)(b) 16(4) 18(2) 18(4)",
    "BUDAPEST": "25(3) 29(2) 29(7) 30(1) 31(1) 35(1)",
    "TIP": "1(3)",
    "FIREARMS": "1(3)",
}
"""By instrument, the paragraphs that the plan names: one that is cited by its letters is cited."""

LITERAL = re.compile(rf'"({"|".join(CODES)})",\s*"(\d+(?:\([0-9a-z]+\))*)"')
SHORT = {instrument(code).short: code for code in CODES}
BY_SHORT = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, SHORT))})\s+(\d+(?:\([0-9a-z]+\))*)")


def cited_by_rules() -> Iterator[tuple[str, str]]:
    for code in CODES:
        yield from ((code, demand.cite) for demand in demands_of(code))
        catalogue = grounds_of(code)
        for ground in catalogue.grounds:
            yield from ((code, cite) for cite in (ground.cite, ground.reasons, ground.consult, ground.duty) if cite)
        yield from ((code, row.cite) for row in catalogue.never)
        yield from ((code, duty.cite) for duty in catalogue.duties)
        if (entry := instrument(code).entry) is not None:
            yield code, entry.article
    for clock in clocks().values():
        yield from ((clock.instrument, clock.cite), *clock.also.items())
    for kind in request_types().values():
        yield from ((code, cite) for code, cites in kind.articles.items() for cite in cites)
    for offer in offers():
        named = [cite for topic in TOPICS for cite in offer.cites(topic)]
        for cite in (*named, *offer.always, offer.yields_by, offer.included, offer.optional, offer.recognised):
            yield offer.instrument, cite
    for offence in offences().values():
        yield from ((cover.instrument, cover.cite) for cover in offence.covers)
    yield from ((code, "1(3)") for code in PROTOCOLS)  # through which a protocol's offences count as the Convention's
    for path in RULES.rglob("*.py"):
        text = path.read_text("utf-8")
        yield from LITERAL.findall(text)
        yield from ((SHORT[short], cite) for short, cite in BY_SHORT.findall(text))


def cited_by_cases() -> Iterator[tuple[str, str]]:
    for path in (HERE / "cases").glob("*.toml"):
        for case in tomllib.loads(path.read_text("utf-8")).get("case", ()):
            yield from _of_case(case)
    for path in HERE.glob("*.toml"):
        for case in tomllib.loads(path.read_text("utf-8")).get("case", ()):
            for text in (*case.get("article", ()), *case.get("always", ())):
                code, _, cite = text.partition(" ")
                yield code, cite
    entries = ((code, instrument(code).entry) for code in CODES)
    yield from ((code, entry.article) for code, entry in entries if entry)  # cases of test_law_parties.py
    for path in HERE.glob("*.py"):
        if path != Path(__file__):
            yield from ((SHORT[short], cite) for short, cite in BY_SHORT.findall(path.read_text("utf-8")))


def _of_case(case: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a case names: in its title, or among what it expects, of its own instrument unless another is named."""
    bound = case.get("bound", [])
    code = case.get("by") or (clocks()[case["clock"]].instrument if "clock" in case else bound[-1])
    words = [case["name"], *case.get("missing", []), *case.get("open", []), *case.get("owed", [])]
    words += [*case.get("closed", []), *case.get("duties", []), *case.get("unknown", [])]
    for text in words:
        named = re.findall(rf"({'|'.join(CODES)}) (\d+(?:\([0-9a-z]+\))*)", text)
        yield from named
        if not named:
            yield from ((code, cite) for cite in re.findall(r"(?<![\w-])(\d+(?:\([0-9a-z]+\))*)", text))
            yield from ((other, cite) for other in bound for cite in re.findall(r"\d+(?:\([0-9a-z]+\))+", text))


def uncited(cited: set[tuple[str, str]]) -> list[str]:
    return [
        f"{code} {cite}"
        for code, cites in NAMED.items()
        for cite in cites.split()
        if not any(code == other and (one == cite or one.startswith(f"{cite}(")) for other, one in cited)
    ]


def test_each_named_paragraph_is_cited_by_a_rule() -> None:
    assert uncited(set(cited_by_rules())) == []


def test_each_named_paragraph_is_cited_by_a_case() -> None:
    assert uncited(set(cited_by_cases())) == []
