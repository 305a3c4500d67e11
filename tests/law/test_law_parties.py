"""Who is party since when, States and offences by name, and an administrator's file over the facts."""

import re
from csv import reader
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from palermo.law import offences, parties, states
from palermo.law.basis import SameStateError, report
from palermo.law.between import between
from palermo.law.case import Case
from palermo.law.instruments import instrument
from palermo.law.register import Register, load, read
from palermo.law.strict import FactsError

SHEETS = {
    "UNTOC": "18-12",
    "TIP": "18-12-a",
    "FIREARMS": "18-12-c",
    "UNCAC": "18-14",
    "DRUGS1988": "6-19",
    "TF1999": "18-11",
}
MARKS = {"": "ratified", "a": "acceded", "A": "accepted", "AA": "approved", "d": "succeeded", "c": "confirmed"}


@pytest.mark.real
@pytest.mark.parametrize(("code", "sheet"), SHEETS.items())
def test_every_row_of_the_depositarys_table_is_kept_as_it_stands(code: str, sheet: str, shared_data: Path) -> None:
    with (shared_data / "law" / "parties-2015-03" / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(reader(file))[1:]
    kept = parties.table(code)
    assert kept is not None and len(kept.deposits) == len(rows)
    for name, signed, deposited in rows:
        deposit = kept.deposits[states.find(name).code]
        if deposited:
            day, month, year, *mark = deposited.split()
            on = datetime.strptime(f"{day} {month} {year}", "%d %b %Y").replace(tzinfo=UTC).date()
            # Two rows bear no mark although nothing was signed: without a signature there is nothing to ratify.
            kind = MARKS[mark[0] if mark else ""] if signed or mark else "acceded"
            assert (deposit.kind, deposit.on) == (kind, on), name
        else:
            assert deposit.kind == "signed" and f"{deposit.on:%-d %b %Y}" == signed, name


@pytest.mark.parametrize("code", parties.TABLED)
def test_entry_into_force_follows_from_the_deposits(code: str) -> None:
    """The last of the deposits that bring it into force, and the days after it. The European Union's does not count."""
    facts, kept = instrument(code), parties.table(code)
    assert facts.entry is not None and facts.in_force is not None and kept is not None
    days = sorted(one.on for state, one in kept.deposits.items() if one.kind != "signed" and state != "EU")
    computed = days[facts.entry.first - 1] + timedelta(days=facts.entry.first_days or 0)
    if code == "DRUGS1988":  # one of the first twenty came from a State that the table of 2015 no longer lists
        computed = days[facts.entry.first - 2] + timedelta(days=90)
        assert computed <= facts.in_force <= days[facts.entry.first - 1] + timedelta(days=90)
    else:
        assert computed == facts.in_force


@pytest.mark.parametrize(
    ("code", "deposited", "since"),
    [
        ("UNTOC", date(2003, 6, 30), date(2003, 9, 29)),
        ("UNTOC", date(2003, 7, 10), date(2003, 9, 29)),
        ("UNTOC", date(2006, 8, 2), date(2006, 9, 1)),
        ("FIREARMS", date(2005, 5, 1), date(2005, 7, 3)),
        ("DRUGS1988", date(1990, 12, 31), date(1991, 3, 31)),
        ("COE-EXTRADITION", date(1970, 1, 1), date(1970, 4, 1)),
        ("BUDAPEST", date(2010, 1, 15), date(2010, 5, 1)),
        ("BUDAPEST", date(2010, 10, 31), date(2011, 2, 1)),
        ("BUDAPEST", date(2003, 1, 1), date(2004, 7, 1)),
    ],
)
def test_entry_into_force_for_one_state(code: str, deposited: date, since: date) -> None:
    facts = instrument(code)
    assert facts.entry is not None
    assert parties.enters(facts.entry, facts.in_force, deposited) == since


@pytest.mark.parametrize(
    ("code", "state", "on", "party"),
    [
        ("UNTOC", "IT", date(2006, 8, 31), False),
        ("UNTOC", "IT", date(2006, 9, 1), True),
        ("UNTOC", "IT", date(2026, 1, 1), True),
        ("UNTOC", "AL", date(2003, 1, 1), False),
        ("UNTOC", "JP", date(2014, 1, 1), False),
        ("UNTOC", "JP", date(2020, 1, 1), None),
        ("TIP", "BT", date(2020, 1, 1), None),
        ("UNTOC", "ME", date(2006, 8, 1), None),
        ("UNTOC", "ME", date(2007, 1, 1), True),
        ("COE-MLA", "IT", date(2020, 1, 1), None),
        ("CYBERCRIME-UN", "VN", date(2025, 10, 1), False),
        ("CYBERCRIME-UN", "VN", date(2026, 10, 1), None),
    ],
)
def test_standing(code: str, state: str, on: date, party: bool | None) -> None:
    found = Register().standing(code, state, on)
    assert found.party is party
    assert party is not None or parties.DEPOSITARY in found.says or "independence" in found.says


@pytest.mark.parametrize(
    ("text", "code"),
    [("it", "IT"), ("Italy", "IT"), ("ITA", "IT"), ("cote d ivoire", "CI"), ("Turkey", "TR"), ("viet-nam", "VN")],
)
def test_states_are_found_by_code_and_name(text: str, code: str) -> None:
    assert states.find(text).code == code


def test_unknown_names_are_answered_with_near_ones() -> None:
    with pytest.raises(states.UnknownStateError, match=re.escape("Did you mean IT (Italy)")):
        states.find("Itlay")
    with pytest.raises(states.UnknownStateError, match="Give a code of ISO 3166-1"):
        states.find("?")
    with pytest.raises(offences.UnknownOffenceError, match="money-laundering"):
        offences.find("money")
    with pytest.raises(offences.UnknownOffenceError, match="serious-crime"):
        offences.find("")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("洗钱罪", "money-laundering"),
        ("Geldwäsche", "money-laundering"),
        ("geldwasche", "money-laundering"),
        ("human trafficking", "trafficking-in-persons"),
        ("الرشوة", "corruption"),
        ("kidnapping", "kidnapping"),
    ],
)
def test_offences_are_found_by_whatever_a_law_calls_them(text: str, code: str) -> None:
    assert offences.find(text).code == code


def test_the_beginning_of_a_name_brings_the_offences_that_it_may_mean() -> None:
    with pytest.raises(offences.UnknownOffenceError, match="firearms-trafficking or ") as caught:
        offences.find("trafic")
    assert len(caught.value.near) >= 2


def test_the_taxonomy_says_what_was_done_and_cites_what_is_kept() -> None:
    for offence in offences.offences().values():
        assert offence.conduct.endswith(".") and re.fullmatch(r"[a-z]+(-[a-z]+)*", offence.code)
        assert all(re.fullmatch(r"[a-z]{2}: .+", name) for name in offence.names)
        for cover in offence.covers:
            kept = instrument(cover.instrument).provisions
            assert cover.cite in kept, cover
    listed = {cover.cite for one in offences.offences().values() for cover in one.covers if cover.instrument == "UNTOC"}
    assert {"5(1)", "6(1)", "8(1)", "23"} <= listed


FILE = """
[[state]]
code = "XA"
name = "Aurelia"

[[state]]
code = "XB"
name = "Borealis"

[[party]]
instrument = "UNTOC"
state = "XA"
deposited = 2004-01-10
source = "Treaty office of Aurelia"
known = 2026-01-15

[[party]]
instrument = "UNTOC"
state = "XB"
in_force = 2005-01-01
until = 2026-03-01
source = "Treaty office of Aurelia"
known = 2026-01-15

[[party]]
instrument = "UNTOC"
state = "JP"
deposited = 2017-07-11
source = "depositary notification"
known = 2017-08-01

[[party]]
instrument = "COE-MLA"
state = "XA"
party = false
source = "Treaty office of Aurelia"
known = 2026-01-15

[[party]]
instrument = "ETS 182"
state = "XB"
in_force = 2012-01-01
source = "Treaty office of Aurelia"
known = 2026-01-15

[[treaty]]
code = "XA-XB-MLA"
short = "Treaty of Port Meridian"
full = "Treaty between Aurelia and Borealis on mutual legal assistance"
forms = ["assistance"]
states = ["XA", "XB"]
in_force = 2010-01-01
contents = ["5"]
source = "Official Gazette of Aurelia"
known = 2026-01-15

[[declaration]]
instrument = "UNTOC"
state = "XB"
article = "16(5)(a)"
says = "Extradition depends on a treaty; the Convention is taken as one."
treaty_needed = true
convention_is_basis = true
source = "depositary"
known = 2026-01-15

[[declaration]]
instrument = "UNTOC"
state = "XB"
article = "18(14)"
says = "English or French"
languages = ["en", "fr"]
source = "depositary"
known = 2026-01-15

[[agreed]]
instrument = "UNTOC"
states = ["XB", "XA"]
since = 2026-02-01
source = "Exchange of notes"
known = 2026-02-01

[[checked]]
states = ["XA", "XB"]
form = "extradition"
source = "Treaty office of Aurelia"
known = 2026-01-15
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "treaties.toml"
    path.write_text(FILE, "utf-8")
    return path


def test_a_file_is_laid_over_the_facts(file: Path) -> None:
    register = load([file])
    assert states.find("aurelia", register.known).code == "XA"
    assert register.standing("UNTOC", "XA", date(2004, 2, 8)).party is False
    assert register.standing("UNTOC", "XA", date(2004, 2, 9)).party is True
    assert register.standing("UNTOC", "JP", date(2020, 1, 1)).party is True
    assert register.standing("UNTOC", "XB", date(2026, 3, 1)).party is False
    assert register.standing("COE-MLA", "XA", date(2026, 6, 1)).party is False
    assert register.standing("COE-MLA", "XA", date(2028, 1, 1)).party is None
    assert register.standing("ETS 182", "XB", date(2026, 1, 1)).party is True
    assert register.standing("ETS 182", "XA", date(2026, 1, 1)).party is None
    assert Register().standing("UNTOC", "JP", date(2020, 1, 1)).party is None
    assert register.standing("UNCAC", "XA", date(2014, 1, 1)).party is None  # no table could list a fictitious State


def test_what_binds_two_states_comes_from_the_file(file: Path) -> None:
    register = load([file])
    pair = between(register, "XA", "XB", date(2026, 1, 20))
    assert (pair.bound["UNTOC"], pair.bound["COE-MLA"], pair.bound["UNCAC"]) == (True, False, None)
    assert (pair.treaty_needed, pair.takes["UNTOC"], pair.takes["UNCAC"]) == (True, True, None)
    assert (pair.no_other["extradition"], pair.no_other["assistance"]) == (True, None)
    assert [(one.binding, one.topics["contents"]) for one in pair.treaties] == [(True, ("5",))]
    assert pair.in_lieu["UNTOC"] is False and between(register, "XA", "XB", date(2026, 2, 2)).in_lieu["UNTOC"] is True
    assert between(register, "XA", "XB", date(2028, 1, 1)).no_other["extradition"] is None
    assert between(register, "XB", "XA", date(2026, 1, 20)).treaty_needed is None


def test_the_same_facts_give_the_same_answer_for_any_two_states(file: Path, tmp_path: Path) -> None:
    """Swap test: other names and codes everywhere, and the report differs in nothing but those."""
    swapped = tmp_path / "swapped.toml"
    names = {"XA": "XB", "XB": "XA", "Aurelia": "Borealis", "Borealis": "Aurelia"}
    swapped.write_text(re.sub(r"XA|XB|Aurelia|Borealis", lambda found: names[found[0]], FILE), "utf-8")
    case, on = Case(offence="money-laundering", group=True, committed_in_several=True), date(2026, 1, 20)
    one = repr(report(load([file]), "XA", "XB", case, on))
    other = repr(report(load([swapped]), "XB", "XA", case, on))
    assert re.sub(r"XA|XB|Aurelia|Borealis", lambda found: names[found[0]], one) == other
    third = repr(report(load([file]), "XB", "XA", case, on))
    assert third != one  # but who asks and who is asked does matter: the declaration is one State's


def test_the_same_state_twice_is_refused() -> None:
    with pytest.raises(SameStateError, match="name the State that asks first"):
        report(Register(), "IT", "Italy", Case(offence="corruption"), date(2026, 1, 1))


def test_of_two_files_the_later_counts(file: Path, tmp_path: Path) -> None:
    later = tmp_path / "later.toml"
    later.write_text(
        '[[party]]\ninstrument = "UNTOC"\nstate = "XA"\nparty = false\nsource = "a correction"\nknown = 2026-04-01\n',
        "utf-8",
    )
    assert load([file, later]).standing("UNTOC", "XA", date(2026, 4, 2)).party is False
    with pytest.raises(FactsError, match="'XA' is no State's code"):
        load([later, file])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('code = "XA"', 'code = "IT"', "taken by Italy"),
        ('code = "XA"', 'code = "xa"', "no code of two capital letters"),
        ('instrument = "COE-MLA"', 'instrument = "COE"', "'COE' is none of: UNTOC"),
        ("party = false", "", "give 'deposited' or 'in_force'"),
        (
            'instrument = "ETS 182"\nstate = "XB"\nin_force',
            'instrument = "ETS 182"\nstate = "XB"\ndeposited',
            "give 'in_force'",
        ),
        ('states = ["XA", "XB"]\nin_force', 'states = ["XA"]\nin_force', "names at least two"),
        ('forms = ["assistance"]', 'forms = ["help"]', "'help' is none of: assistance"),
        ("deposited = 2004-01-10", "deposited = 2004", "'deposited' must be a date"),
        ('source = "Exchange of notes"', "", "'source' is missing"),
        ("[[checked]]", "[[cheked]]", "'cheked' is unknown"),
        ('contents = ["5"]', 'offences = ["theft"]', "'theft' is no offence's code"),
        ('contents = ["5"]', "contents = [5]", "'contents' must be a list of texts"),
    ],
)
def test_a_file_with_a_fault_is_refused_whole(old: str, new: str, said: str, file: Path) -> None:
    assert old in FILE
    file.write_text(FILE.replace(old, new, 1), "utf-8")
    with pytest.raises(FactsError, match=re.escape(said)):
        read(file)
