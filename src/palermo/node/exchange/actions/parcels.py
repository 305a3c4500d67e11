"""Parcels in: several at once, each a message or a letter, and as many answers in the same order."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, transaction

from palermo.node.exchange import letters
from palermo.node.exchange.actions.committing import in_one_commit
from palermo.node.exchange.actions.reading import Arrival, Reader, UnprovenError, UnreadableError
from palermo.node.exchange.actions.receiving import rejection, stored_receipt, take_in
from palermo.node.exchange.handlers import NotYetError, RefusedError
from palermo.node.exchange.wire import CLOCK_SKEW, NEVER, NOT_STORED, NOT_YET, TAKEN
from palermo.node.ledger import actions as ledger
from palermo.sealing.envelope import envelope_digest
from palermo.sealing.letter import Letter
from palermo.sealing.records import format_time

_log = logging.getLogger(__name__)


def receive_parcels(parcels: Sequence[bytes], *, now: datetime) -> list[bytes]:
    """Take in parcels and return the answer to each: a receipt, ``wire.TAKEN``, or a sentence after its mark.

    All are opened and proven before the database is written to, then taken in with one commit; every answer is given
    after it. One that cannot be taken spoils no other. The same parcel again gets the same answer.
    """
    reader = Reader(now)
    read = [_read(reader, parcel, now) for parcel in parcels]
    opened = [place for place, found in enumerate(read) if not isinstance(found, bytes)]
    answers = in_one_commit(
        [read[place] for place in opened], lambda found: _take(found, now), lambda _: NOT_YET + NOT_STORED.encode()
    )
    taken = dict(zip(opened, answers, strict=True))
    return [taken[place] if not isinstance(found, bytes) else found for place, found in enumerate(read)]


def _read(reader: Reader, parcel: bytes, now: datetime) -> Arrival | Letter | bytes:
    """What is in a parcel, proven, or the answer to one that holds nothing new or nothing provable."""
    digest = envelope_digest(parcel)
    if (receipt := stored_receipt(digest)) is not None:
        return receipt
    try:
        return reader.read(parcel)
    except UnreadableError as error:
        return NEVER + error.sentence.encode()
    except UnprovenError as error:
        return rejection(digest, error.reason, now)
    except Exception:  # a fault of our own in one must not stop the others
        return _fault(digest)


def _take(found: Arrival | Letter | bytes, now: datetime) -> bytes:
    if isinstance(found, bytes):
        return found
    try:
        return _take_letter(found, now) if isinstance(found, Letter) else take_in(found, now)
    except (NotYetError, ledger.RestoredError) as error:
        return NOT_YET + f"Not yet: {error}. Try again.".encode()
    except DatabaseError:
        raise
    except Exception:  # as above
        return _fault(found.letter_id if isinstance(found, Letter) else found.digest)


def _fault(which: str) -> bytes:
    _log.exception("parcel %s could not be taken in", which)
    return NOT_YET + b"Something went wrong here. Try again; the log of this node says what it was."


@transaction.atomic
def _take_letter(letter: Letter, now: datetime) -> bytes:
    """Give a letter to its handler."""
    here = f"It is {format_time(now)} here"
    if letter.created_at > now + CLOCK_SKEW:
        return NEVER + f"{here}, and the letter is from {format_time(letter.created_at)}: set your clock.".encode()
    if letter.not_after <= now:
        return NEVER + f"{here}, and the letter ended at {format_time(letter.not_after)}.".encode()
    handler = letters.registered(letter.kind)
    if handler is None:
        return NEVER + f"This node does not understand letters of kind {letter.kind}.".encode()
    try:
        with transaction.atomic():
            handler(letter, now=now)
    except RefusedError as error:
        return NEVER + error.reason.encode()
    return TAKEN
