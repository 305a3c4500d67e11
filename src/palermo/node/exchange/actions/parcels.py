"""Parcels in: several at once, each a message or a letter, and as many answers in the same order."""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from palermo.node.exchange import letters
from palermo.node.exchange.actions.receiving import (
    UnprovenError,
    UnreadableError,
    read,
    rejection,
    stored_receipt,
    take_in,
)
from palermo.node.exchange.handlers import NotYetError, RefusedError
from palermo.node.exchange.wire import CLOCK_SKEW, NEVER, NOT_YET, TAKEN
from palermo.sealing.envelope import envelope_digest
from palermo.sealing.letter import Letter
from palermo.sealing.records import format_time

_log = logging.getLogger(__name__)


def receive_parcels(parcels: Sequence[bytes], *, now: datetime) -> list[bytes]:
    """Take in parcels and return the answer to each: a receipt, ``wire.TAKEN``, or a sentence after its mark.

    One that cannot be taken spoils no other. The same parcel again gets the same answer.
    """
    return [_receive(parcel, now) for parcel in parcels]


def _receive(parcel: bytes, now: datetime) -> bytes:
    digest = envelope_digest(parcel)
    if (receipt := stored_receipt(digest)) is not None:
        return receipt
    try:
        opened = read(parcel, now)
        return _take_letter(opened, now) if isinstance(opened, Letter) else take_in(opened, now)
    except UnreadableError as error:
        return NEVER + error.sentence.encode()
    except UnprovenError as error:
        return rejection(digest, error.reason, now)
    except NotYetError as error:
        return NOT_YET + f"Not yet: {error}. Try again.".encode()
    except Exception:  # a fault of our own in one must not stop the others
        _log.exception("parcel %s could not be taken in", digest)
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
