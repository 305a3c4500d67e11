"""Property: third parties in good faith, and the duty to return (UNTOC 12(8), 13(8), 14(2); UNCAC 55(7), 57(3))."""

from palermo.law.conditions.shape import Condition, Matter, answered
from palermo.law.three import Known, all_of, any_of, is_not

JUDGMENT = ("confiscated_for_us", "final_judgment", "judgment_waived")


def _judged(matter: Matter) -> Known:
    said = matter.said
    judgment = any_of([said.answer("final_judgment"), said.answer("judgment_waived")])
    return all_of([said.answer("confiscated_for_us"), judgment])


def return_public_funds(matter: Matter) -> Known:
    """UNCAC 57(3)(a): embezzled public funds go back."""
    return all_of([matter.said.answer("public_funds"), _judged(matter)])


def return_owned_or_damage(matter: Matter) -> Known:
    """UNCAC 57(3)(b): other proceeds go back where prior ownership is established or damage recognised."""
    said = matter.said
    claim = any_of([said.answer("prior_ownership"), said.answer("damage_recognised")])
    return all_of([is_not(said.answer("public_funds")), _judged(matter), claim])


def return_other(matter: Matter) -> Known:
    """UNCAC 57(3)(c): in all other cases return is given priority consideration."""
    return is_not(any_of([return_public_funds(matter), return_owned_or_damage(matter)]))


def insufficient_or_minimal(matter: Matter) -> Known:
    """UNCAC 55(7)."""
    return any_of([matter.said.answer("evidence_insufficient"), matter.said.answer("de_minimis")])


CONDITIONS = (
    answered("third_party_rights", "A third party claims a right in good faith, which is kept.", "third_party_claims"),
    Condition(
        "return_public_funds",
        "Embezzled public funds, confiscated on request and after a final judgment: they are returned.",
        return_public_funds,
        ("public_funds", *JUDGMENT),
    ),
    Condition(
        "return_owned_or_damage",
        "Proceeds confiscated on request and after a final judgment, prior owner or damage recognised: returned.",
        return_owned_or_damage,
        ("public_funds", *JUDGMENT, "prior_ownership", "damage_recognised"),
    ),
    Condition(
        "return_other",
        "Neither duty applies: return, to the State or the owners or for the victims, is considered first.",
        return_other,
        ("public_funds", *JUDGMENT, "prior_ownership", "damage_recognised"),
    ),
    Condition("return_asked", "Return is asked for, and is considered first.", lambda _matter: True),
    Condition(
        "insufficient_or_minimal",
        "No sufficient and timely evidence arrived, or the property is of minimal value.",
        insufficient_or_minimal,
        ("evidence_insufficient", "de_minimis"),
    ),
)
