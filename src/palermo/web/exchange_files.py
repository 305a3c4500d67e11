"""Where partners' nodes hand in the pieces of large files, and ask which are lacking.

No cookie, no session, no signature: a file's id is secret between its two nodes, and a piece has the digest that its
sender signed, or nothing of it is kept.

| answer | meaning for the sender                                          |
|--------|-----------------------------------------------------------------|
| 200    | the piece is on disk here (no body); or how far the file is     |
| 404    | no such file or piece is expected: a message has to offer it    |
| 408    | it took longer than a piece may: send it again                  |
| 409    | the file is settled: ask for its receipt                        |
| 411    | the length is missing                                           |
| 415    | another media type                                              |
| 422    | not the bytes that were listed: send the piece again            |
| 507    | no room here now: try again later                               |
"""

import time
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from palermo.node.exchange.files import arriving
from palermo.node.exchange.posting import POST_SECONDS
from palermo.node.exchange.wire import PIECE_TYPE
from palermo.node.office.errors import NodeError

READ_BYTES = 2**16


class _TooSlowError(NodeError):
    status = 408


def _plain(error: NodeError) -> HttpResponse:
    return HttpResponse(error.sentence + "\n", status=error.status, content_type="text/plain; charset=utf-8")


@csrf_exempt
@never_cache
@require_POST
def state(request: HttpRequest, file_id: str) -> HttpResponse:
    """How far a file is: which pieces are lacking, or the receipt."""
    try:
        return HttpResponse(arriving.state_of(file_id).to_bytes(), content_type="application/json")
    except NodeError as error:
        return _plain(error)


@csrf_exempt
@never_cache
@require_POST
def piece(request: HttpRequest, file_id: str, number: int) -> HttpResponse:
    """Take one piece."""
    stated = request.META.get("CONTENT_LENGTH") or ""
    if request.content_type != PIECE_TYPE:
        return HttpResponse(f"Send a piece as {PIECE_TYPE}.\n", status=415, content_type="text/plain")
    if not (stated.isascii() and stated.isdigit()):
        return HttpResponse("Say how long the piece is: Content-Length.\n", status=411, content_type="text/plain")
    try:
        arriving.take_piece(file_id, number, _chunks(request, int(stated[:20])))
    except NodeError as error:
        return _plain(error)
    return HttpResponse()


def _chunks(request: HttpRequest, length: int) -> Iterator[bytes]:
    """The body as it comes, never more than its stated length, and never for longer than one post may take."""
    ends = time.monotonic() + POST_SECONDS
    while length > 0 and (chunk := request.read(min(READ_BYTES, length))):
        if time.monotonic() > ends:
            raise _TooSlowError(f"A piece may take {POST_SECONDS:.0f} seconds. Send it again.")
        length -= len(chunk)
        yield chunk
