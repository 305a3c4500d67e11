"""Forgetting: the content of a message goes for good; that it came, and what was answered, stays provable."""

from datetime import datetime

from django.db import connection, transaction

from palermo.node.exchange import handlers
from palermo.node.exchange.models import Equivocation, Incoming
from palermo.node.office import actions as office


@transaction.atomic
def forget(sender: str, message_id: str, *, now: datetime) -> bool:
    """Erase what a partner sealed and signed, in the caller's transaction; False if there is nothing to erase.

    Header, digest, receipt and ledger entry stay, so the same envelope again still gets the same receipt. A message
    that its sender signed in two versions is proof against the sender and is kept. Raises ``ValueError`` for a type
    whose handler does not say ``forget``: such content is evidence of what was asked and answered.
    """
    row = _kept(sender, message_id)
    if row is not None and not handlers.forgets(row.payload_type):
        raise ValueError(f"messages of type {row.payload_type} are kept")
    return _erase(row, now)


@transaction.atomic
def erase(sender: str, message_id: str, *, now: datetime) -> bool:
    """Erase the content of a message of any type, because what it brought has to be destroyed: recalled by who gave it,
    or no longer to be kept by law. What stays, and when nothing is erased, is as for :func:`forget`.
    """
    erased = _erase(_kept(sender, message_id), now)
    if erased:
        office.audit(None, "message.erased", message_id, now=now, detail={"partner": sender})
    return erased


def _kept(sender: str, message_id: str) -> Incoming | None:
    rows = Incoming.objects.defer("envelope", "signed").filter(sender=sender, message_id=message_id)
    return rows.filter(forgotten_at=None).first()


def _erase(row: Incoming | None, now: datetime) -> bool:
    if row is None:
        return False
    if Equivocation.objects.filter(first=row).exists():
        return False
    row.envelope, row.signed, row.forgotten_at = None, None, now
    row.save(update_fields=["envelope", "signed", "forgotten_at"])
    return True


def empty_journal(now: datetime) -> None:
    """SQLite: take the journal into the database file, so that no older version of a row stays behind in it.

    Without waiting for readers: what one still reads goes the next time. The settings make SQLite overwrite what is
    deleted from the database file itself, and cut the journal when it starts again.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
