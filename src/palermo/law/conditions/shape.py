"""What a condition is: one question of fact that opens a ground, and the terms that decide it."""

from collections.abc import Callable
from dataclasses import dataclass

from palermo.law.statement import Statement
from palermo.law.three import Known


@dataclass(frozen=True, slots=True)
class Matter:
    """What a condition is judged by. ``complete``: whether the request has all that its provision demands."""

    said: Statement
    complete: Known = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition. ``holds`` answers whether it is met; ``terms``: what a person is asked where it is not known.

    ``judged``: it is never decided here, but by the requested State, on its own law or interests.
    """

    code: str
    says: str
    holds: Callable[[Matter], Known]
    terms: tuple[str, ...] = ()
    judged: bool = False


def answered(code: str, says: str, name: str | None = None, *, negate: bool = False) -> Condition:
    """A condition that one term of yes or no answers (by its code, unless named), or its contrary."""
    asked = name or code

    def holds(matter: Matter) -> Known:
        answer = matter.said.answer(asked)
        return answer if answer is None or not negate else not answer

    return Condition(code, says, holds, (asked,))
