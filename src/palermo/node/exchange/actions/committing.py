"""Several messages in one commit: a commit to disk costs as much as ten signatures, whatever it holds."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError, transaction

from palermo.node.ledger import actions as ledger

Item = TypeVar("Item")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def in_one_commit(
    items: Sequence[Item], step: Callable[[Item], Result], failed: Callable[[DatabaseError], Result]
) -> list[Result]:
    """Do a step for each item and return what the steps returned, all of it on disk.

    A step is atomic by itself (a savepoint here) and answers for its own errors, but for the database's. If the
    database fails at one, everything is undone and done again item by item, so that one spoils no other; what fails
    then gives ``failed``. A step may therefore run twice, the first time without effect.
    """
    if len(items) > 1:
        try:
            with transaction.atomic():
                ledger.hold()
                return [step(item) for item in items]
        except DatabaseError:
            _log.exception("a batch of %d could not be written in one commit; trying each alone", len(items))
    return [_alone(item, step, failed) for item in items]


def _alone(item: Item, step: Callable[[Item], Result], failed: Callable[[DatabaseError], Result]) -> Result:
    try:
        return step(item)
    except DatabaseError as error:
        _log.exception("it could not be written")
        return failed(error)
