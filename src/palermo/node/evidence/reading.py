"""The one way to a row of this room: whoever has no need to know of its cases learns not even that it is not there."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import Model, QuerySet

from palermo.node.cases import queries as cases
from palermo.node.office import policy
from palermo.node.office.errors import NotFoundError
from palermo.node.office.policy import Actor

READ = "evidence.read"
_Row = TypeVar("_Row", bound=Model)


def readable(
    rows: QuerySet[_Row],
    officer: Actor,
    reference: str,
    cases_of: Callable[[_Row], Iterable[str]],
    *,
    lock: bool = False,
) -> _Row:
    """The row of that reference, for an officer who may read it in one of the cases that it belongs to.

    Raises what the access policy raises, for a row that is not there as for one that is withheld.
    """
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(reference=reference).first()
    of_cases = cases_of(found) if found is not None else ()
    policy.require(officer, READ, frozenset(pk for case in of_cases for pk in cases.members(case)))
    if found is None:
        raise NotFoundError
    return found
