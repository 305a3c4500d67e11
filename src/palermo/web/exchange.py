"""Where partners' nodes hand in what they send. No cookie, no session: what is sealed within proves who sent it.

``v1/envelopes`` takes one envelope and answers with its receipt; ``v2/parcels`` takes several messages and letters
(:mod:`palermo.sealing.batch`) and answers each, in the same order.

| answer | meaning for the sender                                                                    |
|--------|-------------------------------------------------------------------------------------------|
| 200    | v1: a signed receipt, which settles the message; v2: an answer for each parcel            |
| 400    | not an envelope, or not a batch; nothing can be signed about it                           |
| 411    | the length is missing                                                                     |
| 413    | longer than ``MAX_ENVELOPE_BYTES`` or ``MAX_BATCH_BYTES``                                 |
| 415    | another media type                                                                        |
| 503    | not now: nothing was kept, try again later                                                |
"""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from palermo.node.exchange import actions, handlers
from palermo.node.exchange.wire import (
    BATCH_TYPE,
    ENVELOPE_TYPE,
    MAX_BATCH_BYTES,
    MAX_ENVELOPE_BYTES,
    MOST_PARCELS,
    NOT_STORED,
    RECEIPT_TYPE,
)
from palermo.sealing import batch
from palermo.sealing.errors import FormatError

RETRY_AFTER_SECONDS = 2

_log = logging.getLogger(__name__)


def _plain(status: int, sentence: str) -> HttpResponse:
    answer = HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")
    if status == 503:
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return answer


def _not_stored() -> HttpResponse:
    """A full disk, or a database that does not answer: all was undone."""
    _log.exception("what a partner handed in could not be stored")
    return _plain(503, NOT_STORED)


def _body(request: HttpRequest, media_type: str, most_bytes: int) -> bytes | HttpResponse:
    """The whole body, never more than the bound; or the answer that refuses it."""
    if request.content_type != media_type:
        return _plain(415, f"Send this as {media_type}.")
    stated = request.META.get("CONTENT_LENGTH") or ""
    if not (stated.isascii() and stated.isdigit()):
        return _plain(411, "Say how long it is: Content-Length.")
    length = int(stated[:20])
    if length > most_bytes:
        return _plain(413, f"There may be at most {most_bytes} bytes. Send large files as a package.")
    body = request.read(length)
    if len(body) != length:
        return _plain(400, "It ended before its length. Send it again.")
    return body


@csrf_exempt
@never_cache
@require_POST
def envelopes(request: HttpRequest) -> HttpResponse:
    """Version 1: take in one envelope and answer with the signed receipt."""
    body = _body(request, ENVELOPE_TYPE, MAX_ENVELOPE_BYTES)
    if isinstance(body, HttpResponse):
        return body
    try:
        receipt = actions.receive(body, now=timezone.now())
    except actions.UnreadableError as error:
        return _plain(400, error.sentence)
    except handlers.NotYetError as error:
        return _plain(503, f"Not yet: {error}. Try again.")
    except DatabaseError:
        return _not_stored()
    return HttpResponse(receipt, content_type=RECEIPT_TYPE)


@csrf_exempt
@never_cache
@require_POST
def parcels(request: HttpRequest) -> HttpResponse:
    """Version 2: take in a batch of parcels and answer each."""
    body = _body(request, BATCH_TYPE, MAX_BATCH_BYTES)
    if isinstance(body, HttpResponse):
        return body
    try:
        handed_in = batch.unpack(body)
    except FormatError as error:
        return _plain(400, f"This is not a batch of parcels ({error}).")
    if len(handed_in) > MOST_PARCELS:
        return _plain(413, f"A batch has at most {MOST_PARCELS} parcels. Make several of it.")
    try:
        answers = actions.receive_parcels(handed_in, now=timezone.now())
    except DatabaseError:
        return _not_stored()
    return HttpResponse(batch.pack(answers), content_type=BATCH_TYPE)
