"""Invented data of a telecom-fraud case: a scam compound in one state, mule accounts in a second, victims in a third.

States, people, banks and numbers are fictitious: state codes from the range that ISO 3166-1 leaves to users, telephone
numbers from the range that North America's numbering plan reserves for fiction (555-0100 to 555-0199), e-mail addresses
in ``example.org``, names made of syllables. The same seed gives the same bytes.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from palermo.subjects.entities import Entity, write_entities

NODES = ("XV-POL", "XM-POL", "XC-POL")
"""Victims' state, mules' state, compound's state."""

_SHARED = {("XV-POL", "XM-POL"): 40, ("XM-POL", "XC-POL"): 25, ("XV-POL", "XC-POL"): 15}
# Shares of a node's entities by schema; the rest are payments.
_PERSONS, _ACCOUNTS, _COMPANIES, _WALLETS = 0.35, 0.25, 0.05, 0.05

_ONSETS = ("b", "br", "d", "dr", "f", "g", "gr", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ei", "ou")
_CODAS = ("", "", "", "l", "n", "r", "s", "th", "x", "rn")
_BANKS = {"XV": "Veltrian Savings Bank", "XM": "Meridosa Merchant Bank", "XC": "Calvoria Commerce Bank"}
# Each gives a hundred numbers that are kept for fiction.
_AREA_CODES = (
    *(201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228),
    *(301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323),
)
_FIRST_BIRTH, _LAST_BIRTH = date(1950, 1, 1), date(2004, 12, 31)


@dataclass
class World:
    """What was invented. ``entities``: by node. ``same``: for a pair of nodes, the ids that are the same in truth."""

    entities: dict[str, list[Entity]]
    same: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def write(self, folder: Path) -> dict[str, Path]:
        """Write one FollowTheMoney file a node; returns the paths by node."""
        paths = {node: folder / f"{node}.ftm.jsonl" for node in self.entities}
        for node, path in paths.items():
            write_entities(path, self.entities[node])
        return paths


class _Inventor:
    """Gives out names and numbers that were not given out before."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._given: set[str] = set()

    def _fresh(self, make: "Iterable[str]") -> str:
        value = next(value for value in make if value not in self._given)
        self._given.add(value)
        return value

    def _word(self, syllables: int) -> str:
        parts = (
            self.random.choice(_ONSETS) + self.random.choice(_VOWELS) + self.random.choice(_CODAS)
            for _ in range(syllables)
        )
        return "".join(parts).capitalize()

    def name(self) -> str:
        """A given name and a surname of invented syllables."""
        return self._fresh(f"{self._word(2)} {self._word(3)}" for _ in iter(int, 1))

    def phone(self) -> str:
        """A number that the numbering plan keeps for fiction."""
        return self._fresh(
            f"+1{self.random.choice(_AREA_CODES)}55501{self.random.randint(0, 99):02}" for _ in iter(int, 1)
        )

    def digits(self, count: int) -> str:
        """A number of so many digits that does not begin with a zero."""
        return self._fresh(str(self.random.randint(10 ** (count - 1), 10**count - 1)) for _ in iter(int, 1))

    def wallet(self) -> str:
        """An Ethereum-style address in lower case."""
        return self._fresh(f"0x{self.random.getrandbits(160):040x}" for _ in iter(int, 1))

    def birth_date(self) -> date:
        """A day between 1950 and 2004."""
        return _FIRST_BIRTH + timedelta(days=self.random.randint(0, (_LAST_BIRTH - _FIRST_BIRTH).days))


def invent(seed: int = 2000, size: int = 10_000) -> World:
    """Invent ``size`` entities a node, with the overlaps of the story among them."""
    inventor = _Inventor(seed)
    world = World({node: [] for node in NODES}, {pair: [] for pair in _SHARED})
    for pair, count in _SHARED.items():
        for number in range(min(count, size // 20)):
            _share(inventor, world, pair, number)
    for node in NODES:
        _fill(inventor, world.entities[node], node[:2], size)
        inventor.random.shuffle(world.entities[node])
    return world


def _share(inventor: _Inventor, world: World, pair: tuple[str, str], number: int) -> None:
    """One person whom two authorities know, each in its own way: spelling, date and numbers differ in part."""
    name, born, phone = inventor.name(), inventor.birth_date(), inventor.phone()
    passport, account = f"P{inventor.digits(8)}", inventor.digits(12)
    given, surname = name.split()
    spellings = (name, f"{surname.upper()}, {given}")
    ids = []
    for node, spelling in zip(pair, spellings, strict=True):
        entity_id = f"{node.lower()}-shared-{pair[0][:2].lower()}{pair[1][:2].lower()}-{number:03}"
        properties = {"name": (spelling,), "birthDate": (born.isoformat(),)}
        # What both sides know of a person varies: telephone, passport, or name and birth date alone.
        if number % 3 == 0:
            properties["phone"] = (phone,)
        if number % 3 == 1:
            properties["passportNumber"] = (passport,)
        world.entities[node].append(Entity(entity_id, "Person", properties))
        ids.append(entity_id)
    if pair == NODES[:2]:
        bank = _BANKS["XM"]
        for node in pair:
            world.entities[node].append(
                Entity(
                    f"{node.lower()}-mule-account-{number:03}",
                    "BankAccount",
                    {"bankName": (bank,), "accountNumber": (account,), "currency": ("USD",)},
                )
            )
        world.same[pair].append(
            (f"{pair[0].lower()}-mule-account-{number:03}", f"{pair[1].lower()}-mule-account-{number:03}")
        )
    world.same[pair].append((ids[0], ids[1]))


def _fill(inventor: _Inventor, entities: list[Entity], state: str, size: int) -> None:
    """Everyone and everything else that an authority holds."""
    prefix = state.lower()
    for number in range(max(0, int(size * _PERSONS) - sum(entity.schema == "Person" for entity in entities))):
        entities.append(_person(inventor, f"{prefix}-person-{number:05}", number))
    accounts = [entity.id for entity in entities if entity.schema == "BankAccount"]
    for number in range(max(0, int(size * _ACCOUNTS) - len(accounts))):
        entity_id = f"{prefix}-account-{number:05}"
        accounts.append(entity_id)
        values = {"bankName": (_BANKS[state],), "accountNumber": (inventor.digits(12),), "currency": ("USD",)}
        entities.append(Entity(entity_id, "BankAccount", values))
    for number in range(int(size * _COMPANIES)):
        name = f"{inventor.name().split()[1]} Trading Ltd"
        registration = inventor.digits(9)
        entities.append(
            Entity(f"{prefix}-company-{number:05}", "Company", {"name": (name,), "registrationNumber": (registration,)})
        )
    for number in range(int(size * _WALLETS)):
        values = {"publicKey": (inventor.wallet(),), "currency": ("ETH",)}
        entities.append(Entity(f"{prefix}-wallet-{number:05}", "CryptoWallet", values))
    for number in range(size - len(entities)):
        entities.append(_payment(inventor, f"{prefix}-payment-{number:05}", accounts))


def _person(inventor: _Inventor, entity_id: str, number: int) -> Entity:
    name = inventor.name()
    properties = {"name": (name,), "birthDate": (inventor.birth_date().isoformat(),)}
    if number % 4 == 0:
        properties["phone"] = (inventor.phone(),)
    if number % 3 == 0:
        properties["email"] = (f"{name.lower().replace(' ', '.')}@example.org",)
    if number % 5 == 0:
        properties["passportNumber"] = (f"P{inventor.digits(8)}",)
    return Entity(entity_id, "Person", properties)


def _payment(inventor: _Inventor, entity_id: str, accounts: list[str]) -> Entity:
    payer, beneficiary = inventor.random.sample(accounts, 2)
    day = date(2026, 1, 1) + timedelta(days=inventor.random.randint(0, 180))
    amount = f"{inventor.random.randint(5_000, 2_000_000) / 100:.2f}"
    values = {
        "payer": (payer,),
        "beneficiary": (beneficiary,),
        "amount": (amount,),
        "currency": ("USD",),
        "date": (day.isoformat(),),
    }
    return Entity(entity_id, "Payment", values)
