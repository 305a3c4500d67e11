"""Parcels in: several at once, each a message or a letter, and as many answers in the same order."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import DatabaseError, transaction

from palermo.node.exchange import letters
from palermo.node.exchange.actions.committing import in_one_commit
from palermo.node.exchange.actions.keeping import stored_receipts
from palermo.node.exchange.actions.reading import Arrival, Reader, UnprovenError, UnreadableError
from palermo.node.exchange.actions.receiving import rejection, take_in_all
from palermo.node.exchange.handlers import NotYetError, RefusedError
from palermo.node.exchange.wire import CLOCK_SKEW, NEVER, NOT_STORED, NOT_YET, TAKEN
from palermo.node.ledger import actions as ledger
from palermo.sealing.envelope import envelope_digest
from palermo.sealing.letter import Letter
from palermo.sealing.records import format_time

_log = logging.getLogger(__name__)


def receive_parcels(parcels: Sequence[bytes], *, now: datetime) -> list[bytes]:
    """Take in parcels and return the answer to each: a receipt, ``wire.TAKEN``, or a sentence after its mark.

    All are opened and proven before the database is written to, then taken in with one commit, messages before letters;
    every answer is given after it. One that cannot be taken spoils no other. The same parcel again gets the same
    answer.
    """
    digests = [envelope_digest(parcel) for parcel in parcels]
    known, reader = stored_receipts(digests), Reader(now)
    read = [
        known.get(digest) or _read(reader, parcel, digest, now) for parcel, digest in zip(parcels, digests, strict=True)
    ]
    opened = [found for found in read if not isinstance(found, bytes)]
    taken = iter(in_one_commit(opened, lambda found: _take_all(found, now), lambda _: NOT_YET + NOT_STORED.encode()))
    return [found if isinstance(found, bytes) else next(taken) for found in read]


def _read(reader: Reader, parcel: bytes, digest: str, now: datetime) -> Arrival | Letter | bytes:
    """What is in a parcel, proven, or the answer to one that holds nothing provable."""
    try:
        return reader.read(parcel)
    except UnreadableError as error:
        return NEVER + error.sentence.encode()
    except UnprovenError as error:
        return rejection(digest, error.reason, now)
    except Exception as error:  # a fault of our own in one must not stop the others
        return _fault(digest, error)


def _take_all(found: Sequence[Arrival | Letter], now: datetime) -> list[bytes]:
    """Take in what was proven; the answers in the same order."""
    messages = [one for one in found if isinstance(one, Arrival)]
    outcomes = dict(zip((one.digest for one in messages), _outcomes(messages, now), strict=True))
    return [
        _answer(one.digest, outcomes[one.digest]) if isinstance(one, Arrival) else _letter_answer(one, now)
        for one in found
    ]


def _outcomes(messages: Sequence[Arrival], now: datetime) -> list[bytes | Exception]:
    try:
        return take_in_all(messages, now) if messages else []
    except DatabaseError:
        raise
    except Exception as error:
        if len(messages) > 1:
            raise  # each is tried alone
        return [error]


def _letter_answer(letter: Letter, now: datetime) -> bytes:
    try:
        return _take_letter(letter, now)
    except DatabaseError:
        raise
    except Exception as error:  # as above
        return _answer(letter.letter_id, error)


def _answer(which: str, outcome: bytes | Exception) -> bytes:
    if isinstance(outcome, bytes):
        return outcome
    if isinstance(outcome, NotYetError | ledger.RestoredError):
        return NOT_YET + f"Not yet: {outcome}. Try again.".encode()
    return _fault(which, outcome)


def _fault(which: str, error: Exception) -> bytes:
    _log.error("parcel %s could not be taken in", which, exc_info=error)
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
