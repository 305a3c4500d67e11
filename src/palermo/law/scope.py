"""Whether a case falls within an instrument: the first question, before any provision of it can govern anything.

UNTOC 2(a), 2(b), 3(1), 3(2), the standards of 13, 16(1) and 18(1), the protocols' Art. 1(3), and the like elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from palermo.law.between import Between
from palermo.law.case import SERIOUS_YEARS, Case
from palermo.law.findings import Finding
from palermo.law.instruments import instrument, provision
from palermo.law.offences import BY_PREDICATE, CONSIDERED, COVERED, offences
from palermo.law.three import Known, all_of, any_of, is_not

PROTOCOLS = ("TIP", "FIREARMS")


@dataclass(frozen=True, slots=True)
class Scope:
    """Whether a case is within an instrument for one form of cooperation. ``by``: the provisions that bring it in."""

    instrument: str
    holds: Known
    conditions: tuple[Finding, ...] = ()
    by: tuple[str, ...] = ()


def scope(code: str, form: str, case: Case, pair: Between) -> Scope:
    """Whether an instrument covers a case; what is still to be established stands in the conditions."""
    if code in ("UNTOC", *PROTOCOLS):
        return _untoc(code, form, case, pair)
    if code in ("COE-EXTRADITION", "COE-MLA") or (form == "information" and code == "UNCAC"):
        return Scope(code, True)
    rule = {"UNCAC": _own_offences, "DRUGS1988": _own_offences, "TF1999": _financing, "BUDAPEST": _computers}.get(code)
    return rule(code, form, case, pair) if rule else _text_not_kept(code)


def _finding(code: str, cite: str, present: Known, what: str, what_to_do: str) -> Finding:
    return Finding(provision(code, cite).name, present, what, "" if present is True else what_to_do)


def _scope(code: str, findings: Iterable[Finding], by: Iterable[str] = ()) -> Scope:
    found = tuple(findings)
    return Scope(code, all_of(one.present for one in found), found, tuple(by))


def _untoc(code: str, form: str, case: Case, pair: Between) -> Scope:
    if form == "information":  # 18(4): whatever relates to criminal matters and could help the other State
        return Scope(code, True)
    offence, by = _covered_by_untoc(code, case, pair)
    return _scope(code, (offence, _transnational(form, case), _group(form, case)), by)


def _covered_by_untoc(code: str, case: Case, pair: Between) -> tuple[Finding, list[str]]:
    """The offence: one of Arts. 5, 6, 8 and 23, one of a protocol's by its Art. 1(3), or serious crime."""
    ways: list[tuple[str, Known]] = []
    for one in ("UNTOC", *PROTOCOLS):
        cover = offences()[case.offence].cover(one)
        if cover is None:
            continue
        within = {COVERED: True, CONSIDERED: case.made_offence}[cover.how] if cover.how != BY_PREDICATE else None
        ways.append((provision(one, cover.cite).name, all_of((within, _protocol(one, case, pair)))))
    if code == "UNTOC":
        ways.append((provision("UNTOC", "2(b)").name, case.serious))
    present = any_of(value for _, value in ways)
    what_to_do = (
        f"State the heaviest penalty: from {SERIOUS_YEARS} years on it is serious crime (UNTOC 2(b)); otherwise it "
        "must be an offence of Articles 5, 6, 8 or 23, or of a protocol that binds both States (its Article 1(3))."
    )
    found = _finding("UNTOC", "3(1)", present, "an offence that the Convention covers", what_to_do)
    return found, [name for name, value in ways if value is True]


def _protocol(code: str, case: Case, pair: Between) -> Known:
    """Whether a protocol's offences count as the Convention's between the two States (its Art. 1(3))."""
    if code not in PROTOCOLS:
        return True
    left_aside = case.between_states if code == "FIREARMS" else False
    return all_of((pair.bound.get(code), is_not(left_aside)))


def _transnational(form: str, case: Case) -> Finding:
    if form == "extradition":
        return _finding(
            "UNTOC",
            "16(1)",
            any_of((case.transnational, case.person_there)),
            "the offence is transnational, or the person sought is in the requested State",
            "Show in which of the ways of UNTOC 3(2) it is transnational, or that the person is in that State.",
        )
    suspected = _carried_over(form, any_of((case.suspect_transnational, case.evidence_there)))
    if form == "assistance":
        return _finding(
            "UNTOC",
            "18(1)",
            any_of((case.transnational, suspected)),
            "the offence is transnational, or reasonable grounds to suspect it",
            "Show in which of the ways of UNTOC 3(2) it is transnational, or why there are reasonable grounds to "
            "suspect it, such as evidence, victims or proceeds in the requested State.",
        )
    return _finding(
        "UNTOC",
        "3(2)",
        any_of((case.transnational, suspected)),
        "the offence is transnational",
        "Show in which of the ways of UNTOC 3(2) it is transnational.",
    )


def _group(form: str, case: Case) -> Finding:
    what = "an organised criminal group is involved"
    elements = "three or more, structured, for some time, acting together, for serious crime and for gain (UNTOC 2(a))"
    if form == "assistance":
        what_to_do = f"Show its elements, or why there are reasonable grounds to suspect them: {elements}."
        present = any_of((case.group, case.suspect_group))
        return _finding("UNTOC", "18(1)", present, f"{what}, or reasonable grounds to suspect it", what_to_do)
    cite = "16(1)" if form == "extradition" else "3(1)"
    present = any_of((case.group, _carried_over(form, case.suspect_group)))
    return _finding("UNTOC", cite, present, what, f"Show its elements: {elements}.")


def _carried_over(form: str, suspected: Known) -> Known:
    """Suspicion is enough for Art. 18. Whether 13(3) carries that over to Art. 13 is for the requested State."""
    if form == "assistance":
        return suspected
    return None if form == "confiscation" and suspected is not False else False


def _own_offences(code: str, form: str, case: Case, pair: Between) -> Scope:
    """UNCAC and the 1988 Convention: their own offences, by whomever (UNCAC 46(1); 1988 Convention 7(1))."""
    cover = offences()[case.offence].cover(code)
    present: Known = False
    what_to_do = "It is no offence of this instrument."
    if cover is not None:
        present = {COVERED: True, CONSIDERED: case.made_offence, BY_PREDICATE: _predicate(code, case)}[cover.how]
        what_to_do = (
            "Find out whether both States made it an offence, which the instrument leaves to them."
            if cover.how == CONSIDERED
            else "State the predicate or underlying offence: it must be one of this instrument."
        )
    of_form = {
        "UNCAC": {"extradition": "44(1)", "confiscation": "55(1)", "return of assets": "57(3)", "police": "48(1)"},
        "DRUGS1988": {"extradition": "6(1)", "confiscation": "5(4)(a)", "police": "9(1)"},
    }
    basis = of_form[code].get(form, {"UNCAC": "46(1)", "DRUGS1988": "7(1)"}[code])
    found = _finding(code, basis, present, f"an offence of the {instrument(code).short}", what_to_do)
    return _scope(code, (found,), [provision(code, cover.cite).name] if cover and present else [])


def _predicate(code: str, case: Case) -> Known:
    """Whether the predicate or underlying offence is one of the instrument; unknown where none is stated."""
    if not case.predicate:
        return None
    cover = offences()[case.predicate].cover(code)
    return False if cover is None else {COVERED: True, CONSIDERED: case.made_offence, BY_PREDICATE: None}[cover.how]


def _financing(code: str, form: str, case: Case, pair: Between) -> Scope:
    """The 1999 Convention. Its Art. 3 leaves aside what lies in one State, but never Arts. 12 to 18.

    A request for extradition presupposes that another State has jurisdiction, so that Art. 3 does not stand in its way.
    """
    cover = offences()[case.offence].cover(code)
    what_to_do = "It is no offence of this instrument."
    found = _finding(code, "2(1)", cover is not None, "financing of terrorism", what_to_do)
    return _scope(code, (found,), [provision(code, cover.cite).name] if cover else [])


def _computers(code: str, form: str, case: Case, pair: Between) -> Scope:
    cover = offences()[case.offence].cover(code)
    by = [provision(code, cover.cite).name] if cover else []
    if form == "extradition":
        what_to_do = "It is no offence of this instrument."
        found = _finding(code, "24(1)", cover is not None, "an offence of Articles 2 to 11", what_to_do)
        return _scope(code, (found,), by)
    found = _finding(
        code,
        {"preservation": "29(1)", "information": "26(1)"}.get(form, "25(1)"),
        any_of((cover is not None, case.electronic_evidence)),
        "an offence by computer, or evidence in electronic form of any offence",
        "Say whether evidence in electronic form is sought.",
    )
    return _scope(code, (found,), by)


def _text_not_kept(code: str) -> Scope:
    short = instrument(code).short
    return Scope(
        code, None, (Finding(short, None, "an offence that it covers", "Its text is not kept here: read it."),)
    )
