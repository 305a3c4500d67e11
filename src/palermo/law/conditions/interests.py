"""What only the requested State can judge: its interests, law and proceedings (UNTOC 16(7), 18(21), 18(25))."""

from palermo.law.conditions.shape import Condition, Matter, answered
from palermo.law.three import Known, is_not


def not_in_conformity(matter: Matter) -> Known:
    """UNTOC 18(21)(a): the request lacks something that the article demands."""
    return is_not(matter.complete)


def _never_known(_matter: Matter) -> Known:
    return None


CONDITIONS = (
    Condition("not_in_conformity", "The request lacks something that the provision demands.", not_in_conformity),
    answered("essential_interests", "Execution would prejudice essential interests of the requested State."),
    answered("prohibited_at_home", "The requested State's law would prohibit the action in a case of its own."),
    answered("contrary_to_system", "It would be contrary to the requested State's legal system on mutual assistance."),
    answered("interferes", "It interferes with an ongoing investigation, prosecution or proceeding."),
    Condition(
        "domestic_ground",
        "The requested State's law, or a treaty between the two, has a ground of its own: ask for it.",
        _never_known,
        judged=True,
    ),
    Condition("own_judgement", "For the requested State to judge.", _never_known, judged=True),
)
