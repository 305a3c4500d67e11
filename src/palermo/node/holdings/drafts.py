"""What an officer enters about a holding, and the faults of it, all at once."""

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date

from palermo.node.directory import queries as directory
from palermo.node.holdings.states import HandlingCode, HitReveals, Tlp
from palermo.node.office import queries as office
from palermo.node.office.errors import InvalidError

_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TEXTS = {"name": 200, "source": 300, "purpose": 500, "contact_point": 300}
_CAVEATS = 2000


@dataclass(frozen=True, slots=True)
class Draft:
    """A holding as entered."""

    code: str
    name: str
    source: str
    handling_code: str
    tlp: str
    purpose: str
    retention_date: date
    partners: Collection[str]
    hit_reveals: str
    contact_point: str
    caveats: str
    duty_unit: str = ""

    def fields(self) -> dict[str, object]:
        """Columns of the model but its code: texts trimmed, partners sorted."""
        fields = {key: value.strip() if isinstance(value, str) else value for key, value in asdict(self).items()}
        del fields["code"]
        return fields | {"partners": sorted(set(self.partners))}


def check(draft: Draft, *, today: date) -> None:
    """Raise `InvalidError` with every fault of the draft."""
    problems = [*_text_problems(draft), *_code_problems(draft), *_partner_problems(draft.partners)]
    if draft.duty_unit and draft.duty_unit not in office.units():
        problems.append("Choose a unit that this authority has, or none: then supervisors learn of hits.")
    if draft.retention_date <= today:
        problems.append("The retention date must lie in the future: what may not be kept must not be loaded.")
    if problems:
        raise InvalidError(problems)


def _text_problems(draft: Draft) -> list[str]:
    problems = []
    for name, limit in _TEXTS.items():
        text = getattr(draft, name).strip()
        if not 0 < len(text) <= limit:
            problems.append(f"Enter the {name.replace('_', ' ')}, up to {limit} characters.")
    if len(draft.caveats) > _CAVEATS:
        problems.append(f"Shorten the caveats to {_CAVEATS} characters: they travel with every hit.")
    return problems


def _code_problems(draft: Draft) -> list[str]:
    problems = []
    if not _CODE.fullmatch(draft.code):
        problems.append("The code must be 1 to 40 lower-case letters, digits and hyphens, a letter first.")
    if draft.handling_code not in list(HandlingCode):
        problems.append("Choose a handling code from H0 to H3.")
    if draft.tlp not in list(Tlp):
        problems.append("Choose a Traffic Light Protocol 2.0 mark.")
    if draft.hit_reveals not in list(HitReveals):
        problems.append("Choose what a hit reveals: existence, or data.")
    return problems


def _partner_problems(partners: Collection[str]) -> list[str]:
    known = {partner.code for partner in directory.partners()}
    return [f"{code} is no partner in the directory." for code in sorted(set(partners) - known)]
