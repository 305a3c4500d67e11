"""The citations: every provision kept as a fact stands in the treaty's text, and says what we say it says."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from palermo.law.gates import gates
from palermo.law.instruments import CODES, Provision, instrument, provision, read, untoc
from palermo.law.strict import FactsError

EVERY = [one for code in CODES for one in instrument(code).provisions.values()]
FILES = Path(__file__).parents[2] / "src" / "palermo" / "law" / "facts" / "instruments"
COUNCIL = ("COE-EXTRADITION", "COE-MLA")


@pytest.mark.real
@pytest.mark.parametrize("one", EVERY, ids=lambda one: f"{one.instrument} {one.cite}")
def test_every_cited_paragraph_exists_and_contains_its_key_phrase(
    one: Provision, paragraph: Callable[[str, str], str]
) -> None:
    assert one.key in paragraph(one.instrument, one.cite)


def test_statements_are_our_own_words_and_short() -> None:
    for one in EVERY:
        assert one.says.endswith(".") and len(one.says) <= 130, one.cite
        assert one.name == f"{instrument(one.instrument).short} {one.cite}"
        assert one.article == re.match(r"\d+", one.cite)[0]  # type: ignore[index]


def test_a_provision_without_facts_cannot_be_cited() -> None:
    for code, cite in (("UNTOC", "18(99)"), ("CYBERCRIME-UN", "1"), ("UNKNOWN", "1")):
        with pytest.raises(KeyError):
            provision(code, cite)
    assert untoc("18(15)(b)") is provision("UNTOC", "18(15)(b)")


def test_there_is_a_file_for_each_instrument_and_none_besides() -> None:
    assert {path.stem for path in FILES.glob("*.toml")} == set(CODES)
    assert all(instrument(code).code == code for code in CODES)


def test_what_is_signed_and_not_in_force_says_when_that_was_known() -> None:
    hanoi = instrument("CYBERCRIME-UN")
    assert (hanoi.status, hanoi.known is not None, dict(hanoi.provisions)) == ("signed, not in force", True, {})
    assert all(instrument(code).status == "in force" for code in CODES if code != "CYBERCRIME-UN")


def test_provisions_that_additional_protocols_brought_are_marked() -> None:
    marked = {(one.instrument, one.article): one.brought_by for one in EVERY if one.brought_by}
    assert {code for code, _ in marked} == set(COUNCIL)
    assert marked["COE-EXTRADITION", "5"] == marked["COE-EXTRADITION", "12"] == "ETS 98"
    assert marked["COE-EXTRADITION", "9"] == "ETS 86" and marked["COE-MLA", "22"] == "ETS 99"
    assert {marked["COE-MLA", article] for article in ("1", "4", "11", "15", "20")} == {"ETS 182"}
    assert not provision("COE-EXTRADITION", "9(1)").brought_by and not provision("COE-MLA", "4(1)").brought_by


GOOD = (FILES / "FIREARMS.toml").read_text("utf-8")
FAULTS = [
    ('short = "Firearms Protocol"', "", "'short' is missing"),
    ('kind = "offences"', 'kind = "other"', "'other' is none of: offences"),
    ("adopted = 2001-05-31", 'adopted = "2001-05-31"', "'adopted' must be a date"),
    ("adopted = 2001-05-31", "adopted = 2001-05-31T10:00:00", "'adopted' must be a date"),
    ('supplements = "UNTOC"', 'supplement = "UNTOC"', "'supplement' is unknown"),
    ("in_force = 2005-07-03", "", "say since when"),
    ('status = "in force"', 'status = "signed, not in force"', "say on which day"),
    ("later_days = 30 }", "later_days = true }", "'later_days' must be a whole number"),
    (", later_days = 30 }", " }", "either 'later_days' or 'later_months'"),
    ('cite = "4(1)"', 'cite = "4(2)"', "provision 4(2) stands twice"),
    ('key = "state-to-state transactions"', 'key = " "', "'key' must be a text"),
    ('key = "state-to-state transactions"', 'key = "x"\nbrought_by = "ETS 1"', "no [[protocol]] of this file"),
    ("[[provision]]", "[provision]", "cannot be used"),
]


@pytest.mark.parametrize(("old", "new", "said"), FAULTS)
def test_a_file_with_a_fault_is_refused_and_the_fault_named(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in GOOD
    path = tmp_path / "FIREARMS.toml"
    path.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(FactsError, match=re.escape(said)):
        read(path)


def test_all_faults_are_named_at_once_and_what_is_no_toml_too(tmp_path: Path) -> None:
    path = tmp_path / "FIREARMS.toml"
    path.write_text(GOOD.replace("adopted = 2001-05-31", "").replace('kind = "offences"', "kind = 3"), "utf-8")
    with pytest.raises(FactsError) as caught:
        read(path)
    assert len(caught.value.problems) == 2 and "Mend this" in str(caught.value)
    for raw, said in ((b"\xff", "no TOML in UTF-8"), (b"= 1", "no TOML in UTF-8"), (b" " * 5_000_000, "larger than")):
        path.write_bytes(raw)
        with pytest.raises(FactsError, match=said):
            read(path)
    with pytest.raises(FactsError, match="cannot be opened"):
        read(tmp_path / "absent.toml")


def test_gates_ask_a_question_and_name_a_source() -> None:
    assert {"death_penalty", "torture", "persecution", "fair_trial", "neutrality", "protection"} <= set(gates())
    for gate in gates().values():
        assert gate.question.endswith("?") and gate.source
