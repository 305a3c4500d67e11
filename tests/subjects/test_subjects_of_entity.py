"""Which selectors an entity of each schema carries."""

import pytest

from palermo.subjects import Entity
from palermo.subjects.selectors import KINDS, Selector, UnknownKindError, parse, selectors_of

CASES = [
    (
        Entity("x", "Person", {"name": ("Omar Ali Hassan",), "phone": ("07700 900123",), "nationality": ("gb",)}),
        {("person", "ali hassan omar"), ("phone", "+447700900123")},
    ),
    (
        Entity("x", "Person", {"passportNumber": ("A 12345",), "idNumber": ("1-234-5",), "nationality": ("tn", "it")}),
        {
            *(("passport", "TN:A12345"), ("passport", "IT:A12345")),
            *(("national_id", "TN:12345"), ("national_id", "IT:12345")),
        },
    ),
    (Entity("x", "Passport", {"number": ("A12345",), "country": ("tn",)}), {("passport", "TN:A12345")}),
    (Entity("x", "Identification", {"number": ("A12345",), "country": ("co",)}), {("national_id", "CO:A12345")}),
    (
        Entity("x", "BankAccount", {"iban": ("GB82 WEST 1234 5698 7654 32",), "bic": ("WESTGB2L",)}),
        {("iban", "GB82WEST12345698765432")},
    ),
    (
        Entity(
            "x", "BankAccount", {"accountNumber": ("00 4711",), "bic": ("DEUTDEFFXXX",), "bankName": ("Some: Bank",)}
        ),
        {("account", "DEUTDEFF:4711"), ("account", "SOME BANK:4711")},
    ),
    (
        Entity("x", "CryptoWallet", {"publicKey": ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",), "currencySymbol": ("XBT",)}),
        {("wallet", "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")},
    ),
    (
        Entity("x", "CryptoWallet", {"publicKey": ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",), "currencySymbol": ("TRX",)}),
        {("wallet", "bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")},
    ),
    (
        Entity("x", "Vehicle", {"registrationNumber": ("1M8GDM9AXKP042788", "AB 12 CD")}),
        {("vehicle", "1M8GDM9AXKP042788")},
    ),
    (Entity("x", "Vessel", {"imoNumber": ("9074729",), "name": ("Sea Ann",)}), {("vessel", "IMO9074729")}),
    (
        Entity(
            "x",
            "Company",
            {"registrationNumber": ("00999001",), "jurisdiction": ("gb",), "website": ("www.example.org",)},
        ),
        {("company", "GB:999001"), ("domain", "example.org")},
    ),
    (Entity("x", "Organization", {"imoNumber": ("IMO1234565",)}), {("company", "IMO:1234565")}),
    (
        Entity("x", "UserAccount", {"service": ("IMEI",), "username": ("49015420323751",)}),
        {("imei", "490154203237518")},
    ),
    (Entity("x", "UserAccount", {"service": ("chat",), "username": ("49015420323751",)}), set()),
    (Entity("x", "Person", {"name": ("Omar",), "weakAlias": ("Omar the Tall",)}), set()),
    (Entity("x", "Vessel", {"name": ("Omar Ali Hassan",)}), set()),
]


@pytest.mark.parametrize(("entity", "expected"), CASES)
def test_selectors_of_an_entity(entity: Entity, expected: set[tuple[str, str]]) -> None:
    assert list(selectors_of(entity)) == sorted(expected)


def test_every_kind_but_email_is_carried_by_a_case() -> None:
    assert {kind for _, expected in CASES for kind, _ in expected} == set(KINDS) - {"email"}


def test_a_person_meets_across_scripts_order_and_missing_names() -> None:
    def values(name: str, birth: str, **more: tuple[str, ...]) -> set[str]:
        entity = Entity("x", "Person", {"name": (name,), "birthDate": (birth,), **more})
        return {value for kind, value in selectors_of(entity) if kind == "person"}

    listed = values("Omar Hussein SALIM", "1965-03-02")
    assert listed & values("SALIM, Omar Hussein", "1970"), "the name alone"
    assert listed & values("عمر حسين سليم", "1965"), "another script, same year"
    assert not listed & values("عمر حسين سليم", "1966")
    assert listed & values("Omar Salim Faruq", "1965-03-02"), "two names and the day"
    assert not listed & values("Omar Salim Faruq", "1965-03-03")
    assert values("Jin Zemin", "1971") & values("JIN Ze-min", "1971"), "divided otherwise"
    assert values("Omar", "1965") & values("OMAR", "1965-03-02"), "one name with its year"
    assert not values("Omar", "1965") & values("Omar", "1966")
    weak = values("Zaid", "1965", weakAlias=("Omar the Tall",))
    assert "omar tall the" not in weak
    assert "omar tall the|1965" in weak


def test_an_impossible_date_is_only_a_year() -> None:
    entity = Entity("x", "Person", {"name": ("Omar Hussein Salim",), "birthDate": ("1965-02-31",)})
    values = [value for kind, value in selectors_of(entity)]
    assert any(value.endswith("|1965") for value in values)
    assert not any(value.endswith("02-31") for value in values)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UnknownKindError, match="shoe size") as caught:
        parse("shoe size", "44")
    assert caught.value.code == "shoe size"
    assert parse("email", "ANN@example.org") == "ann@example.org"
    assert Selector("email", "a@b.c") == ("email", "a@b.c")
