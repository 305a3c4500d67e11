"""What the worker does for files besides carrying them: seals, opens, and clears away. One file at a time."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Q

from palermo.node.exchange.files import arriving, offering, opening, settling, store
from palermo.node.exchange.files.models import FileOnItsWay, IncomingFile, OutgoingFile
from palermo.node.exchange.files.states import ARRIVING_OPEN, SENDING_OPEN, Arriving, Sending
from palermo.node.exchange.handlers import NotYetError
from palermo.node.exchange.letters import LetterHandler

LONGEST_WAIT = timedelta(minutes=5)
KEEP_ROWS = timedelta(days=365)
"""How long the row of a settled file, with its receipt, stays: it answers a sender that asks late."""

_log = logging.getLogger(__name__)


def work_one(now: datetime) -> int:
    """Seal or open the file that has waited longest; returns 1 if there was one."""
    ours = OutgoingFile.objects.filter(is_due(now), state=Sending.SEALING).order_by("pk").first()
    if ours is not None:
        _try(ours, partial(offering.seal, ours, now), now)
        return 1
    theirs = IncomingFile.objects.filter(is_due(now), state=Arriving.WHOLE).order_by("pk").first()
    if theirs is not None:
        _try(theirs, partial(opening.open_whole, theirs, now), now)
        return 1
    return 0


def is_due(now: datetime) -> Q:
    """Files that need not be left alone any longer."""
    return Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now)


def _try(row: FileOnItsWay, work: Callable[[], None], now: datetime) -> None:
    """Do it; what went wrong is kept for the administrator, and it is tried again later."""
    try:
        work()
    except OSError as error:
        put_off(row, f"{error.strerror or error}: see to the disk of this node; nothing is lost.", now)
    except NotYetError as error:
        put_off(row, f"Not yet: {error}.", now)
    except Exception as error:  # an app's own fault in one file must not stop all others
        _log.exception("file %s could not be worked on", row.file_id)
        put_off(row, f"It could not be worked on here ({error}). The log of this node says more.", now)


def put_off(row: FileOnItsWay, reason: str, now: datetime) -> None:
    """Leave a file alone for a while, twice as long each time."""
    pause = min(LONGEST_WAIT, timedelta(seconds=2 ** min(row.failures, 20)))
    type(row)._default_manager.filter(pk=row.pk).update(
        failures=row.failures + 1, last_error=reason[:1000], next_attempt_at=now + pause
    )


def clear(now: datetime) -> None:
    """End what ran out of time, notice what is whole, and remove what is over. For the worker's clock."""
    settling.end_due(now)
    opening.refuse_ended(now)
    for row in list(IncomingFile.objects.filter(state=Arriving.ARRIVING, pieces__gt=0).defer("payload")):
        arriving.see_whether_whole(row)
    for model, states in ((OutgoingFile, SENDING_OPEN), (IncomingFile, ARRIVING_OPEN)):
        settled = model._default_manager.exclude(state__in=[state.value for state in states])
        settled.filter(settled_at__lte=now - KEEP_ROWS).delete()
    store.sweep(_ids_in_use)


def _ids_in_use() -> set[str]:
    ours = OutgoingFile.objects.filter(state__in=[state.value for state in SENDING_OPEN])
    theirs = IncomingFile.objects.filter(state__in=[state.value for state in ARRIVING_OPEN])
    return {*ours.values_list("file_id", flat=True), *theirs.values_list("file_id", flat=True)}


LETTER_HANDLERS: Mapping[str, LetterHandler] = {
    offering.LIST_KIND: arriving.take_list,
    arriving.PIECE_KIND: arriving.take_piece_letter,
    arriving.LACKING_KIND: settling.take_lacking,
    arriving.RECEIPT_KIND: settling.take_receipt_letter,
}
PERIODIC: Mapping[str, Callable[[datetime], object]] = {"exchange.clear_files": clear}
