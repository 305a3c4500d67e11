"""The character of the offence: political, military, fiscal; and persecution behind an ordinary one.

CoE extradition 3 to 5; CoE mutual assistance 1(2) and 2; Budapest 27(4); UNTOC 16(14)-(15), 18(22); TF 1999 13 to 15.
"""

from palermo.law.conditions.shape import Condition, Matter, answered
from palermo.law.three import Known, all_of, is_not


def political_but_no_attack(matter: Matter) -> Known:
    """CoE extradition 3(1), without the attack on the life of a head of state of 3(3)."""
    return all_of([matter.said.answer("political"), is_not(matter.said.answer("attack_on_head_of_state"))])


def fiscal_without_protocol(matter: Matter) -> Known:
    """CoE mutual assistance 2(a), for States not both bound by the protocol that took this ground away (ETS 99)."""
    return all_of([matter.said.answer("fiscal"), is_not(matter.said.answer("fiscal_protocol_binds"))])


def fiscal_without_counterpart(matter: Matter) -> Known:
    """CoE extradition 5(1) as the second protocol wrote it (ETS 98); without it both States have to have agreed."""
    said = matter.said
    if said.answer("fiscal") is not True:
        return said.answer("fiscal")
    return is_not(said.answer("fiscal_corresponds")) if said.answer("fiscal_second_protocol_binds") else None


CONDITIONS = (
    answered("political_offence", "The requested State regards the offence as political, or connected.", "political"),
    Condition(
        "political_offence_but_no_attack",
        "The requested State regards the offence as political, and it is no attack on the life of a head of state.",
        political_but_no_attack,
        ("political", "attack_on_head_of_state"),
    ),
    answered("persecution", "There are substantial grounds to believe in persecution.", "persecution"),
    answered("military_offence", "It is an offence under military law alone.", "military_only"),
    answered("fiscal_offence", "The offence is considered to involve fiscal matters.", "fiscal"),
    Condition(
        "fiscal_offence_without_protocol",
        "It is a fiscal offence, and the protocol that removes this ground does not bind both States.",
        fiscal_without_protocol,
        ("fiscal", "fiscal_protocol_binds"),
    ),
    Condition(
        "fiscal_offence_without_counterpart",
        "It is a fiscal offence without one of the same nature in the requested State.",
        fiscal_without_counterpart,
        ("fiscal", "fiscal_corresponds", "fiscal_second_protocol_binds"),
    ),
)
