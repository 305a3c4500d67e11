"""Where members hand in parcels for others, and collect their own. No cookie: what they signed says who they are.

| answer | meaning for the member                                                                     |
|--------|--------------------------------------------------------------------------------------------|
| 200    | a batch: the relay's statement on each parcel; or what was collected                         |
| 400    | not what the ticket says, or not padded: nothing was taken                                    |
| 403    | not proven, not fresh, or used before: sign anew                                              |
| 409    | this node does not relay for the recipient, by the directory in force here                    |
| 411, 413, 415 | the length is missing, the body is too long, it is of another media type               |

A ticket is judged before any of its parcels is read: a stranger's parcels stay on disk, where the gate put them
(:mod:`palermo.config.gate`), and never fill the memory.
"""

import time
from collections.abc import Callable, Iterator
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from palermo.node.exchange import relay
from palermo.node.exchange.relay_wire import COLLECTION_TYPE, MAX_HAND_IN_BYTES, MAX_SIGNED_BYTES
from palermo.node.exchange.wire import BATCH_TYPE
from palermo.sealing import batch
from palermo.sealing.errors import FormatError

BODY_SECONDS = 60.0
CHUNK_BYTES = 2**16
_LENGTH_BYTES = 4

View = Callable[..., HttpResponse]


def _plain(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8")


class _Body:
    """A body of a stated length, read piece by piece, within :data:`BODY_SECONDS`."""

    def __init__(self, request: HttpRequest, media_type: str, most_bytes: int) -> None:
        if request.content_type != media_type:
            raise relay.RelayRefusalError(f"Send it as {media_type}.", 415)
        stated = request.META.get("CONTENT_LENGTH") or ""
        if not (stated.isascii() and stated.isdigit()):
            raise relay.RelayRefusalError("Say how long the body is: Content-Length.", 411)
        self.left = int(stated[:20])
        if self.left > most_bytes:
            raise relay.RelayRefusalError(f"The body has at most {most_bytes} bytes. Hand in less at once.", 413)
        self._request, self._ends = request, time.monotonic() + BODY_SECONDS

    def read(self, size: int) -> bytes:
        """Exactly ``size`` bytes."""
        if size > self.left:
            raise relay.RelayRefusalError("The body ends within an item. Send it again.", 400)
        pieces = list(self._pieces(size))
        self.left -= size
        return b"".join(pieces)

    def _pieces(self, size: int) -> Iterator[bytes]:
        while size:
            piece = self._request.read(min(size, CHUNK_BYTES))
            if not piece:
                raise relay.RelayRefusalError("The body ended before its length. Send it again.", 400)
            if time.monotonic() > self._ends:
                raise relay.RelayRefusalError(f"The body took longer than {BODY_SECONDS:.0f} seconds.", 408)
            size -= len(piece)
            yield piece

    def item(self, most_bytes: int) -> bytes:
        """The next item of a batch."""
        size = int.from_bytes(self.read(_LENGTH_BYTES), "big")
        if size > most_bytes:
            raise relay.RelayRefusalError(f"An item of {size} bytes; it may have {most_bytes}.", 400)
        return self.read(size)


def _for_members(view: View) -> View:
    """A POST that needs no session, whose refusals are a sentence."""

    @csrf_exempt
    @never_cache
    @require_POST
    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except relay.RelayRefusalError as error:
            return _plain(error.status, error.sentence)

    return answered


@_for_members
def hand_in(request: HttpRequest, recipient: str) -> HttpResponse:
    """Take in parcels for a member that is relayed here; the answers are the relay's signed statements, in order."""
    body = _Body(request, BATCH_TYPE, MAX_HAND_IN_BYTES)
    if body.read(min(len(batch.HEADING), body.left)) != batch.HEADING:
        raise relay.RelayRefusalError("The body does not start as a batch of version 1.", 400)
    ticket = relay.admit(body.item(MAX_SIGNED_BYTES), recipient, now=timezone.now())
    try:
        parcels = batch.unpack(batch.HEADING + body.read(body.left))
    except FormatError as error:
        raise relay.RelayRefusalError(f"These are no parcels ({error}).", 400) from error
    answers = relay.hold(ticket, parcels, now=timezone.now())
    return HttpResponse(batch.pack(answers), content_type=BATCH_TYPE)


@_for_members
def collect(request: HttpRequest) -> HttpResponse:
    """Hand out what waits for the member that asks, after deleting what it signs that it has."""
    body = _Body(request, COLLECTION_TYPE, MAX_SIGNED_BYTES)
    return HttpResponse(relay.collect(body.read(body.left), now=timezone.now()), content_type=BATCH_TYPE)
