"""OFAC's remarks: items parted by semicolons, each led by a label ("DOB 13 May 1965; Passport AL720622 (Colombia)").

The labels stand in one table, tried in order; what no label claims becomes a note, so that nothing is lost.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from palermo.intake.model import Draft
from palermo.intake.prose.dates import partial_dates
from palermo.intake.prose.numbers import international

CUT_AT_CHARACTERS = 995
"""OFAC cuts remarks at a thousand characters: the last item of one this long may lack its end, so it is only a note."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """A digital currency address: OFAC's currency code (XBT, ETH, USDT …) and the address as listed."""

    currency: str
    address: str


_LABELS: dict[str, tuple[str, ...]] = {
    "birthDate": ("DOB",),
    "birthPlace": ("POB",),
    "gender": ("Gender:?",),
    "nationality": ("nationality(?! of)",),
    "citizenship": ("citizen(?!')",),
    "weakAlias": (r"[af]\.k\.a\.",),
    "passportNumber": (r"(?:Diplomatic |Stateless Person )?Passport(?: No\.| #)?",),
    "socialSecurityNumber": ("SSN",),
    "idNumber": (
        r"National ID No\.",
        "National Foreign ID Number",
        "Personal ID Card",
        "Identification Number(?! IMO)",
        r"(?:Paraguayan )?Cedula No\.?",
        r"D\.N\.I\.",
        r"C\.U\.R\.P\.",
        r"I\.F\.E\.",
        r"Electoral Registry No\.",
        r"Voter ID Card No\.",
        "Credencial electoral",
        r"Driver's License No\.",
        "Residency Number",
        "Birth Certificate Number",
        "Cartilla de Servicio Militar Nacional",
        "Military Registration Number",
        "Stateless Person ID Card",
        r"Kenyan ID No\.",
        "Travel Document Number",
        "Tazkira National ID Card",
        "Turkish Identification Number",
        "Citizen's Card Number",
    ),
    "taxNumber": (
        "NIT #",
        r"R\.?F\.?C\.?",
        r"Tax ID No\.",
        "RUC #",
        "(?:Italian )?Fiscal Code",
        "RIF #",
        "US FEIN",
        r"V\.A\.T\. Number",
        r"C\.U\.I\.[TP]\.",
        "RTN",
        r"CNP \(Personal Numerical Code\)",
        "Romanian Tax Registration",
    ),
    "registrationNumber": (
        "Registration (?:Number|ID)",
        "(?:UK )?Company Number(?! IMO)",
        "Commercial Registry Number",
        r"C\.R\. No\.",
        r"Matricula Mercantil No\.?",
        r"Folio Mercantil No\.",
        "Business Registration (?:Number|Document #)",
        "Public Registration Number",
        "Chamber of Commerce Number",
        "Enterprise Number",
        "Business Number",
        r"Unified Social Credit Code \(USCC\)",
        "Certificate of Incorporation Number",
        r"Registered Charity No\.",
        r"Istanbul Chamber of Comm\. No\.",
        r"Dubai Chamber of Commerce Membership No\.",
        "Aircraft Tail Number",
    ),
    "licenseNumber": (r"Trade License No\.", "(?:Business )?License", "Banking License Number"),
    "imoNumber": ("(?:Vessel Registration Identification|Identification Number|Company Number) IMO",),
    "mmsi": ("MMSI",),
    "pastFlags": ("Former Vessel Flag",),
    "flag": ("Vessel Flag",),
    "serialNumber": (r"Aircraft Manufacturer's Serial Number \(MSN\)", r"Aircraft Construction Number \([^)]*\)"),
    "model": ("Aircraft Model",),
    "buildDate": ("Aircraft Manufacture Date", "Vessel Year of Build"),
    "swiftBic": ("SWIFT/BIC",),
    "dunsCode": ("D-U-N-S Number",),
    "leiCode": ("Legal Entity Number",),
    "incorporationDate": ("Organization Established Date",),
    "jurisdiction": ("Nationality of Registration",),
    "website": ("Website:?",),
    "email": ("E-?mail(?: Address)?:?",),
    "phone": (r"(?:Tele)?phone(?: Number| No\.)?:?",),
}
"""FollowTheMoney property by the labels (regular expressions) that OFAC writes before its value."""
_RULES = tuple(
    (re.compile(rf"(?:alt\. )?(?:{'|'.join(labels)})\s*(.+)", re.IGNORECASE), name) for name, labels in _LABELS.items()
)
_WALLET = re.compile(r"(?:alt\. )?Digital Currency Address\s*-\s*([A-Z0-9]{2,8})\s+([A-Za-z0-9:]{16,200})")
_COUNTRY = re.compile(r"\s*\(([^()]*(?:\([^()]*\))?[^()]*)\)\s*$")
_VALIDITY = re.compile(r"[,;]?\s*\b(?:issued|expires|effective|Diplomatic|Date of Issue)\b.*$", re.IGNORECASE)
_PLACE = re.compile(r"\s+(?=[A-Z]?[a-z])")
_COUNTRIES = frozenset({"nationality", "citizenship", "flag", "pastFlags", "jurisdiction"})
_NUMBERS = frozenset({"passportNumber", "idNumber", "taxNumber", "registrationNumber", "licenseNumber"})


def add_remarks(draft: Draft, remarks: str) -> list[Wallet]:
    """Add every item of the remarks to the draft; return the wallets, which are entities of their own."""
    wallets: list[Wallet] = []
    items = [item for piece in remarks.split(";") if (item := " ".join(piece.split()))]
    cut = len(remarks) >= CUT_AT_CHARACTERS
    for position, item in enumerate(items):
        if cut and position == len(items) - 1:
            draft.note(item)
        elif match := _WALLET.match(item):
            wallets.append(Wallet(match[1], match[2]))
        elif not _add_item(draft, item):
            draft.note(item)
    return list(dict.fromkeys(wallets))


def _add_item(draft: Draft, item: str) -> bool:
    """Whether a label claimed the item."""
    for pattern, name in _RULES:
        match = pattern.fullmatch(item)
        if match and draft.has(name):
            values = _VALUES.get(name, _plain)(match[1].strip())
            for value in values:
                draft.country(name, value) if name in _COUNTRIES else draft.add(name, value)
            if not values or name in _NUMBERS or "circa" in item:
                draft.note(item)
            return True
    return False


def _plain(text: str) -> list[str]:
    return [text.strip(" .")]


def _quoted(text: str) -> list[str]:
    return [text.rstrip(".").strip("'\"‘’“” ")]


def _number(text: str) -> list[str]:
    """The number alone: what follows in brackets is the issuing country, then come issue and expiry."""
    number = _COUNTRY.sub("", _VALIDITY.sub("", text.rstrip(". ")))
    number = _PLACE.split(number.split("(")[0].split(",")[0])[0].strip(" .:#")
    return [number] if any(character.isdigit() for character in number) else []


def _telephone(text: str) -> list[str]:
    number = international(text.strip(" ."))
    return [number] if number else []


def _birth_dates(text: str) -> list[str]:
    return list(partial_dates(text))


def _digits(text: str) -> list[str]:
    return ["".join(character for character in text if character.isdigit())]


_VALUES: dict[str, Callable[[str], list[str]]] = {
    **dict.fromkeys(_NUMBERS, _number),
    "socialSecurityNumber": _number,
    "weakAlias": _quoted,
    "birthDate": _birth_dates,
    "incorporationDate": _birth_dates,
    "buildDate": _birth_dates,
    "phone": _telephone,
    "imoNumber": _digits,
}
