"""The person: nationality, ne bis in idem, place, lapse of time, the death penalty, consent, other claims on them.

CoE extradition 6 to 11, 17, 19; CoE mutual assistance 11; UNTOC 16(1), 16(10), 18(10).
"""

from palermo.law.conditions.shape import Condition, Matter, answered
from palermo.law.three import Known, all_of, any_of, is_not


def judged_in_third(matter: Matter) -> Known:
    """CoE extradition 9(2) without the exceptions of 9(3); the additional protocol of 1975 (ETS 86) brought it."""
    said = matter.said
    return all_of(
        [
            said.answer("judged_in_third"),
            said.answer("third_judgment_bars"),
            is_not(said.answer("third_judgment_exception")),
            said.answer("bis_in_idem_protocol_binds"),
        ]
    )


def lapse_of_time(matter: Matter) -> Known:
    """CoE extradition 10: by the law of either State."""
    return any_of(matter.said.answer(name) for name in ("lapsed_requesting", "lapsed_requested"))


def abroad_not_prosecuted(matter: Matter) -> Known:
    """CoE extradition 7(2)."""
    said = matter.said
    return all_of([said.answer("committed_outside_requesting"), is_not(said.answer("prosecutes_such_abroad"))])


def death_penalty(matter: Matter) -> Known:
    """CoE extradition 11: punishable by death there, not here, and no sufficient assurance."""
    said = matter.said
    return all_of(
        [
            said.answer("death_penalty_possible"),
            is_not(said.answer("death_penalty_requested")),
            is_not(said.answer("death_penalty_assurance")),
        ]
    )


CONDITIONS = (
    answered("national", "The person is a national of the requested State.", "national_of_requested"),
    answered("person_not_located", "The person is not in the requested State.", "person_located", negate=True),
    answered("judged_in_requested", "The requested State has passed final judgment on the person for it."),
    answered("dropped_in_requested", "The requested State decided not to begin, or to end, proceedings for it."),
    Condition(
        "judged_in_third",
        "A third State's final judgment bars extradition, and no exception applies.",
        judged_in_third,
        ("judged_in_third", "third_judgment_bars", "third_judgment_exception", "bis_in_idem_protocol_binds"),
    ),
    Condition(
        "lapse_of_time",
        "Prosecution or punishment has lapsed by time in one of the two States.",
        lapse_of_time,
        ("lapsed_requesting", "lapsed_requested"),
    ),
    answered("committed_in_requested", "It was committed, wholly or partly, in the requested State."),
    Condition(
        "committed_abroad_not_prosecuted",
        "It was committed outside the requesting State, and the requested State would not prosecute such an offence.",
        abroad_not_prosecuted,
        ("committed_outside_requesting", "prosecutes_such_abroad"),
    ),
    answered("pending_in_requested", "The requested State proceeds against the person for it."),
    Condition(
        "death_penalty",
        "It is punishable by death in the requesting State, not in the requested one, and no assurance suffices.",
        death_penalty,
        ("death_penalty_possible", "death_penalty_requested", "death_penalty_assurance"),
    ),
    answered("competing_request", "Another State asks for the same person."),
    answered("other_offence_pending", "The person is to be tried or to serve a sentence there for another offence."),
    answered("no_consent", "The person does not consent.", "consents", negate=True),
    answered("authorities_disagree", "The authorities of both States do not agree.", "authorities_agree", negate=True),
    answered("needed_in_proceedings", "The person is needed in criminal proceedings in the requested State."),
    answered("prolongs_detention", "The transfer would prolong the detention."),
)
