"""Legal bases of a blind match: recognised however spelt, and nothing else."""

import pytest

from palermo.law.bases import all_bases, recognise, treaty_bases
from palermo.law.instruments import untoc


@pytest.mark.parametrize("basis", treaty_bases(), ids=lambda basis: basis.code)
def test_each_rests_on_provisions_that_are_kept_and_knows_its_spellings(basis):
    assert basis.says.endswith(".") and all(untoc(cite) for cite in basis.cites) and basis.cites
    for text in (basis.name, *basis.spellings):
        for spelling in (text, text.upper(), f"  {text}", text.replace("\u2013", "-").replace("Art.", "Article")):
            assert recognise(spelling) is basis


@pytest.mark.parametrize("text", ["", "UNTOC", "Art. 27", "UNTOC Art. 2", "UNTOC Art. 271", "27", "Agreement: ", "law"])
def test_what_is_none_is_not_recognised(text):
    assert recognise(text) is None
    assert recognise(text, ["Treaty of Port Meridian"]) is None


def test_an_agreement_counts_for_who_lists_it():
    listed = ["Treaty of Port Meridian"]
    assert recognise("agreement: treaty of  port meridian", listed).code == "agreement"
    assert recognise("Agreement: Treaty of Port Meridian") is None
    assert [basis.name for basis in all_bases(listed)][-1] == "Agreement: Treaty of Port Meridian"
