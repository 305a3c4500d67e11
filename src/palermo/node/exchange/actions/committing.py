"""Several messages in one commit: a commit to disk costs as much as ten signatures, whatever it holds."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError, connection, models, transaction

from palermo.node.ledger import actions as ledger

Item = TypeVar("Item")
Result = TypeVar("Result")
_log = logging.getLogger(__name__)


def in_one_commit(
    items: Sequence[Item],
    step: Callable[[Sequence[Item]], Sequence[Result]],
    failed: Callable[[DatabaseError], Result],
) -> list[Result]:
    """Do a step for all items at once and return what it returned for each, all of it on disk.

    The step is atomic by itself (a savepoint here) and answers for each item's own errors, but for the database's. If
    it fails, everything is undone and the step is done again for each item alone, so that one spoils no other; what
    the database refuses then gives ``failed``. A step may therefore run twice, the first time without effect.
    """
    if len(items) > 1:
        try:
            with transaction.atomic():
                ledger.hold()
                return list(step(items))
        except Exception:
            _log.exception("a batch of %d could not be written in one commit; trying each alone", len(items))
    return [_alone(item, step, failed) for item in items]


def _alone(
    item: Item, step: Callable[[Sequence[Item]], Sequence[Result]], failed: Callable[[DatabaseError], Result]
) -> Result:
    try:
        (result,) = step([item])
        return result
    except DatabaseError as error:
        _log.exception("it could not be written")
        return failed(error)


def update_all(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Save these columns of rows of one model, as ``save(update_fields=names)`` of each, by one prepared statement.

    ``bulk_update`` writes one statement with a condition a row and column, which takes longer than all else here.
    """
    if not rows:
        return
    meta, quote = rows[0]._meta, connection.ops.quote_name
    fields = [field for field in meta.concrete_fields if field.name in names]
    columns = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    sql = f"UPDATE {quote(meta.db_table)} SET {columns} WHERE {quote(str(meta.pk.column))} = %s"
    with connection.cursor() as cursor:
        cursor.executemany(
            sql,
            [
                [*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields), row.pk]
                for row in rows
            ],
        )
