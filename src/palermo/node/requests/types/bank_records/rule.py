"""Mutual legal assistance for bank and subscriber records (UNTOC Art. 18(3)(f)), between central authorities.

What comes back is evidence: sealed, and bound to the purpose that the request states (Art. 18(19)).
"""

from collections.abc import Mapping
from typing import Any

from palermo.law.assistance import AssistanceFacts, Person
from palermo.law.assistance import completeness as article_18
from palermo.law.findings import Finding
from palermo.law.instruments import untoc
from palermo.law.refusal import ASSISTANCE_GROUNDS
from palermo.node.requests.types.bank_records.fields import FIELDS
from palermo.node.requests.types.form import hit_ids, is_date, lines, yes_no
from palermo.node.requests.types.registry import Channel, Parties, RequestType


def persons_of(text: str) -> tuple[Person, ...]:
    """The persons of the form: one a line, ``identity; location; nationality``; what is missing is not known."""
    parts = [[part.strip() for part in line.split(";")] + ["", ""] for line in lines(text)]
    return tuple(Person(identity, location, nationality) for identity, location, nationality, *_ in parts)


def years_of(text: str) -> float | None:
    """Years of imprisonment as a number; None where it is none."""
    digits = text.strip()
    return float(digits) if digits.isascii() and digits.replace(".", "", 1).isdigit() else None


def assistance_facts(facts: Mapping[str, str], parties: Parties) -> AssistanceFacts:
    """The form and the parties in the law's terms."""
    same = ("nature", "subject_matter", "conducting_authority", "conducting_functions", "summary", "assistance")
    more = ("procedure", "persons_unknown", "purpose", "language", "transnational_grounds", "group_grounds")
    rest = ("deadline", "deadline_reasons")
    treaty = facts.get("other_treaty", "")
    texts: dict[str, Any] = {name: facts.get(name, "") for name in (*same, *more, *rest)}
    return AssistanceFacts(
        requesting_authority=parties.asker_name,
        asker_is_central=parties.asker_has_role,
        asked_is_central=parties.asked_has_role,
        accepted_languages=parties.asked_languages,
        persons=persons_of(facts.get("persons", "")),
        offence=facts.get("offence_kind") or None,
        maximum_years=years_of(facts.get("maximum_years", "")),
        transnational=yes_no(facts.get("transnational", "")),
        organised_group=yes_no(facts.get("organised_group", "")),
        other_treaty={"none": False, "agreed": True, "applies": True}.get(treaty),
        paragraphs_agreed={"agreed": True, "applies": False}.get(treaty),
        **texts,
    )


def _records(facts: Mapping[str, str]) -> list[Finding]:
    named = bool(lines(facts.get("accounts", "")) or lines(facts.get("persons", "")))
    first, last = facts.get("period_from", ""), facts.get("period_to", "")
    period = is_date(first) and is_date(last) and first <= last
    intelligence = yes_no(facts.get("rests_on_intelligence", ""))
    chosen = bool(hit_ids(facts.get("hits", "")))
    consistent = None if intelligence is None else intelligence == chosen
    demands = (
        ("18(3)(f)", "whose records are sought", named, "Name an account, a subscriber or a person."),
        (
            "18(15)(b)",
            "the offence with its law and penalty",
            bool(facts.get("offence", "").strip()),
            "Name the offence, the law that punishes it and the heaviest penalty.",
        ),
        ("18(15)(d)", "the period of the records", period, "Give the first and the last day of the records sought."),
        ("18(5)", "whether it rests on intelligence", consistent, "Say so, and choose the hits that it rests on."),
    )
    return [
        Finding(untoc(cite).name, present, what, "" if present else what_to_do)
        for cite, what, present, what_to_do in demands
    ]


def completeness(facts: Mapping[str, str], parties: Parties) -> list[Finding]:
    """What Art. 18 demands of the request, and what a bank needs to find the records."""
    return article_18(assistance_facts(facts, parties)) + _records(facts)


TYPE = RequestType(
    code="bank_records",
    label="Bank and subscriber records",
    summary="Ask the other central authority for records that can stand in court.",
    legal_basis="UNTOC Art. 18",
    channel=Channel.CENTRAL_AUTHORITY,
    intelligence=False,
    fields=FIELDS,
    completeness=completeness,
    grounds=ASSISTANCE_GROUNDS,
    gates=("death_penalty", "torture", "persecution", "fair_trial", "neutrality", "protection"),
    approve="request.issue_formal",
    send="request.issue_formal",
    respond="request.issue_formal",
    days=60,
)
