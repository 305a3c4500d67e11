"""Dual criminality, judged by conduct and not by label, and the least penalty.

UNTOC 16(1), 18(9); UNCAC 46(9)(b); CoE extradition 2(1); CoE mutual assistance 5(1)(a); Budapest 24(1), 25(5), 29(4).
"""

from palermo.law.conditions.shape import Condition, Matter, answered
from palermo.law.three import Known, all_of, any_of, is_not

ONE_YEAR = 1.0
FOUR_MONTHS = 4.0
CONDUCT = ("punishable_requesting", "punishable_requested")


def no_dual_criminality(matter: Matter) -> Known:
    """Whether the conduct is no offence in one of the two States, whatever either calls it."""
    return is_not(all_of(matter.said.answer(name) for name in CONDUCT))


def and_coercive(matter: Matter) -> Known:
    """UNCAC 46(9)(b): what needs no coercion is given all the same."""
    return all_of([no_dual_criminality(matter), matter.said.answer("coercive")])


def and_minimal(matter: Matter) -> Known:
    """UNCAC 46(9)(b): matters of minimal importance."""
    return all_of([no_dual_criminality(matter), matter.said.answer("de_minimis")])


def search_without(matter: Matter) -> Known:
    """CoE mutual assistance 5(1)(a): only for search and seizure, and only by declaration."""
    said = matter.said
    return all_of([said.answer("search_reservation"), said.answer("coercive"), no_dual_criminality(matter)])


def preservation_without(matter: Matter) -> Known:
    """Budapest 29(4): only by reservation, and not for the offences of Articles 2 to 11."""
    other = is_not(matter.said.answer("convention_computer_offence"))
    return all_of([matter.said.answer("preservation_reservation"), other, no_dual_criminality(matter)])


def penalty_below_one_year(matter: Matter) -> Known:
    """CoE extradition 2(1), Budapest 24(1)(a): at the maximum, under the laws of both States."""
    years = [matter.said.number(name) for name in ("maximum_years", "maximum_years_requested")]
    return any_of(None if value is None else value < ONE_YEAR for value in years)


def sentence_below_four_months(matter: Matter) -> Known:
    """CoE extradition 2(1), second sentence: where extradition is sought for a sentence already awarded."""
    if not matter.said.text("sought_for"):
        return None
    if matter.said.text("sought_for") != "sentence":
        return False
    months = matter.said.number("sentence_months")
    return None if months is None else months < FOUR_MONTHS


CONDITIONS = (
    Condition("no_dual_criminality", "The conduct is no offence in both States.", no_dual_criminality, CONDUCT),
    Condition(
        "no_dual_criminality_and_coercive",
        "The conduct is no offence in both States, and what is asked needs coercion.",
        and_coercive,
        (*CONDUCT, "coercive"),
    ),
    Condition(
        "no_dual_criminality_and_minimal",
        "The conduct is no offence in both States, and the matter is of minimal importance.",
        and_minimal,
        (*CONDUCT, "de_minimis"),
    ),
    Condition(
        "search_without_dual_criminality",
        "Search or seizure is asked for, the requested State has tied it to dual criminality, and that is absent.",
        search_without,
        ("search_reservation", "coercive", *CONDUCT),
    ),
    Condition(
        "preservation_without_dual_criminality",
        "The requested State has made the reservation, the offence is another, and dual criminality cannot be met.",
        preservation_without,
        ("preservation_reservation", "convention_computer_offence", *CONDUCT),
    ),
    Condition(
        "penalty_below_one_year",
        "The offence carries less than one year at the maximum in one of the two States.",
        penalty_below_one_year,
        ("maximum_years", "maximum_years_requested"),
    ),
    Condition(
        "sentence_below_four_months",
        "The sentence awarded is below four months.",
        sentence_below_four_months,
        ("sought_for", "sentence_months"),
    ),
    answered("offence_not_covered", "The Convention does not cover the offence.", "covered_offence", negate=True),
)
