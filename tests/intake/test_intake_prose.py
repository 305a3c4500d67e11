"""Dates, names, numbers, places and enumerations out of prose."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palermo.intake.prose.dates import partial_dates, year_range
from palermo.intake.prose.enumerations import items
from palermo.intake.prose.names import is_latin, listed_names, names_in_note, natural_order, referred_names
from palermo.intake.prose.numbers import (
    document_number,
    email_addresses,
    imo_numbers,
    international,
    telephone_numbers,
)
from palermo.intake.prose.places import bare_countries


@pytest.mark.parametrize(
    ("phrase", "dates"),
    [
        ("1965", ("1965",)),
        ("1965-03", ("1965-03",)),
        ("1966-02-02-05:00", ("1966-02-02",)),
        ("13 May 1965", ("1965-05-13",)),
        ("13 May 1965.", ("1965-05-13",)),
        ("Sep. 1958", ("1958-09",)),
        ("01 Jan.1967", ("1967-01-01",)),
        ("circa 1951", ("1951",)),
        ("approximately Jul 1951", ("1951-07",)),
        ("00/00/1980", ("1980",)),
        ("00/07/1980", ("1980-07",)),
        ("26/12/1955", ("1955-12-26",)),
        ("1977/1978", ("1977", "1978")),
        ("1955-1958", ("1955", "1956", "1957", "1958")),
        ("circa 1979-1982", ("1979", "1980", "1981", "1982")),
        ("1951 to 1953", ("1951", "1952", "1953")),
        ("01 Jan 1973 to 31 Dec 1973", ("1973",)),
        ("01 Oct 1992 to 31 Oct 1992", ("1992-10",)),
        ("26 Sep 1946 to 07 Dec 1946.", ("1946",)),
        ("01 Jan 1961 to 31 Dec 1962", ("1961", "1962")),
        ("1900 to 1950", ("1900", "1950")),
        ("1953 to 1951", ()),
        ("30 Feb 1960", ()),
        ("31/13/1960", ()),
        ("05/00/1960", ()),
        ("30-35 years old", ()),
        ("0000", ()),
        ("", ()),
    ],
)
def test_partial_dates(phrase: str, dates: tuple[str, ...]) -> None:
    assert partial_dates(phrase) == dates


def test_year_range_needs_two_years_in_order() -> None:
    assert year_range("1963", "1965") == ("1963", "1964", "1965")
    assert year_range("1965", "1963") == ()
    assert year_range("", "1963") == ()


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_whole_date_survives(day: date) -> None:
    assert partial_dates(day.isoformat()) == (day.isoformat(),)
    assert partial_dates(day.strftime("%d/%m/%Y")) == (day.isoformat(),)


@pytest.mark.parametrize(
    ("listed", "spoken"),
    [
        ("TEASPOON, Oswald Ben", "Oswald Ben TEASPOON"),
        ("DEL CUENCO, Ana, Jr.", "Ana DEL CUENCO Jr."),
        ("CUENCO, III", "CUENCO III"),
        ("SPOONY", "SPOONY"),
        ('"SPOON, Abu"', "Abu SPOON"),
        ("", ""),
    ],
)
def test_natural_order(listed: str, spoken: str) -> None:
    assert natural_order(listed) == spoken


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Oswald Teaspoon", [("Oswald Teaspoon", "alias")]),
        ("Oz Teaspoon; Ozzy Teaspoon", [("Oz Teaspoon", "alias"), ("Ozzy Teaspoon", "alias")]),
        ("Teaspoon, Dr. Ozzy", [("Dr. Ozzy Teaspoon", "alias")]),
        ("Ozzy Spoon (previously listed as)", [("Ozzy Spoon", "previousName")]),
        ("Ozzy Spoon, born 5 Feb. 1970 in Tunis (formerly listed as)", [("Ozzy Spoon", "previousName")]),
        ("Ozzy Spoon born in 1963", [("Ozzy Spoon", "alias")]),
        ("Ozzy Osborne Spoon", [("Ozzy Osborne Spoon", "alias")]),
        ("Abu Spoon (nom de guerre)", [("Abu Spoon", "alias")]),
        ("(Sheikh) Ozzy Spoon", [("Ozzy Spoon", "alias")]),
        ("Ozzy Spoon son of Oz Spoon (اوزي)", [("Ozzy Spoon", "alias"), ("اوزي", "alias")]),
        ("اوزي (Ozzy; Ozi)", [("اوزي", "alias"), ("Ozzy", "alias"), ("Ozi", "alias")]),
        ("اوزي (Ozzy; Ozi", [("اوزي", "alias"), ("Ozzy", "alias"), ("Ozi", "alias")]),
        ("Ozzy (original script: Оззи)", [("Ozzy", "alias"), ("Оззи", "alias")]),
        (") Ozzy Spoon", [("Ozzy Spoon", "alias")]),
        ('"Ozzy"', [("Ozzy", "alias")]),
        ("\ufffdOzzy", [("'Ozzy", "alias")]),
        ("; ,", []),
    ],
)
def test_names_of_a_person(cell: str, names: list[tuple[str, str]]) -> None:
    assert [(name.text, name.property) for name in listed_names(cell, person=True)] == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("Forks, Knives and Spoons Ltd", [("Forks, Knives and Spoons Ltd", "alias")]),
        ("Forks (Hong Kong) Limited", [("Forks (Hong Kong) Limited", "alias")]),
        (
            "Society of Forks (SOF)",
            [("Society of Forks (SOF)", "alias"), ("Society of Forks", "alias"), ("SOF", "weakAlias")],
        ),
        ("League of Forks (formerly listed as)", [("League of Forks", "previousName")]),
        ("جبهة (sub-unit name: Front of Forks)", [("جبهة", "alias"), ("Front of Forks", "alias")]),
        ("SECOND ACADEMY OF FORKS (XXE.018)", [("SECOND ACADEMY OF FORKS", "alias")]),
    ],
)
def test_names_of_an_organisation(cell: str, names: list[tuple[str, str]]) -> None:
    assert [(name.text, name.property) for name in listed_names(cell, person=False)] == names


def test_weak_names_stay_weak() -> None:
    assert [name.property for name in listed_names("Ozzy; Oz", person=True, weak=True)] == ["weakAlias", "weakAlias"]


@pytest.mark.parametrize(
    ("note", "names"),
    [
        ("original script: Оззи", ["Оззи"]),
        ("Previously listed as. In Arabic: اوزي ", ["اوزي"]),
        ("Ozzy Spoon; Ozi Spoon", ["Ozzy Spoon", "Ozi Spoon"]),
        ("born in 1971 in Sfax (Ozzy Spoon; Ozi Spoon)", ["Ozzy Spoon", "Ozi Spoon"]),
        ("DOB: 1948; POB: Sfax", []),
        ("nom de guerre", []),
    ],
)
def test_names_in_a_note(note: str, names: list[str]) -> None:
    assert names_in_note(note) == names


def test_names_referred_to() -> None:
    assert referred_names("Also referred to as Bip, 'Bop' and Abu Bap. Eats.", person=True) == ["Bip", "Bop", "Abu Bap"]
    assert referred_names("also known as Fork and Knife Society, FKS.", person=False) == [
        "Fork and Knife Society",
        "FKS",
    ]
    assert referred_names("Also known as the (old) leader.", person=True) == []
    assert referred_names("Eats.", person=True) == []


def test_latin_letters_with_marks_are_latin() -> None:
    assert is_latin("Çağrı Đặng’s №1")
    assert not is_latin("Оззи")


@pytest.mark.parametrize(
    ("phrase", "number"),
    [
        ("G827238 (Tunisian). Issued on 1 June 1996. Expired on 31 May 2001", "G827238"),
        ("Afghan passport number SE 012820", "SE 012820"),
        (" OA 454044", "OA 454044"),
        ("A 11263265", "A 11263265"),
        ("Passport No: 592667 (Qatari passport issued on 3 May 2007).", "592667"),
        ("German travel document (“Ausweis”) A 0141062 (revoked as at Sep. 2012)", "A 0141062"),
        ("SSN 156-92-9858 (United States of America)", "156-92-9858"),
        ("Italian Fiscal Code: TSPSLD61B02Z352Z", "TSPSLD61B02Z352Z"),
        ("E-491591", "E-491591"),
        ("0018061/104 (issued on 12 Sept 1993)", "0018061/104"),
        ("issued in 1974", None),
        ("Refugee travel document", None),
        ("12", None),
        ("", None),
    ],
)
def test_document_number(phrase: str, number: str | None) -> None:
    assert document_number(phrase) == number


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("(98)(21)(66153220)", "+982166153220"),
        ("850-2-18111-381", "+850218111381"),
        ("00254 712 123456", "+254712123456"),
        ("0202-104748", None),
        ("12345", None),
        ("x1234567890", None),
    ],
)
def test_international_numbers(written: str, number: str | None) -> None:
    assert international(written) == number


def test_numbers_and_addresses_in_running_text() -> None:
    text = (
        "Shop 237. Tel +93-202-103386, +93-202-101714; Fax 850 2 381 4431. IMO Number: 9074729. Mail a.b@spoon.example."
    )
    assert telephone_numbers(text) == ["+93202103386", "+93202101714"]
    assert imo_numbers(text) == ["9074729"]
    assert email_addresses(text) == ["a.b@spoon.example"]


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("(1) Afghan (2) Iraqi", ["Afghan", "Iraqi"]),
        ("1) Saudi Arabia 2) Qatar", ["Saudi Arabia", "Qatar"]),
        ("a) Keeper b) Counter (of forks)", ["Keeper", "Counter (of forks)"]),
        ("(1)-(2) Tunisia (3) Libya (4) -", ["Tunisia", "Libya"]),
        ("Libya (a) part", ["Libya (a) part"]),
        ("  ", []),
    ],
)
def test_enumerations(cell: str, values: list[str]) -> None:
    assert items(cell) == values


@pytest.mark.parametrize(
    ("phrase", "country"),
    [
        ("Kuwait (at time of listing)", "Kuwait"),
        ("Saudi Arabia citizenship", "Saudi Arabia"),
        ("possibly Palestinian", "Palestinian"),
        ("Amman, Jordan", "Jordan"),
        ("Sudanese by birth", "Sudanese"),
    ],
)
def test_countries_lose_the_words_around_them(phrase: str, country: str) -> None:
    candidates = list(bare_countries(phrase))
    assert candidates[0] == phrase
    assert candidates[-1] == country


@given(st.text(max_size=80))
def test_prose_is_never_too_strange(text: str) -> None:
    partial_dates(text)
    items(text)
    listed_names(text, person=True)
    listed_names(text, person=False)
    names_in_note(text)
    referred_names(text, person=True)
    document_number(text)
    telephone_numbers(text)
    international(text)
    list(bare_countries(text))
